"""Ranks the causes of one incident from its evidence, without a model: all that the analyst concludes, a pure function."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.core.changes.jumps import moves_with_any_rollout
from bot.core.changes.recency import ONSET_TOLERANCE, begins_after_report
from bot.core.evidence import (
    LEAD_ONLY,
    Basis,
    Case,
    CauseKind,
    Claim,
    Findings,
    GradedLead,
    Hypothesis,
    Lead,
    LedgerEntry,
    missed,
)
from bot.core.metrics.signal_names import RATE
from bot.core.ranking.calibration import probability_of
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.causes.burst_causes import with_burst
from bot.core.ranking.causes.node_causes import node_causes, stolen_time_causes
from bot.core.ranking.causes.outside_causes import outside_causes
from bot.core.ranking.causes.outside_or_changed import weigh_against_changes
from bot.core.ranking.causes.provider_causes import external_causes
from bot.core.ranking.causes.service_causes import behaviour_causes, network_causes, resource_causes, unexplained_causes
from bot.core.ranking.causes.traffic_causes import traffic_causes
from bot.core.ranking.changes.change_causes import change_causes
from bot.core.ranking.changes.changed_neighbours import changed_nearby, changed_shortly_before, hand_down
from bot.core.ranking.changes.exoneration import ruled_out
from bot.core.ranking.changes.first_signs import follows
from bot.core.ranking.changes.jumps import is_relief
from bot.core.ranking.context import RankingContext, onset_error, ranking_context
from bot.core.ranking.earlier_outage import SUDDEN, began_before, something_new, was_likely_before, weigh_against_earlier_outage
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.reported_start import weigh_reported_start
from bot.core.service import reachable
from bot.core.text.untrusted import counted, cut, one_line
from bot.core.tuning import TUNING, Tuning

_MAX_CAUSES = 4
_PLACES: frozenset[CauseKind] = frozenset({"dependency", "unknown"})
"""Kinds of cause that name a place and no reason."""
_MAX_OF_ONE_SERVICE = 2
_SHORT = re.compile(r"wait|throttl|fault|gc|evict|retr(y|ies)|err|fail|reject|time.?out|drop|refus", re.I)
"""What is counted where something runs short."""


def rank(
    case: Case,
    ledger: Sequence[LedgerEntry],
    *,
    now: datetime,
    tuning: Tuning = TUNING,
    observations: Observations | None = None,
) -> Findings:
    """Findings from the facts of the ledger, the likeliest cause first.

    The fault is located (`core/ranking/fault_location`) as shares of the services; on each suspect service changes,
    resources, providers and traffic compete, each with likelihood = share x fit (0 to 1). "likely" needs a place that lies
    so far ahead that 94 of 100 such leads were right (`core/ranking/calibration`), a lead over the other causes at this
    place, a clear deviation (`Tuning.confidence`), and a check of everything that the service at fault depends on.
    No deviation anywhere is a result ("nothing looks wrong"), not a guess, unless lines name a cause outside or are explained
    by the diff of a change. `observations` is what the ledger holds, where
    it was read before.
    """
    observations = observations or observe(ledger, alert=case.alert_name)
    context = hand_down(ranking_context(case, observations, now, tuning))
    failed = missed(ledger)
    listed = _without_repetition(_candidates(context))
    if context.start in observations.health_evidence and not any(observations.signals.values()):
        listed = [cause for cause in listed if cause.explained or cause.outside]
        if not listed:
            return Findings(note=_all_normal(observations, failed), not_checked=failed, ruled_out=ruled_out(context, ()))
    candidates = with_burst(listed, context, ledger, started_at=case.started_at)[:_MAX_CAUSES]
    weigh_reported_start(candidates, context)
    lead = lead_of(candidates, context, case.graded_leads)
    hypotheses = [_hypothesis(c, i, candidates, context, failed, lead) for i, c in enumerate(candidates)]
    named = [c for c, h in zip(candidates, hypotheses, strict=True) if h.confidence in ("likely", "possible")]
    # What nothing but time tells from a cause that is named is not cleared either.
    accused = [id for cause in named for id in (cause.change_id, *cause.rivals)]
    return Findings(
        hypotheses=hypotheses,
        ruled_out=ruled_out(context, accused),
        not_checked=failed,
        lead=lead,
        onset=context.onset if context.onset_observed else None,
        note=_note(hypotheses),
    )


def lead_of(ranked: Sequence[Candidate], context: RankingContext, graded: Sequence[GradedLead] = ()) -> Lead | None:
    """How far the first candidate's place lies ahead of the next one, and how often such leads are right."""
    if not ranked:
        return None
    first, basis, distance = ranked[0], _basis(ranked[0]), ranked[0].burst_distance
    if distance is None:
        distance = _doublings_ahead(first, context)
    distance = round(distance, 3)
    return Lead(basis=basis, distance=distance, probability=probability_of(distance, basis, graded, first.kind))


def _doublings_ahead(candidate: Candidate, context: RankingContext) -> float:
    """How far its service lies ahead of the next: by the signs that located it, or else by what the cause rests on."""
    weights, total = context.tuning.signs, sum(context.doublings.values())
    if candidate.kind == "traffic":
        # What fails behind a surge is explained by it, and no rival.
        return weights.resource * candidate.strength
    own = total * context.shares.get(candidate.service, 0.0)
    next_one = total * max((share for service, share in context.shares.items() if service != candidate.service), default=0.0)
    if own <= weights.least_strength:
        own = weights.resource * candidate.strength * context.shares.get(candidate.service, 0.0)
    return own - next_one


def _basis(candidate: Candidate) -> Basis:
    return "measured" if candidate.burst_distance is None else "burst"


def _candidates(context: RankingContext) -> list[Candidate]:
    line_causes = outside_causes(context)
    outside = [*line_causes, *node_causes(context), *stolen_time_causes(context)]
    # What ran out may be what a change used up, whenever that was made.
    named_outside = any(not (cause.leads_only and cause.kind == "resource") for cause in outside)
    changes = change_causes(context, outside=named_outside)
    weigh_against_changes(line_causes, changes, context)
    surges = traffic_causes(context, changes)
    surge = max((c.likelihood for c in surges), default=0.0)
    providers = external_causes(context, changes)
    causes = changes + surges + providers + resource_causes(context, changes + providers, surge)
    causes += outside + network_causes(context) + behaviour_causes(context) + unexplained_causes(context)
    weigh_against_earlier_outage(causes, context)
    # Where no alert names a service, the service comes first and what is wrong with it second.
    order = {c.service: 0.0 if context.service_named else -context.shares.get(c.service, 0.0) for c in causes}
    thresholds = context.tuning.confidence
    least = thresholds.listed if context.service_named else thresholds.listed_anywhere
    listed = (c for c in causes if c.likelihood >= least)
    return sorted(listed, key=lambda c: (order[c.service], -c.likelihood, c.kind, c.service, c.change_id))


def _without_repetition(ordered: Sequence[Candidate]) -> list[Candidate]:
    """One resource and one provider a service, two causes, and no "nothing shows why" where a better reason stands."""
    distinct: list[Candidate] = []
    for candidate in ordered:
        same = [c for c in distinct if c.service == candidate.service]
        if candidate.kind in ("dependency", "unknown") and same and not candidate.sure:
            continue
        if any(_both_outside(c, candidate) and c.check == candidate.check for c in same):
            continue
        if any(c.kind == candidate.kind == "resource" for c in same) or len(same) >= _MAX_OF_ONE_SERVICE:
            continue
        distinct.append(candidate)
    return distinct


def _hypothesis(
    candidate: Candidate,
    rank: int,
    ranked: Sequence[Candidate],
    context: RankingContext,
    failed: Sequence[str],
    lead: Lead | None,
) -> Hypothesis:
    sure = rank == 0 and lead is not None and _is_likely(ranked, context, lead)
    possible = candidate.likelihood >= context.tuning.confidence.possible and not _untied(candidate, context)
    return Hypothesis(
        cause=cut(candidate.cause, 300),
        service=candidate.service[:120],
        component=candidate.component[:120],
        kind=candidate.kind,
        change_id=candidate.change_id[:200],
        commit=candidate.commit[:64],
        confidence="likely" if sure else "possible" if possible else "unlikely",
        likelihood=round(min(1.0, max(0.0, candidate.likelihood)), 3),
        claims=_unique(candidate.claims)[:6],
        against=_unique(candidate.against)[:6],
        not_checked=[*_ties_not_known(candidate, context), *_failed_at(candidate.service, failed)][:8],
        check=cut(candidate.check, 300),
    )


def _ties_not_known(candidate: Candidate, context: RankingContext) -> list[str]:
    if not _untied(candidate, context):
        return []
    return [one_line(f"whether {context.host or context.start} depends on {candidate.service}: nothing ties them", 300)]


def _failed_at(service: str, failed: Sequence[str]) -> list[str]:
    return [one_line(text, 300) for text in failed if service and service in text]


def _unique(claims: Sequence[Claim]) -> list[Claim]:
    return list({claim.text: claim for claim in claims}.values())


def _is_likely(ranked: Sequence[Candidate], context: RankingContext, lead: Lead) -> bool:
    """Whether the first cause is likely: its place by calibration, and of the causes at this place it by its own evidence.

    A service that fails says no more than that, so where it lies is all that has to be sure, and not since when. What lies
    within its limit is a lead.
    """
    thresholds, first = context.tuning.confidence, ranked[0]
    if _untied(first, context) or begins_after_report(first.began or context.onset_of(first.service), context.reported_at):
        return False
    by_own_diff = _explained_by_its_diff_alone(ranked)
    if lead.probability < thresholds.likely and not by_own_diff and not _alone_in_its_version(ranked, context):
        return False
    if lead.basis == "burst":
        return True
    place = first.kind in _PLACES
    # Code that surely explains new lines needs no moment besides.
    timed = place or context.onset_observed or (first.explained and first.sure)
    if _unchecked_dependencies(first, context) or not timed or _left_by_earlier_outage(first, ranked, context):
        return False
    rivals = [c for c in ranked[1:] if _competes(c, first) and not _agree(c, first)]
    # Beside a diff that surely explains it, the moment of another change says nothing, nor what ran short of it.
    rivals = [c for c in rivals if not (by_own_diff and (c.leads_only or (c.kind == "change" and not c.explained)))]
    rival = max((c.likelihood for c in rivals), default=0.0)
    margin = thresholds.likely_margin if first.explained and first.sure else thresholds.likely_margin_unexplained
    clear = first.likelihood >= margin * rival
    if first.kind == "change" and not first.carried and _named_below(first, ranked, context):
        return False
    if place and _signs_elsewhere(first, context):
        return False
    # A service that was changed, or whose neighbour was, minutes before rather fails by that: nothing else was seen to fail it.
    failing = place and first.strength > 0 and not _may_be_a_change(first, context) and _has_neighbours(first, context)
    # What it is short of, or does otherwise than usual, then rather follows from that; not what lines say to be used up.
    if first.kind in ("resource", "unknown") and not first.outside and changed_shortly_before(context, first.service):
        return False
    if first.kind == "resource" and not first.outside and _does_more(first, context):
        return False
    return clear and (failing or (first.sure and (by_own_diff or first.strength >= thresholds.sure)))


def _untied(candidate: Candidate, context: RankingContext) -> bool:
    """Whether nothing that was recorded ties the alerting service to the one that the cause names."""
    if not context.alerts_alone or candidate.service in ("", context.start if context.service_named else ""):
        return False
    # Where nobody knows any calls, a burst of alerts is all that tells what belongs together.
    return context.graph_known or candidate.service in context.observations.health_evidence


def _named_below(change: Candidate, ranked: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether lines of what a changed service depends on name a cause outside: that hurts the service as well.

    What a callee cannot process or has used up may be its caller's doing.
    """
    below = reachable(change.service, context.observations.depends_on).keys() - {change.service}
    outside = (cause for cause in ranked if cause.outside and cause.kind == "external" and not cause.leads_only)
    return any(cause.service in below for cause in outside)


def _signs_elsewhere(place: Candidate, context: RankingContext) -> bool:
    """Whether something clear moved on another service with a change, before the failure: that may follow from it."""
    return any(
        deviation.onset is not None
        and deviation.doublings >= context.tuning.confidence.sure
        and context.onset - deviation.onset > onset_error(deviation)
        and not is_relief(deviation)
        and not moves_with_any_rollout(deviation.signal)
        and any(follows(deviation, change) for change in context.observations.changes.values())
        for (service, _), deviation in context.observations.all_signals.items()
        if service != place.service
    )


def _does_more(short: Candidate, context: RankingContext) -> bool:
    """Whether a service does clearly more since then, or since before: what it is short of may follow from that."""
    rates = (
        deviation
        for (service, name), deviation in context.observations.all_signals.items()
        if service == short.service
        and RATE.search(name)
        and not _SHORT.search(name)
        and deviation.family not in ("errors", "latency")
    )
    began = (short.began or context.onset) + ONSET_TOLERANCE
    return any(
        rate.direction == "up" and rate.doublings >= context.tuning.confidence.sure and rate.onset and rate.onset <= began
        for rate in rates
    )


def _may_be_a_change(place: Candidate, context: RankingContext) -> bool:
    """Whether a failing place was changed shortly before, itself or next to it; at all, where nobody saw since when."""
    changes = context.observations.changes.values()
    changed = any(change.service == place.service and change.at <= context.onset for change in changes)
    return changed_nearby(context, place.service) or (changed and not context.onset_observed)


def _competes(cause: Candidate, first: Candidate) -> bool:
    """Whether a further cause is a rival: one at the same place; of what is no change any change, which may have brought it."""
    return cause.service == first.service or (cause.kind == "change" and first.kind != "change")


def _agree(cause: Candidate, first: Candidate) -> bool:
    """Whether a further cause speaks for the first: both lie outside, or it says where a change was, and no reason."""
    return _both_outside(cause, first) or (first.kind == "change" and cause.kind in _PLACES)


def _both_outside(cause: Candidate, other: Candidate) -> bool:
    """Whether both say that somebody outside fails: names that are not resolved and calls that fail speak for each other."""
    return cause.kind == other.kind == "external"


def _explained_by_its_diff_alone(ranked: Sequence[Candidate]) -> bool:
    """Whether the diff of the first cause surely explains what is seen, and nothing else is explained or said by lines.

    Then it says itself where the fault lies, however far the signals lie apart: who breaks a message is not who reads it.
    """
    others = any((cause.outside and not cause.leads_only) or cause.explained for cause in ranked[1:])
    return ranked[0].explained and ranked[0].sure and not others


def _alone_in_its_version(ranked: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether, beside an outage that runs on, what the alert's service rests on fails in the version of a change alone.

    The version before has all that the other outage brings, and does not fail. Not where another service has such a version.
    """
    first = ranked[0]
    since = context.overlap_began_at is not None and first.began is not None and not began_before(first, context)
    own = since and first.carried and first.service in {context.start, *context.below}
    return own and not any(cause.carried for cause in ranked[1:])


def _has_neighbours(candidate: Candidate, context: RankingContext) -> bool:
    """Whether anybody is known that the service calls or is called by: else only it was looked at, and it leads nothing."""
    observations = context.observations
    return bool(observations.depends_on.get(candidate.service) or observations.dependents.get(candidate.service)) or any(
        candidate.service in callees for callees in observations.depends_on.values()
    )


def _left_by_earlier_outage(candidate: Candidate, ranked: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether a cause was there well before the group was about something new, and was not its likely cause by then.

    Between two outages that overlap or follow closely nothing returns to normal: what the first one left is still seen.
    A resource may run out slowly, so it may have begun before; a version that alone fails, and logged lines, are seen now.
    Where something new shows itself beside it, the likely cause of before is no more than a lead; also where what alerts now
    fails only since, or in another way, while that outage runs on: why it did not fail so before is not known.
    """
    if was_likely_before(candidate, context):
        since = context.overlap_began_at is not None and context.fails_otherwise_since(context.start)
        return since or something_new(ranked, context)
    if context.earlier is None or candidate.kind not in SUDDEN or candidate.carried or candidate.outside:
        return False
    return candidate.began is None or context.belongs_to_earlier_outage(candidate.began)


def _unchecked_dependencies(candidate: Candidate, context: RankingContext) -> list[str]:
    """Direct dependencies of the service at fault that could not be checked: the cause may lie there."""
    observations = context.observations
    return [c for c in observations.depends_on.get(candidate.service, ()) if c not in observations.health_evidence]


def _all_normal(observations: Observations, failed: Sequence[str]) -> str:
    signals, services = counted(len(observations.all_signals), "signal"), counted(len(observations.health_evidence), "service")
    missing = f"; {counted(len(failed), 'check')} failed, so this is not an all-clear" if failed else ""
    return f"{signals} of {services} stayed within the normal range{missing}."


def _note(hypotheses: Sequence[Hypothesis]) -> str:
    """What the causes do not say themselves: each of them has its check."""
    return LEAD_ONLY if hypotheses and hypotheses[0].confidence != "likely" else ""
