"""What speaks against a change: trouble that was there before it, and that going back did not help."""

from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.diffs.symptoms.request_text import reports_failure
from bot.core.evidence import Claim
from bot.core.facts.measured import Family
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.changes.weighed_change import WeighedChange
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.older_outages import older_outage_text
from bot.core.text.moments import clock, clock_of_onset
from bot.core.text.untrusted import one_line

_LONG = timedelta(hours=1)
"""Where a climb began is read to within some minutes, and of a curve to within more."""
_BEFORE = timedelta(seconds=10)
"""What a clock, a roll-out and the way of a line into a store take."""
_FEW = 3
_OF_MOST = 0.25
"""Lines of a kind, and their share of the most of any: fewer may tell of something else."""


def weigh_earlier_trouble(context: RankingContext, weighed: WeighedChange, candidate: Candidate) -> None:
    """A resource that was already running out, or an outside provider already failing, when the change came."""
    change = weighed.change
    if weighed.carried:
        # A version that alone shows the symptom brought it, whatever else ran short before.
        return
    signals, weights = context.observations.signals.get(change.service, {}), context.tuning.changes
    families: tuple[Family, ...] = ("saturation", "external")
    for family in families:
        deviation = signals.get(family)
        explained = weighed.code.explains or weighed.drift
        if deviation and deviation.onset is None and explained and not _climbed_long_before(deviation, change):
            # One that climbs through the whole window, such as restarts, may have begun with the change.
            continue
        if (
            deviation
            and deviation.onset
            and context.made_during_earlier_outage(change)
            and context.belongs_to_earlier_outage(deviation.onset)
        ):
            continue
        if deviation and deviation.doublings >= context.tuning.confidence.sure and _deviated_before(deviation, change):
            candidate.likelihood *= weights.after_trouble
            left = clock_of_onset(deviation.onset, deviation.not_before) if deviation.onset else ""
            since = f"left the normal range {left}" if left else "had climbed all the time"
            text = f"{deviation.service} {deviation.signal} {since}, before the change"
            evidence = [context.observations.id_of(deviation), context.observations.change_evidence[change.id]]
            candidate.against.append(Claim(text=text, evidence=evidence))
            return


def weigh_earlier_lines(context: RankingContext, weighed: WeighedChange, candidate: Candidate) -> None:
    """The new lines that tell of the failure began before the change: lines are dated to a second, and rates to a sample."""
    change = weighed.change
    failing = [
        template
        for template in context.observations.templates
        if template.service == change.service and template.first and template.count >= _FEW and reports_failure(template.text)
    ]
    most = max((template.count for template in failing), default=0)
    main = [template for template in failing if template.count >= _OF_MOST * most]
    first = min(main, key=lambda template: template.first or change.at, default=None)
    if weighed.carried or first is None or first.first is None or not _BEFORE < change.at - first.first < _LONG:
        return
    candidate.likelihood *= context.tuning.changes.after_trouble
    candidate.sure = False
    text = f"{change.service} has logged {one_line(first.text, 120)} since {clock(first.first)}, before the change"
    evidence = [first.evidence, context.observations.change_evidence[change.id]]
    candidate.against.append(Claim(text=one_line(text, 400), evidence=evidence))


def weigh_older_outage(context: RankingContext, change: Change, candidate: Candidate) -> None:
    """Its service has failed since well before what alerts now, and nothing ties them: that is an outage of its own."""
    older = context.observations.older.get(change.service)
    if older is None or older.onset is None or change.at > older.onset + ONSET_TOLERANCE:
        return
    candidate.likelihood *= context.tuning.changes.of_outage_before
    candidate.sure = False
    evidence = [context.observations.id_of(older), context.observations.change_evidence[change.id]]
    candidate.against.append(Claim(text=older_outage_text(older, context.onset), evidence=evidence))


def _climbed_long_before(deviation: Deviation, change: Change) -> bool:
    """Whether the beginning of a climb is seen, and lies so far before the change that it cannot be read as its."""
    return deviation.climbs_since is not None and deviation.climbs_since < (change.at - _LONG).timestamp()


def _deviated_before(deviation: Deviation, change: Change) -> bool:
    """True if it deviated before the change; one that climbs through the whole window (no onset) did."""
    if deviation.climbs_since is not None:
        return deviation.climbs_since < (change.at - DETECTION_DELAY).timestamp()
    return deviation.onset is None or deviation.onset < change.at - DETECTION_DELAY


def weigh_rollback(context: RankingContext, change: Change, candidate: Candidate) -> None:
    """Somebody went back to the version before, and it did not help, or this outage began only after that.

    Where that ended the outage before, what fires in another one had long enough to end with it.
    """
    weights = context.tuning.changes
    helped_before = context.earlier is not None and change.undone_at is not None
    wait = timedelta(0) if helped_before else timedelta(seconds=weights.rollback_seconds)
    for later in context.observations.changes.values():
        back = later.service == change.service and later.version and later.version == change.previous_version
        began_after = context.onset_observed and later.at < context.onset - ONSET_TOLERANCE
        if back and change.at < later.at and (began_after or later.at <= context.now - wait):
            candidate.likelihood *= weights.after_rollback
            candidate.sure = False
            outcome = (
                f"came before the onset at {clock(context.onset)}" if began_after else "did not end it: the alert still fires"
            )
            text = f"Going back to {later.version} at {clock(later.at)} {outcome}"
            evidence = [context.observations.change_evidence[later.id]]
            candidate.against.append(Claim(text=one_line(text, 400), evidence=evidence))
            return
