"""Ranks the causes of one incident from its evidence, without a model: all that the analyst concludes, a pure function."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.evidence import LEAD_ONLY, Case, Claim, Confidence, Findings, Hypothesis, LedgerEntry, missed
from bot.core.ranking.burst_causes import with_burst
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.causes import (
    behaviour_causes,
    external_causes,
    network_causes,
    resource_causes,
    traffic_causes,
    unexplained_causes,
)
from bot.core.ranking.changes.change_causes import change_causes
from bot.core.ranking.changes.changed_neighbours import hand_down
from bot.core.ranking.changes.exoneration import ruled_out
from bot.core.ranking.context import RankingContext, ranking_context
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.outside_causes import outside_causes
from bot.core.text.untrusted import counted, cut, one_line
from bot.core.tuning import TUNING, Tuning

_MAX_CAUSES = 4
_MAX_OF_ONE_SERVICE = 2


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
    resources, providers and traffic compete, each with likelihood = share x fit (0 to 1). "likely" needs a high
    likelihood, a lead over the next other cause, a clear deviation (`Tuning.confidence`), and a check of everything that the
    services at fault depend on. No deviation anywhere is a result ("nothing looks wrong"), not a guess. `observations` is
    what the ledger holds, where it was read before.
    """
    observations = observations or observe(ledger, alert=case.alert_name)
    context = hand_down(ranking_context(case, observations, now, tuning))
    failed = missed(ledger)
    if context.start in observations.health_evidence and not any(observations.signals.values()):
        return Findings(note=_all_normal(observations, failed), not_checked=failed, ruled_out=ruled_out(context, ()))
    listed = _without_repetition(_candidates(context))
    candidates = with_burst(listed, context, ledger, started_at=case.started_at)[:_MAX_CAUSES]
    hypotheses = [_hypothesis(c, i, candidates, context, failed) for i, c in enumerate(candidates)]
    accused = [h.change_id for h in hypotheses if h.confidence in ("likely", "possible")]
    return Findings(
        hypotheses=hypotheses,
        ruled_out=ruled_out(context, accused),
        not_checked=failed,
        note=_note(hypotheses),
    )


def _candidates(context: RankingContext) -> list[Candidate]:
    outside = outside_causes(context)
    changes = change_causes(context, outside=bool(outside))
    surges = traffic_causes(context)
    surge = max((c.likelihood for c in surges), default=0.0)
    providers = external_causes(context, changes)
    causes = changes + surges + providers + resource_causes(context, changes + providers, surge)
    causes += outside + network_causes(context) + behaviour_causes(context) + unexplained_causes(context)
    # Where no alert names a service, the service comes first and what is wrong with it second.
    order = {c.service: 0.0 if context.service_named else -context.shares.get(c.service, 0.0) for c in causes}
    thresholds = context.tuning.confidence
    least = thresholds.listed if context.service_named else thresholds.listed_anywhere
    listed = (c for c in causes if c.likelihood >= least)
    return sorted(listed, key=lambda c: (order[c.service], -c.likelihood, c.kind, c.service, c.change_id))


def _without_repetition(ordered: Sequence[Candidate]) -> list[Candidate]:
    """One resource a service, two causes a service, and no "nothing shows why" where a better reason stands."""
    distinct: list[Candidate] = []
    for candidate in ordered:
        same = [c for c in distinct if c.service == candidate.service]
        if candidate.kind in ("dependency", "unknown") and same and not candidate.sure:
            continue
        if any(c.kind == candidate.kind == "resource" for c in same) or len(same) >= _MAX_OF_ONE_SERVICE:
            continue
        distinct.append(candidate)
    return distinct


def _hypothesis(
    candidate: Candidate, rank: int, ranked: Sequence[Candidate], context: RankingContext, failed: Sequence[str]
) -> Hypothesis:
    rival = ranked[rank + 1].likelihood if rank + 1 < len(ranked) else 0.0
    return Hypothesis(
        cause=cut(candidate.cause, 300),
        service=candidate.service[:120],
        component=candidate.component[:120],
        kind=candidate.kind,
        change_id=candidate.change_id[:200],
        commit=candidate.commit[:64],
        confidence=_confidence(candidate, rank, rival, context),
        likelihood=round(min(1.0, max(0.0, candidate.likelihood)), 3),
        claims=_unique(candidate.claims)[:6],
        against=_unique(candidate.against)[:6],
        not_checked=[one_line(text, 300) for text in failed if candidate.service and candidate.service in text][:8],
        check=cut(candidate.check, 300),
    )


def _unique(claims: Sequence[Claim]) -> list[Claim]:
    return list({claim.text: claim for claim in claims}.values())


def _confidence(candidate: Candidate, rank: int, rival: float, context: RankingContext) -> Confidence:
    thresholds = context.tuning.confidence
    clear = candidate.likelihood >= thresholds.likely and candidate.likelihood >= thresholds.likely_margin * rival
    if (
        rank == 0
        and clear
        and candidate.sure
        and candidate.strength >= thresholds.sure
        and context.onset_observed
        and not _unchecked_dependencies(candidate, context)
    ):
        return "likely"
    return "possible" if candidate.likelihood >= thresholds.possible else "unlikely"


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
