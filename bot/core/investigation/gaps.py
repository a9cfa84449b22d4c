"""What could not be looked at, gathered over investigations: the access that would have helped most often comes first."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.logs.masking import masked

_REASON = re.compile(r"\ACould not look \(.*?\): (.*)\Z", re.DOTALL)
"""What was asked may hold brackets of its own, as a query does."""
BY_PEOPLE = "a person stopped the investigation"
"""No gap: somebody wanted no more looks."""


@dataclass(frozen=True)
class FailedCheck:
    """One look that did not succeed."""

    group: str
    tool: str
    service: str
    summary: str
    at: datetime


@dataclass(frozen=True)
class Gap:
    """One thing that could not be seen: with which tool, why, and in how many groups it was missed."""

    tool: str
    reason: str
    """As it was said last."""
    groups: int
    looks: int
    services: tuple[str, ...]
    last_group: str
    last_at: datetime


def rank_gaps(looks: Iterable[FailedCheck]) -> list[Gap]:
    """The gaps, those missed in most groups first, of equals the newest. Reasons that differ in numbers alone are one gap."""
    found: dict[tuple[str, str], list[FailedCheck]] = defaultdict(list)
    for look in looks:
        reason = _reason(look.summary)
        if reason != BY_PEOPLE:
            found[look.tool, masked(reason)].append(look)
    gaps = [_gap(tool, sorted(same, key=lambda look: look.at)) for (tool, _), same in found.items()]
    return sorted(gaps, key=lambda gap: (gap.groups, gap.last_at), reverse=True)


def _gap(tool: str, looks: list[FailedCheck]) -> Gap:
    last = looks[-1]
    return Gap(
        tool=tool,
        reason=_reason(last.summary),
        groups=len({look.group for look in looks}),
        looks=len(looks),
        services=tuple(sorted({look.service for look in looks if look.service})),
        last_group=last.group,
        last_at=last.at,
    )


def _reason(summary: str) -> str:
    match = _REASON.match(summary)
    return match.group(1) if match else summary
