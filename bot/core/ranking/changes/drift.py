"""Resources that have climbed since a change: so long a way to the symptom clears no change."""

import re
from datetime import UTC, datetime, timedelta

from bot.core.change import Change
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation, climbs_throughout
from bot.core.ranking.candidates import short_change_text
from bot.core.ranking.changes.code_evidence import symptoms_of
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_WINDOW = timedelta(hours=1)
"""What climbs through it began before: as long as signals are read before the alert."""
_RUN_OUT = (
    (r"\bfds?\b|descriptor|open.?files|socket", r"too many open files|emfile|descriptor|cannot assign requested address"),
    (r"mem|heap|\brss\b", r"out ?of ?memory|\boom|heap space|cannot allocate|memory limit"),
    (r"disk|volume|inode|filesystem", r"no space left|disk (is )?full|inode|low disk watermark"),
    (
        r"conn|pool|session",
        r"too many (clients|connections)|connection slots|pool.{0,40}(timed? ?out|exhaust|empty|not available)",
    ),
    (r"thread|goroutine|tasks?\b", r"(create|start|spawn).{0,20}thread|goroutine|thread ?pool|too many tasks"),
)
"""What a signal counts, and how lines say that there is no more of it."""


def drift_since(context: RankingContext, change: Change) -> Deviation | None:
    """A resource of the changed service that has climbed since the change.

    Where a climb has no beginning in what was read, since the last change of its service before the window.
    """
    drifts = [
        deviation
        for (service, _), deviation in context.observations.all_signals.items()
        if service == change.service and deviation.doublings > 0 and _climbed_since(context, deviation, change)
    ]
    return max(drifts, key=lambda drift: drift.doublings, default=None)


def _climbed_since(context: RankingContext, deviation: Deviation, change: Change) -> bool:
    if deviation.climbs_since is not None:
        latest = change.at + timedelta(seconds=context.tuning.changes.drift_within)
        return (change.at - DETECTION_DELAY).timestamp() <= deviation.climbs_since <= latest.timestamp()
    return climbs_throughout(deviation) and change.id == _last_before_window(context, change.service)


def _last_before_window(context: RankingContext, service: str) -> str:
    before = [c for c in context.observations.changes.values() if c.service == service and c.at <= context.onset - _WINDOW]
    return max(before, key=lambda change: change.at).id if before else ""


def drift_fit(context: RankingContext, drift: Deviation) -> float:
    """How well a climb since the change fits; where it began before what was read, the change is one of many that may have."""
    weights = context.tuning.changes
    if drift.climbs_since is None:
        return weights.drift_from_before
    return weights.exhausted_drift if is_exhausted(context, drift) else weights.drift


def is_exhausted(context: RankingContext, drift: Deviation) -> bool:
    """Whether new lines say that there is no more of what has climbed."""
    name = drift.signal.replace("_", " ")
    patterns = [lines for resource, lines in _RUN_OUT if re.search(resource, name, re.I)]
    new = symptoms_of(context.observations, context.summary).new()
    return any(re.search(pattern, line.text, re.I) for pattern in patterns for line in new)


def drift_claim(context: RankingContext, change: Change, drift: Deviation) -> Claim:
    """What has climbed since when, as a claim."""
    evidence = [context.observations.id_of(drift), context.observations.change_evidence[change.id]]
    signal, what = f"{drift.service} {drift.signal}", short_change_text(change)
    if drift.climbs_since is None:
        text = f"{signal} climbed through all that was read, and {what} was the last change before that"
    else:
        text = f"{signal} has climbed since {clock(datetime.fromtimestamp(drift.climbs_since, UTC))}, from {what} on"
    return Claim(text=one_line(text, 400), evidence=evidence)
