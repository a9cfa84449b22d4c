"""When a changed policy counts: at once if it gives nobody more, else once a second person has agreed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.core.approvals.policies.widening import Gain
from bot.core.approvals.policy_types import names_text
from bot.core.config.policy_snapshot import GROUP, PolicySnapshot

CONFIRM_WITHIN = timedelta(hours=24)
TAKEN_BACK_WITHIN = timedelta(minutes=15)
"""A mistake is taken back without a second person: what counted until so long ago is nothing wider."""

LOCAL = " of this machine"
"""Behind the name of a user of the machine who had a file loaded."""


class PolicyState(StrEnum):
    """What became of one policy. The database stores these words."""

    WAITING = "waiting"
    IN_FORCE = "in force"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REPLACED = "replaced"
    """Another file came before anybody answered."""


def is_base(old: PolicySnapshot, new: PolicySnapshot) -> bool:
    """Whether this narrower policy says who confirms the next: not if it leaves nobody, or has others do it."""
    return bool(new.confirmers) and new.confirmers <= old.confirmers


def leaves_somebody(old: PolicySnapshot, new: PolicySnapshot) -> bool:
    """Whether anybody who has a role in `old` still has an account in this narrower policy, and so could confirm the next."""
    holders = old.confirmers | old.rostered
    groups = any(name.startswith(GROUP) for name in holders)
    return any(accounts and (groups or person in holders) for person, accounts in new.accounts.items())


def confirmers_there(
    confirmed: PolicySnapshot, there: Collection[str], members_of: Callable[[Collection[str]], frozenset[str]]
) -> tuple[frozenset[str], bool]:
    """Those of a policy's confirmers who are still there; else those who stand in for them, which is the second value.

    `members_of`: names with the groups among them as persons. Deputies stand in; where fewer than two are there, whoever is
    on a rota does.
    """
    own, deputies, rostered = (
        members_of(names) & set(there) for names in (confirmed.confirmers, confirmed.deputies, confirmed.rostered)
    )
    return (own, False) if own else (deputies if len(deputies) > 1 else rostered, True)


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What somebody confirms, and who may. `confirmers`: persons, groups resolved; `loaded_by`: who had the file loaded."""

    person: str
    loaded_by: str
    confirmers: frozenset[str]
    gains: Sequence[Gain]
    people: Collection[str] = ()
    """The people of the policy that counts."""
    stand_in: bool = False
    """Those who would confirm are gone, and these stand in for them."""
    until_now: frozenset[str] = frozenset()
    """Who could have confirmed at some time of the last CONFIRM_WITHIN."""

    @property
    def loader(self) -> str:
        """The person who had it loaded; "" where nobody knows who that was."""
        name, local, _ = self.loaded_by.partition(LOCAL)
        return name if local and name in self.people else ""

    @property
    def wants_two(self) -> bool:
        """Whether one is not enough: nobody else is known to have wanted it, or they stand in for others."""
        return self.stand_in or not self.loader

    @property
    def needed(self) -> int:
        """How many people: two where two are wanted, and there."""
        return 2 if self.wants_two and len(self.confirmers - {self.loader}) > 1 else 1

    @property
    def _unbiased(self) -> frozenset[str]:
        return self.confirmers - {gain.person for gain in self.gains}

    @property
    def refusal(self) -> str:
        """Why this person may not; "" if they may."""
        if self.person not in self.confirmers:
            return f"You can't confirm this. {confirmers_text(self.confirmers)}"
        if self.person == self.loader:
            return "You had it loaded, so somebody else confirms it."
        if self.person not in self._unbiased and len(self._unbiased) >= self.needed:
            return "It gives you more, so somebody else confirms it."
        if self.wants_two and self.needed == 1 and (gone := self.until_now - self.confirmers - {self.loader}):
            return (
                f"It takes two, and you are the only one left: less than a day ago {names_text(sorted(gone))} could. "
                "Load the file without what it adds; a day later you can confirm that alone."
            )
        return ""

    def is_enough(self, agreed: Collection[str]) -> bool:
        """Whether it counts, with this person and those who agreed before."""
        people = {self.person, *agreed} & self.confirmers - {self.loader}
        return len(people) >= self.needed and (not self._unbiased - {self.loader} or bool(people & self._unbiased))


def confirmers_text(names: Collection[str], needed: int = 1, *, can: str = "can") -> str:
    """`alice or bob can.`; where it takes two, it says so."""
    groups = [f"the Slack user group {name.removeprefix(GROUP)}" for name in names if name.startswith(GROUP)]
    people = sorted(name for name in names if not name.startswith(GROUP))
    if not names:
        return "Nobody can: load the file that counted before."
    return f"{names_text([*people, *groups])} {can}{': it takes two of them' if needed > 1 else ''}."
