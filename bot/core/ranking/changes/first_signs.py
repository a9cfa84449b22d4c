"""First signs: what moved at once after a change, minutes before anything failed, or what its service does for a request."""

from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import SYMPTOM_FAMILIES
from bot.core.ranking.candidates import short_change_text
from bot.core.ranking.changes.jumps import brings_demand, is_relief
from bot.core.ranking.context import RankingContext, onset_error
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock_of_onset
from bot.core.text.untrusted import one_line

_AT_ONCE = timedelta(minutes=1)
"""A sign that follows a change follows it so soon, and by one sample more."""
_TIMES_AT_ONCE = 4.0
"""Requests over those of before that no more people bring within a minute."""
_DETECTED_LATE = 0.25
_BEFORE_FAILURE = timedelta(minutes=3)
"""So long before the failure it must have come: what moves with the failure is a part of it."""


def first_sign(context: RankingContext, change: Change) -> Deviation | None:
    """What moved at once after a change: its service failed first, or does more for a request; else a resource or the traffic.

    Where it calls others more often than it did for the same requests, that is what it does for a request.

    None where something clear moved there before the change: then that was the first sign. What is done for a request is no
    part of a failure, so it tells of the change also where both came together.
    """
    if sign := _failed_first(context, change) or _changed_work(context, change) or _more_calls(context, change):
        return sign
    observed = context.observations
    suspects = dict(context.suspects())
    own = {change.service, *observed.callees(change.service)} & set(suspects)
    clear = [
        deviation
        for (service, _), deviation in observed.all_signals.items()
        if service in own and deviation.onset and deviation.doublings >= context.tuning.confidence.sure
    ]
    first = min(clear, key=lambda deviation: deviation.onset or context.onset, default=None)
    if (
        first is None
        or first.onset is None
        or is_relief(first)
        or brings_demand(first, change)
        or first.family not in ("saturation", "traffic")
    ):
        return None
    if first.family == "traffic" and not _sends_it(context, change.service, first.service):
        return None
    lead = context.onset_of(first.service) - first.onset
    # What fills slowly is seen late: a part of the time that it then took until the failure.
    late = lead * _DETECTED_LATE if first.family == "saturation" else timedelta(0)
    return first if lead >= _BEFORE_FAILURE and follows(first, change, late) else None


def is_first_to_fail(sign: Deviation, change: Change) -> bool:
    """Whether a first sign is the failure of the changed service itself."""
    return sign.service == change.service and sign.family in SYMPTOM_FAMILIES


def _failed_first(context: RankingContext, change: Change) -> Deviation | None:
    """The failure of the changed service, where it began at once after the change and before the alerting service failed."""
    symptom = context.symptom_of(change.service) if change.service != context.start else None
    if symptom is None or symptom.onset is None or symptom.doublings < context.tuning.confidence.sure:
        return None
    ahead = context.onset - symptom.onset >= onset_error(symptom)
    return symptom if context.onset_observed and ahead and follows(symptom, change) else None


def _changed_work(context: RankingContext, change: Change) -> Deviation | None:
    """What the changed service calls, asks or tries more often for a request since then."""
    clear = (
        deviation
        for (service, _), deviation in context.observations.all_signals.items()
        if (service, deviation.family) == (change.service, "behaviour")
        and deviation.doublings >= context.tuning.confidence.sure
    )
    return next((deviation for deviation in clear if not deviation.peer and follows(deviation, change)), None)


def _more_calls(context: RankingContext, change: Change) -> Deviation | None:
    """The requests of what it calls, risen at once after the change, while it is asked itself as before.

    None where another caller is asked more often too. Where it is not known how often it is asked itself, it is asked as
    before if many times as many requests came at once: people come by and by.
    """
    own, most = context.observations.rates.get(change.service), context.tuning.traffic.risen
    if own and not own.before / most <= own.after <= most * own.before:
        return None
    most = most if own else max(most, _TIMES_AT_ONCE)
    for callee in context.observations.callees(change.service):
        rise = context.observations.rates.get(callee)
        clear = rise and rise.doublings >= context.tuning.confidence.sure and rise.after > most * rise.before
        if rise and clear and follows(rise, change) and _others_as_before(context, callee, change.service):
            return rise
    return None


def _sends_it(context: RankingContext, caller: str, callee: str) -> bool:
    """Whether more traffic of a service is a caller's: its own requests are others', and so may those of a shared store be."""
    return caller != callee and _others_as_before(context, callee, caller)


def _others_as_before(context: RankingContext, callee: str, caller: str) -> bool:
    """Whether all other callers are measured, and none is asked more often: of the others nobody can say so."""
    rates = (context.observations.rates.get(other) for other in context.observations.callers(callee) if other != caller)
    return all(rate is not None and not (rate.doublings > 0 and rate.direction == "up") for rate in rates)


def follows(deviation: Deviation, change: Change, late: timedelta = timedelta(0)) -> bool:
    """Whether it moved at once after the change, or so late; where nothing was measured as it moved, it may have."""
    if deviation.onset is None:
        return False
    latest = change.at + max(late, _AT_ONCE + timedelta(seconds=deviation.step))
    return change.at - ONSET_TOLERANCE <= deviation.onset and (deviation.not_before or deviation.onset) <= latest


def first_sign_claim(context: RankingContext, change: Change, sign: Deviation) -> Claim:
    """What moved first, and how long before the failure."""
    onset = sign.onset or context.onset
    since = clock_of_onset(onset, sign.not_before)
    ahead = context.onset_of(sign.service) - onset
    before = f" and {duration_text(ahead)} before {sign.service} failed" if ahead > ONSET_TOLERANCE else ""
    text = f"{sign.service} {sign.signal} moved {since}, with {short_change_text(change)}{before}"
    evidence = [context.observations.id_of(sign), context.observations.change_evidence[change.id]]
    return Claim(text=one_line(text, 400), evidence=evidence)
