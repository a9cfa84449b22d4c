"""When a changed policy counts: at once if it gives nobody more, else once a second person has agreed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.approvals.policies.widening import Gain, gains
from bot.core.approvals.policy_types import names_text
from bot.core.config.policy_snapshot import GROUP, PolicySnapshot

CONFIRM_WITHIN = timedelta(hours=24)
TAKEN_BACK_WITHIN = timedelta(minutes=15)
"""A mistake is taken back without a second person: what counted until so long ago is nothing wider."""


class PolicyState(StrEnum):
    """What became of one policy. The database stores these words."""

    WAITING = "waiting"
    IN_FORCE = "in force"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REPLACED = "replaced"
    """Another file came before anybody answered."""


def is_wider(bases: Sequence[PolicySnapshot], new: PolicySnapshot, now: datetime) -> bool:
    """Whether it allows something beyond each of the policies that count, or did until just now."""
    return all(gains(base, new, now) for base in bases)


def is_base(old: PolicySnapshot, new: PolicySnapshot) -> bool:
    """Whether the next policy is compared with this narrower one: not where it leaves nobody who could confirm the next."""
    return bool(new.confirmers) and new.confirmers <= old.confirmers


@dataclass(frozen=True)
class Confirmation:
    """Somebody's wish to confirm. `confirmers`: persons, groups resolved; `asked_by`: who had the file loaded."""

    person: str
    asked_by: str
    confirmers: Collection[str]
    gains: Sequence[Gain]

    @property
    def refusal(self) -> str:
        """Why this person may not; "" if they may."""
        if self.person not in self.confirmers:
            return f"You can't confirm this. {confirmers_text(self.confirmers)}"
        if self.person == self.asked_by.removesuffix(" of this machine"):
            return "You had it loaded, so somebody else confirms it."
        gainers = {gain.person for gain in self.gains}
        if self.person in gainers and set(self.confirmers) - gainers:
            return "It gives you more, so somebody else confirms it."
        return ""


def confirmers_text(names: Collection[str]) -> str:
    """`alice or bob can.`"""
    groups = [f"the Slack user group {name.removeprefix(GROUP)}" for name in names if name.startswith(GROUP)]
    people = sorted(name for name in names if not name.startswith(GROUP))
    return f"{names_text([*people, *groups])} can." if names else "Nobody can: load the file that counted before."
