"""Resources that have climbed since a change: so long a way to the symptom clears no change."""

import re
from datetime import UTC, datetime, timedelta

from bot.core.change import Change
from bot.core.diffs.identifiers import word_stems
from bot.core.diffs.symptoms.code_text import without_values
from bot.core.diffs.symptoms.symptoms import Symptoms
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation, climbs_throughout
from bot.core.metrics.signal_names import names_resource
from bot.core.ranking.candidates import short_change_text
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_WINDOW = timedelta(hours=1)
"""What climbs through it began before: as long as signals are read before the alert."""
_READ_TO = 0.05
"""Share of a climb's length to within which its beginning is read."""
_NEARER = 4
_MEMORY = r"mem|heap|\brss\b"
_LATE = timedelta(minutes=10)
_RUN_OUT = (
    (r"\bfds?\b|descriptor|open.?files|socket", r"too many open files|emfile|descriptor|cannot assign requested address"),
    (_MEMORY, r"out ?of ?memory|\boom|heap space|cannot allocate|memory limit"),
    (r"disk|volume|inode|filesystem", r"no space left|disk (is )?full|inode|low disk watermark"),
    (
        r"conn|pool|session",
        r"too many (clients|connections)|connection slots|pool.{0,40}(timed? ?out|exhaust|empty|not available)",
    ),
    (r"thread|goroutine|tasks?\b", r"(create|start|spawn).{0,20}thread|goroutine|thread ?pool|too many tasks"),
)
"""What a signal counts, and how lines say that there is no more of it."""
_NO_MORE = re.compile(
    r"limit|exceed|exhaust|\bfull\b|no (more|free)|run out|ran out|waiting for|not available|max\w* reached", re.I
)
"""How lines say so of anything else, beside its name."""


def drift_since(context: RankingContext, change: Change) -> Deviation | None:
    """A resource that has climbed since the change: of its service, else of another where no nearer change fits as well.

    Where a climb has no beginning in what was read, since the last change of its service before the window.
    """
    climbing = [deviation for deviation in context.observations.all_signals.values() if deviation.doublings > 0]
    own = [d for d in climbing if d.service == change.service and _climbed_since(context, d, change)]
    drifts = own or [d for d in climbing if d.service != change.service and _climbed_elsewhere(context, d, change)]
    return max(drifts, key=lambda drift: drift.doublings, default=None)


def climbs(context: RankingContext, service: str) -> bool:
    """Whether something of a service climbs of which is known since when."""
    return any(
        deviation.climbs_since is not None
        for (of, _), deviation in context.observations.all_signals.items()
        if of == service and deviation.doublings > 0
    )


def jumped_late(context: RankingContext, change: Change) -> bool:
    """Whether the memory of a service was as usual long after a change, and then rose at once: nothing has grown since it."""
    return any(
        deviation.climbs_since is None and deviation.onset is not None and deviation.onset - change.at > _LATE
        for (of, name), deviation in context.observations.all_signals.items()
        if of == change.service and deviation.doublings > 0 and re.search(_MEMORY, name.replace("_", " "), re.I)
    )


def _climbed_since(context: RankingContext, deviation: Deviation, change: Change) -> bool:
    if deviation.climbs_since is not None:
        latest = timedelta(seconds=context.tuning.changes.drift_within)
        return _began_with(context, deviation, change, latest) and not _another_is_nearer(context, deviation, change)
    return climbs_throughout(deviation) and change.id == _last_before_window(context, change.service)


def _another_is_nearer(context: RankingContext, deviation: Deviation, change: Change) -> bool:
    """Whether another change came many times nearer to where a climb began: then it rather began with that."""
    began = datetime.fromtimestamp(deviation.climbs_since or 0.0, UTC)
    own, read_to = abs(began - change.at), _READ_TO * (context.onset - began)
    others = (c for c in context.observations.changes.values() if c.version and c.id != change.id and not c.by_action)
    return own > max(DETECTION_DELAY, read_to) and any(_NEARER * abs(began - other.at) <= own for other in others)


def _began_with(context: RankingContext, deviation: Deviation, change: Change, latest: timedelta) -> bool:
    """Whether a climb began at the change, or so long after it: where that was is read to within a part of its length."""
    if deviation.climbs_since is None:
        return False
    began = datetime.fromtimestamp(deviation.climbs_since, UTC)
    early = max(DETECTION_DELAY, _READ_TO * (context.onset - began))
    return change.at - early <= began <= change.at + latest


def _climbed_elsewhere(context: RankingContext, deviation: Deviation, change: Change) -> bool:
    """Whether what a suspect is short of has climbed since a change of another service, and no nearer change fits as well.

    What calls it may fill it. Of services of which nobody knows that they do, only the one change that fits says something.
    """
    short = names_resource(deviation.signal) and deviation.service in {context.start, *dict(context.suspects())}
    if not (short and deviation.climbs_since):
        return False
    latest = 2 * _READ_TO * (context.onset - datetime.fromtimestamp(deviation.climbs_since, UTC))
    fitting = [
        other
        for other in context.observations.changes.values()
        if not other.by_action and _began_with(context, deviation, other, latest)
    ]
    callers = set(context.observations.callers(deviation.service))
    own = (other for other in fitting if other.service == deviation.service)
    if change not in fitting or any(_climbed_since(context, deviation, other) for other in own):
        return False
    if of_callers := [other for other in fitting if other.service in callers]:
        return change in of_callers
    return len(fitting) == 1


def _last_before_window(context: RankingContext, service: str) -> str:
    before = [c for c in context.observations.changes.values() if c.service == service and c.at <= context.onset - _WINDOW]
    return max(before, key=lambda change: change.at).id if before else ""


def drift_fit(context: RankingContext, drift: Deviation, *, ran_out: bool) -> float:
    """How well a climb since the change fits; where it began before what was read, the change is one of many that may have."""
    weights = context.tuning.changes
    if drift.climbs_since is None:
        return weights.drift_from_before
    return weights.exhausted_drift if ran_out else weights.drift


def is_exhausted(drift: Deviation, symptoms: Symptoms) -> bool:
    """Whether new lines say that there is no more of what has climbed."""
    name = drift.signal.replace("_", " ")
    patterns = [lines for resource, lines in _RUN_OUT if re.search(resource, name, re.I)]
    new = symptoms.new()
    if any(re.search(pattern, line.text, re.I) for pattern in patterns for line in new):
        return True
    measured = word_stems(name)
    return any(
        _NO_MORE.search(line.text) and measured & word_stems(without_values(line.text)) for line in new if not line.alert
    )


def drift_claim(context: RankingContext, change: Change, drift: Deviation) -> Claim:
    """What has climbed since when, as a claim."""
    evidence = [context.observations.id_of(drift), context.observations.change_evidence[change.id]]
    signal, what = f"{drift.service} {drift.signal}", short_change_text(change)
    if drift.climbs_since is None:
        text = f"{signal} climbed through all that was read, and {what} was the last change before that"
    else:
        text = f"{signal} has climbed since {clock(datetime.fromtimestamp(drift.climbs_since, UTC))}, from {what} on"
    return Claim(text=one_line(text, 400), evidence=evidence)
