"""An outage that began while an earlier one ran on, or soon after: its cause is no news where something new shows."""

from collections.abc import Sequence

from bot.core.evidence import CauseKind
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.context import DETECTION_DELAY, RankingContext

SUDDEN: frozenset[CauseKind] = frozenset({"change", "traffic", "external"})
"""Kinds of cause that are there from one moment to the next."""


def weigh_against_earlier_outage(causes: Sequence[Candidate], context: RankingContext) -> None:
    """Count what clearly began since for more, and then for less what was the likely cause of the outage before, or may be.

    Where that one runs on, most of what the alerting service shows had begun with it, so it has nearly all of the attribution.
    A change that another cause took the place of by then counts for less as well, if no version shows it now.
    """
    weights = context.tuning.changes
    superseded = context.earlier.superseded if context.earlier else ()
    for cause in causes:
        if cause.change_id in superseded and not cause.carried:
            cause.likelihood *= weights.of_outage_before
        clear = cause.strength >= context.tuning.confidence.sure
        if cause.kind != "change" and clear and _began_since(cause, context):
            cause.likelihood = max(cause.likelihood, weights.beside_share)
    if something_new(causes, context) or _broke_since(causes, context):
        for cause in causes:
            if was_likely_before(cause, context) or _is_unrelated_to_alert(cause, context):
                cause.likelihood *= weights.of_outage_before


def was_likely_before(cause: Candidate, context: RankingContext) -> bool:
    """Whether this was the likely cause of the outage before."""
    return context.earlier is not None and (cause.kind, cause.service, cause.change_id) == context.earlier.likely


def _is_unrelated_to_alert(cause: Candidate, context: RankingContext) -> bool:
    """Whether a cause began with the outage before, on a service that what alerts now does not rest on."""
    return began_before(cause, context) and cause.service not in context.below


def began_before(cause: Candidate, context: RankingContext) -> bool:
    """Whether a cause is known to have begun with the outage before."""
    return cause.began is not None and context.belongs_to_earlier_outage(cause.began)


def something_new(causes: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether a possible cause on the alerting service, or on what it depends on, began while the outage before ran on."""
    least = context.tuning.confidence.possible
    return any(cause.likelihood >= least and _began_since(cause, context) for cause in causes)


def _began_since(cause: Candidate, context: RankingContext) -> bool:
    if context.earlier is None or context.overlap_began_at is None or cause.began is None:
        return False
    if cause.kind not in SUDDEN and not _ran_out_by_itself(cause, context):
        return False
    if cause.service not in context.below or was_likely_before(cause, context):
        return False
    return not context.belongs_to_earlier_outage(cause.began) and cause.began <= context.overlap_began_at + DETECTION_DELAY


def _ran_out_by_itself(cause: Candidate, context: RankingContext) -> bool:
    """Whether a resource surely ran out, and neither more requests are the reason nor the outage before.

    Nothing that its service calls fails slowly since then: pools and queues of who waits for it fill up.
    """
    rise, least = context.traffic_rise(cause.service), context.tuning.traffic.risen
    if rise and rise.after > least * rise.before and not (rise.onset and cause.began and rise.onset > cause.began):
        return False
    waited_for = {callee for callee in context.resting_on(cause.service) - {cause.service} if _may_be_slow(callee, context)}
    symptoms = filter(None, map(context.symptom_of, waited_for))
    hurt = any(symptom.onset is None or context.belongs_to_earlier_outage(symptom.onset) for symptom in symptoms)
    before = context.earlier.likely[1] if context.earlier and context.earlier.likely else ""
    return cause.kind == "resource" and cause.sure and not hurt and before not in waited_for


def _may_be_slow(service: str, context: RankingContext) -> bool:
    """Whether who calls it may wait for it: what fails as fast as ever fills nobody's pools, and what hangs shows no errors."""
    latency, symptom = context.observations.comparable.get(service, {}).get("latency"), context.symptom_of(service)
    return latency is None or latency.doublings > 0 or symptom is None or symptom.family != "errors"


def _broke_since(causes: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether the outage before is over, and since then something surely broke that explains the present one.

    What brought the one before may still stand there, as a deploy does that nobody took back. That its own service runs short
    again may well be its doing.
    """
    earlier = context.earlier
    if earlier is None or earlier.recovered_at is None or earlier.runs_on:
        return False
    own = earlier.likely[1] if earlier.likely else ""
    return any(
        cause.sure
        and cause.strength >= context.tuning.confidence.sure
        and cause.service in context.below - {own}
        and cause.began is not None
        and not context.belongs_to_earlier_outage(cause.began)
        for cause in causes
        if not was_likely_before(cause, context)
    )
