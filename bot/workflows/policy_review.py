"""Keeps the loaded configuration held back to the policy that was confirmed, on every replica, until a second person agrees."""

from collections.abc import Callable, Mapping

import structlog

from bot.core.action import Tier
from bot.core.approvals.policies.widening import snapshot_of
from bot.core.config import Config
from bot.core.config.policy_snapshot import PolicySnapshot
from bot.store.approvals.policies import Considered, Policies

log = structlog.get_logger(__name__)
TiersOf = Callable[[Config], Mapping[str, Tier]]


class PolicyReview:
    """`config` is the one object that the whole process reads; `changed` is called when other rights hold."""

    def __init__(self, policies: Policies, config: Config, tiers_of: TiersOf, changed: Callable[[], None]) -> None:
        self._policies, self._config, self._tiers_of, self._changed = policies, config, tiers_of, changed
        self._base = ""

    async def start(self) -> None:
        """Note the policy that the process starts with. One that was rejected, or that nobody answered, is not asked again."""
        considered = await self.consider(self._config, "tocsin", anew=False)
        self.hold_back(considered.held_back_to)

    async def consider(self, fresh: Config, who: str, *, anew: bool = True) -> Considered:
        """What becomes of a configuration that is about to be used."""
        considered = await self._policies.consider(self._snapshot(fresh), who, anew=anew)
        if considered.held_back_to is not None:
            log.warning("the policy gives more than was confirmed", ref=considered.ref, wider=list(considered.gains))
        return considered

    def hold_back(self, confirmed: PolicySnapshot | None) -> None:
        """From now on nothing is allowed that `confirmed` does not allow."""
        self._base = ""
        self._config.hold_back(confirmed)
        self._changed()

    async def refresh(self) -> None:
        """Follow what was confirmed meanwhile, here or on another replica."""
        base = await self._policies.base()
        if base == self._base:
            return
        self._config.hold_back(await self._policies.held_back_to(self._snapshot(self._config)))
        self._base = base
        self._changed()

    def _snapshot(self, config: Config) -> PolicySnapshot:
        return snapshot_of(config, self._tiers_of(config))
