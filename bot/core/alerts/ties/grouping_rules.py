"""Rules that people make ("always group like this"): tried on the stored alerts before they are accepted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bot.core.text.untrusted import counted, one_line

WINDOW = timedelta(minutes=5)
"""A rule ties an alert to a group whose last alert is at most this old."""
TESTED = timedelta(days=7)
"""So much of the past a rule is tested on."""
SHOWN = 5

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Side:
    """Some alerts: those of a service, of a name, or both; an empty field says nothing."""

    name: str = ""
    service: str = ""

    def fits(self, name: str, service: str) -> bool:
        """Whether an alert is one of them."""
        return self.name in ("", name) and self.service in ("", service)

    @property
    def text(self) -> str:
        """`HighErrorRate of checkout`, `alerts of checkout`."""
        name, service = one_line(self.name, 60), one_line(self.service, 60)
        return f"{name or 'alerts'} of {service}" if service else name


@dataclass(frozen=True)
class RuleDraft:
    """Alerts of one side and of the other are one outage, where one comes soon after the other."""

    first: Side
    second: Side

    @property
    def text(self) -> str:
        return f"{self.first.text} with {self.second.text}"

    @property
    def services(self) -> set[str]:
        """Those that it names; "" for a side that names none."""
        return {self.first.service, self.second.service}

    def counterparts(self, name: str, service: str) -> list[Side]:
        """What a group must hold for an alert to join it."""
        pairs = ((self.first, self.second), (self.second, self.first))
        return [other for own, other in pairs if own.fits(name, service)]


@dataclass(frozen=True)
class GroupingRule:
    """A rule in force, `GR-<number>`."""

    number: int
    draft: RuleDraft
    owner: str

    @property
    def reason(self) -> str:
        """For whoever wonders why an alert is in a group."""
        return f"rule GR-{self.number} of {self.owner}: {self.draft.text}"


Kind = tuple[str, str]
"""Name and service of an alert."""


def drafts_of(moved: Sequence[Kind], others: Sequence[Kind]) -> list[RuleDraft]:
    """What a merge may mean for later, the widest first: all alerts of both services, or the two most frequent alerts."""
    drafts: list[RuleDraft] = []
    services = _most_frequent(service for _, service in moved), _most_frequent(service for _, service in others)
    if all(services) and services[0] != services[1]:
        drafts.append(RuleDraft(Side(service=services[0] or ""), Side(service=services[1] or "")))
    names = tuple(Side(*(_most_frequent(kinds) or ("", ""))) for kinds in (moved, others))
    if all(side.name for side in names) and names[0] != names[1]:
        drafts.append(RuleDraft(*names))
    return drafts


def _most_frequent(values: Iterable[T]) -> T | None:
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], str(value))) if counts else None


# ---------------------------------------------------------------- tested on the past


@dataclass(frozen=True)
class PastMember:
    """A stored alert in its group."""

    group: int
    name: str
    service: str
    at: datetime
    opened: bool
    """Whether it opened its group."""


@dataclass(frozen=True)
class Regrouped:
    """A group that people made of another, or merged into it."""

    group: int
    other: int


@dataclass(frozen=True)
class BackTest:
    """What a rule would have done."""

    draft: RuleDraft
    alerts: int
    groups: int
    joined: Sequence[tuple[int, int]] = ()
    """(group, the one that it would have joined)."""
    split: Sequence[Regrouped] = ()
    """Groups that people split off others, and that it would have joined."""

    @property
    def text(self) -> str:
        """In lines, the answer first."""
        days, of = TESTED.days, f"{counted(self.alerts, 'alert')} in {counted(self.groups, 'group')}"
        if not self.joined and not self.split:
            return f"{self.draft.text}: in {days} days ({of}) it would have joined nothing."
        fewer = counted(len(self.joined), "group")
        lines = [f"{self.draft.text}: in {days} days ({of}) there would have been {fewer} fewer."]
        lines += [f"- AL-{group} would have been part of AL-{into}" for group, into in self.joined[:SHOWN]]
        if (more := len(self.joined) - SHOWN) > 0:
            lines.append(f"- and {more} more")
        apart = ", ".join(f"AL-{one.group} off AL-{one.other}" for one in self.split[:SHOWN])
        return "\n".join([*lines, *([f"But people split what it joins: {apart}."] if apart else [])])


def back_test(draft: RuleDraft, members: Sequence[PastMember], split: Sequence[Regrouped]) -> BackTest:
    """Try a rule on stored alerts. `members`: the oldest first; `split`: what people took out of which group."""
    last_at: dict[int, datetime] = {}
    holds: dict[int, set[Side]] = {}
    joined: dict[int, int] = {}
    for member in members:
        sides_needed = draft.counterparts(member.name, member.service)
        if member.opened and member.group not in joined:
            tied = [group for group, sides in holds.items() if _ties(group, sides_needed, sides, member, last_at)]
            if tied:
                joined[member.group] = max(tied, key=lambda group: (last_at[group], group))
        last_at[member.group] = member.at
        if sides_needed:
            holds.setdefault(member.group, set()).update(
                side for side in _sides(draft) if side.fits(member.name, member.service)
            )
    apart = [one for one in split if _joins(draft, holds.get(one.group, set()), holds.get(one.other, set()))]
    return BackTest(draft, len(members), len(last_at), list(joined.items()), apart)


def _sides(draft: RuleDraft) -> tuple[Side, Side]:
    return draft.first, draft.second


def _ties(group: int, sides_needed: Sequence[Side], sides: set[Side], member: PastMember, last_at: dict[int, datetime]) -> bool:
    fresh = member.at - last_at[group] <= WINDOW
    return fresh and group != member.group and not sides.isdisjoint(sides_needed)


def _joins(draft: RuleDraft, some: set[Side], others: set[Side]) -> bool:
    return (draft.first in some and draft.second in others) or (draft.second in some and draft.first in others)
