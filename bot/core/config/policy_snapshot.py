"""What of a configuration decides rights, as names and numbers: stored, compared, and held against a wider one that waits."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from bot.core.action import Autonomy
from bot.core.config.actions import Freeze, Limits, SoloMode

GROUP = "group:"
"""Before the id of a Slack user group: whoever is in it."""
ANY_SERVICE = ""
"""Under this name stands who is on call for a service that is unknown or has nobody."""


ANY_ACTION = ""
"""Under this name stands what holds for every entry of the catalogue that is not named."""


def fingerprint_of(content: Mapping[str, object]) -> str:
    """SHA-256 over a snapshot as it is stored."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class PolicySnapshot(BaseModel):
    """Who may be what, which freezes and limits hold, and the tier of each entry of the catalogue."""

    # What another version of Tocsin stored beside it is read over: the fingerprint is over what is stored.
    model_config = ConfigDict(frozen=True, extra="ignore")

    accounts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Person -> user ids and addresses."""
    on_call: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Service -> who may be on call for it, in whatever order: persons, and groups behind GROUP."""
    owners: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    deputies: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()
    autonomy: dict[str, dict[str, Autonomy]] = Field(default_factory=dict)
    """Service -> entry of the catalogue -> how far Tocsin goes; under ANY_ACTION for all others."""
    standing_verified: int = 5
    """Runs in a row that a standing approval takes."""
    veto_seconds: int = 300
    """How long people may stop what it starts."""
    solo: SoloMode = SoloMode.OFF
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = Limits()
    tiers: dict[str, int] = Field(default_factory=dict)
    undoes: tuple[str, ...] = ()
    """Entries that count as taking a change back."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it."""
        return fingerprint_of(self.model_dump(mode="json"))

    @property
    def rostered(self) -> frozenset[str]:
        """Everyone on some rota, an owner or a deputy, and the groups behind rotas."""
        rotas, owners = self.on_call.values(), self.owners.values()
        return frozenset(self.deputies).union(*rotas, *owners)

    @property
    def groups(self) -> frozenset[str]:
        """Ids of the user groups of Slack that say who is on call somewhere."""
        return frozenset(name.removeprefix(GROUP) for name in self.rostered if name.startswith(GROUP))

    @property
    def confirmers(self) -> frozenset[str]:
        """Who may agree to a wider policy: admins and owners; where there is none, deputies; else everybody on a rota."""
        return frozenset(self.admins).union(*self.owners.values()) or frozenset(self.deputies) or self.rostered

    def autonomy_of(self, service: str, action: str) -> Autonomy:
        """How far Tocsin goes by itself with an action on a service."""
        own = self.autonomy.get(service, {})
        return own.get(action, own.get(ANY_ACTION, Autonomy.APPROVE))

    def on_call_of(self, service: str) -> tuple[str, ...]:
        """Who may be on call for a service, known or not."""
        return self.on_call.get(service, self.on_call.get(ANY_SERVICE, ()))
