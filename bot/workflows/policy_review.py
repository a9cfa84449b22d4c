"""Keeps the loaded configuration held back to the policy that was confirmed, on every replica, until a second person agrees."""

from collections.abc import Callable, Mapping

import structlog

from bot.core.action import Tier
from bot.core.approvals.policies.widening import snapshot_of
from bot.core.config import Config
from bot.core.config.policy_snapshot import PolicySnapshot
from bot.store.approvals.policies.policies import Policies, PolicyReviewResult

log = structlog.get_logger(__name__)
TiersOf = Callable[[Config], Mapping[str, Tier]]


class PolicyReview:
    """`config` is the one object that the whole process reads; `changed` is called when other rights hold."""

    def __init__(self, policies: Policies, config: Config, tiers_of: TiersOf, changed: Callable[[], None]) -> None:
        self._policies, self._config, self._tiers_of, self._changed = policies, config, tiers_of, changed
        self._base = ""
        self._changes = 0

    async def start(self) -> None:
        """Note the policy that the process starts with. One that was rejected, or that nobody answered, is not asked again."""
        considered = await self.consider(self._config, "tocsin", anew=False)
        self.hold_back(considered.held_back_to)

    async def consider(self, fresh: Config, who: str, *, anew: bool = True) -> PolicyReviewResult:
        """What becomes of a configuration that is about to be used."""
        considered = await self._policies.consider(self._snapshot(fresh), who, anew=anew)
        if considered.held_back_to is not None:
            log.warning("the policy gives more than was confirmed", ref=considered.ref, wider=list(considered.gains))
        return considered

    def hold_back(self, confirmed: PolicySnapshot | None) -> None:
        """From now on nothing is allowed that `confirmed` does not allow."""
        self._use(confirmed, "")

    async def refresh(self) -> None:
        """Follow what was confirmed meanwhile, here or on another replica."""
        while not await self._followed():
            pass

    async def _followed(self) -> bool:
        """Whether what the database says is used; not if other rights held by the time it had answered: ask again."""
        changes = self._changes
        base = await self._policies.base()
        if base != self._base:
            confirmed = await self._policies.held_back_to(self._snapshot(self._config))
            if changes == self._changes:
                self._use(confirmed, base)
                return True
        return changes == self._changes

    def _use(self, confirmed: PolicySnapshot | None, base: str) -> None:
        self._base = base
        self._changes += 1
        self._config.hold_back(confirmed)
        self._changed()

    def _snapshot(self, config: Config) -> PolicySnapshot:
        return snapshot_of(config, self._tiers_of(config))
