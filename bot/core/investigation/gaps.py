"""What could not be checked, gathered over investigations: the access that would have helped most often comes first."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.core.logs.masking import masked
from bot.core.tool_calls import failure_reason

BY_PEOPLE = "a person stopped the investigation"
"""Not a gap: somebody wanted no further checks."""


@dataclass(frozen=True)
class FailedCheck:
    """One check that did not succeed."""

    group: str
    tool: str
    service: str
    summary: str
    at: datetime


@dataclass(frozen=True)
class Gap:
    """What one tool could not check for one reason, and in how many groups it was missed."""

    tool: str
    reason: str
    """In the words of the newest failure."""
    groups: int
    checks: int
    services: tuple[str, ...]
    last_group: str
    last_at: datetime


def rank_gaps(checks: Iterable[FailedCheck]) -> list[Gap]:
    """The gaps, those missed in most groups first, of equals the newest. Reasons that differ in numbers alone are one gap."""
    by_cause: dict[tuple[str, str], list[FailedCheck]] = defaultdict(list)
    for check in checks:
        reason = failure_reason(check.summary)
        if reason != BY_PEOPLE:
            by_cause[check.tool, masked(reason)].append(check)
    gaps = [_gap(tool, sorted(same, key=lambda check: check.at)) for (tool, _), same in by_cause.items()]
    return sorted(gaps, key=lambda gap: (gap.groups, gap.last_at), reverse=True)


def _gap(tool: str, checks: list[FailedCheck]) -> Gap:
    last = checks[-1]
    return Gap(
        tool=tool,
        reason=failure_reason(last.summary),
        groups=len({check.group for check in checks}),
        checks=len(checks),
        services=tuple(sorted({check.service for check in checks if check.service})),
        last_group=last.group,
        last_at=last.at,
    )
