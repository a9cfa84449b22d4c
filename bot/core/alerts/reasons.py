"""Why alerts are in one group and others are muted, counted for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.alerts.grouping import OPENED, GroupingReason, Membership
from bot.core.text.untrusted import counted, one_line

MAX_LINES = 8
ReasonCount = tuple[str, int]
"""A reason in words, and how many alerts have it."""


@dataclass(frozen=True)
class AlertReasons:
    """Of one alert group: why its alerts belong to it, and what muted alerts of its service since it was opened."""

    service: str
    joined: Sequence[tuple[Membership, int]] = ()
    """Each with how many alerts have it."""
    muted: Sequence[ReasonCount] = ()

    def joined_lines(self) -> list[str]:
        """A line for each reason, the most frequent first; none for the alert that opened the group alone, as alerts do."""
        several = sum(count for _, count in self.joined) > 1
        apart = any(one.reason is GroupingReason.OPENED_GROUP and one != OPENED for one, _ in self.joined)
        return _lines(_worded(self.joined)) if several or apart else []

    def muted_lines(self) -> list[str]:
        """A line for each reason, the most frequent first."""
        return _lines(self.muted)

    def in_short(self) -> str:
        """One line for a card: the most frequent reason of either kind and how many more there are; "" for nothing to tell."""
        later = _worded(one for one in self.joined if one[0].reason is not GroupingReason.OPENED_GROUP)
        parts = ((f"one card: {_first(later)}" if later else ""), (f"muted: {_first(self.muted)}" if self.muted else ""))
        return " · ".join(part for part in parts if part)


def _worded(joined: Iterable[tuple[Membership, int]]) -> list[ReasonCount]:
    return [(membership.text, count) for membership, count in joined]


def _first(reasons: Sequence[ReasonCount]) -> str:
    ordered = sorted(reasons, key=lambda reason: (-reason[1], reason[0]))
    text, count = ordered[0]
    more = f", {counted(len(ordered) - 1, 'more reason')}" if len(ordered) > 1 else ""
    return f"{one_line(text, 80)} ({counted(count, 'alert')}){more}"


def _lines(reasons: Sequence[ReasonCount]) -> list[str]:
    ordered = sorted(reasons, key=lambda reason: (-reason[1], reason[0]))
    lines = [f"{counted(count, 'alert')}: {one_line(text, 200)}" for text, count in ordered[:MAX_LINES]]
    left = len(ordered) - MAX_LINES
    return [*lines, f"{counted(left, 'more reason')}"] if left > 0 else lines
