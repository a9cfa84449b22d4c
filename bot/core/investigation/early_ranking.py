"""When an attempt is made again by itself: it came too early to tell, or the metrics could not be queried."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.evidence import LedgerEntry

YOUNG_ALERT = timedelta(minutes=2)
"""Of an outage whose alert is younger than this metrics may hold few points: what was ranked first may be chance."""
YOUNG_OUTAGE = timedelta(minutes=5)
"""Unless its onset was measured so long before: what does not show by then will not show half a minute later."""
FIRST_WAIT = timedelta(seconds=20)
"""From the start of an attempt to the next; doubled each time."""
MAX_EARLY = 2
"""So often an attempt that came too early is made again."""
MAX_BLIND = 7
"""So often one that could not query the metrics: over half an hour in all."""


@dataclass(frozen=True)
class RankedAttempt:
    """What an attempt that ended knew."""

    alert_at: datetime
    started_at: datetime
    onset: datetime | None
    """When the metrics left their normal range; None where none shows it."""
    blind: bool
    """What measures could not be queried (`could_query_nothing`)."""
    retried: int
    """How often the attempts before it were made again by themselves, for the same outage."""


def retry_at(attempt: RankedAttempt) -> datetime | None:
    """When to make an attempt that named no likely cause again; None where nothing more is to be expected of that."""
    most = MAX_BLIND if attempt.blind else MAX_EARLY if _too_early(attempt) else 0
    if attempt.retried >= most:
        return None
    wait: timedelta = FIRST_WAIT * 2**attempt.retried
    return attempt.started_at + wait


def could_query_nothing(checks: Iterable[LedgerEntry]) -> bool:
    """Whether of an attempt's checks of health all failed, and not for want of metrics: the system did not answer."""
    failed = False
    for check in checks:
        if check.evidence.ok:
            return False
        facts = check.evidence.facts
        # What was judged too short names the system as its source, and no failed call.
        failed |= check.evidence.source == check.tool and not (facts.invalid_query or facts.nothing_measured)
    return failed


def _too_early(attempt: RankedAttempt) -> bool:
    young = attempt.onset is None or attempt.started_at - attempt.onset < YOUNG_OUTAGE
    return young and attempt.started_at - attempt.alert_at < YOUNG_ALERT
