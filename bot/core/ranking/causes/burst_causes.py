"""What a burst of alerts adds to the ranked causes: the components it points at where metrics could not be checked."""

import math
from collections.abc import Sequence, Set
from datetime import datetime

from bot.core.evidence import CauseKind, Claim, LedgerEntry
from bot.core.ranking.alert_burst import Burst
from bot.core.ranking.burst_ranking import ComponentRank, rank_burst
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.context import RankingContext, placed_services
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_RESOURCES = ("disk", "memory", "cpu")
_MAX_CLAIMS = 3
_LEAST_KINDS = 2


def with_burst(
    candidates: Sequence[Candidate], context: RankingContext, ledger: Sequence[LedgerEntry], *, started_at: datetime
) -> list[Candidate]:
    """The candidates with what the newest list of alerts says of where the burst began, the likeliest first.

    A component whose service could not be measured becomes a candidate with likelihood 0.35 x its share of the best one's
    bits. A cause that metrics show gains 0.3 x that share. A burst of one component alone says nothing. Beside a cause
    that measurements carry, a component that only fires alerts is an effect until a check says otherwise, and no candidate.
    """
    newest = next(((e.evidence.facts.burst, e.id) for e in reversed(ledger) if e.evidence.ok and e.evidence.facts.burst), None)
    if newest is None:
        return list(candidates)
    fact, evidence = newest
    burst, weights = Burst.of_fact(fact), context.tuning.burst_causes
    ranks = rank_burst(burst, started_at=started_at, weights=context.tuning.burst)
    if len({f.component for f in burst.firings}) < 2:
        return list(candidates)
    health_evidence = context.observations.health_evidence
    measured = [c for c in candidates if not _rests_on_its_alert(c, context)]
    if burst.bursts >= weights.enough_bursts:
        _support(measured, ranks, weights.support)
    carried = any(c.sure and c.likelihood >= weights.carried for c in measured)
    unmeasured = [] if carried else [r for r in ranks if r.place.service not in health_evidence]
    rarity_known = burst.bursts >= weights.enough_bursts
    further = {name for entry in ledger for name in entry.evidence.facts.further} if context.graph_known else set()
    unmeasured = [rank for rank in unmeasured if _may_concern(rank, further, context, rarity_known=rarity_known)]
    candidates = [*measured, *(_candidate(rank, burst, evidence, context) for rank in unmeasured)]
    if unmeasured and unmeasured[0] is ranks[0]:
        candidates[len(measured)].burst_distance = _distance(ranks, context.tuning.burst.most_bits) if rarity_known else 0.0
    return sorted(candidates, key=lambda c: -c.likelihood)


def _rests_on_its_alert(candidate: Candidate, context: RankingContext) -> bool:
    """True for a service known by its firing alert alone: the burst ranks these among each other."""
    return candidate.kind in ("dependency", "unknown") and candidate.service not in context.observations.health_evidence


def _may_concern(rank: ComponentRank, further: Set[str], context: RankingContext, *, rarity_known: bool) -> bool:
    """Whether a component may be the cause here: what is known to call or be called (`further` by others), a pod, or a host.

    What merely fires at the same time is no cause of a service without any tie to it, nor is its one alert its own. Before a
    few bursts nobody knows what is rare: of single alerts the first is no more than the first, where metrics can tell more.
    """
    service, several = rank.place.service, rank.kinds > 1 or rarity_known
    if context.alerts_alone and (context.graph_known or context.on_strange_host):
        return several and (not service or (service == context.start and rank.kinds > 1))
    if context.graph_known and service:
        return service == context.start or service in placed_services(context.observations) | further
    measured = context.start in context.observations.health_evidence
    return several or rank.place.level == "pod" or (rank.place.level == "host" and not measured)


def _support(measured: Sequence[Candidate], ranks: Sequence[ComponentRank], support: float) -> None:
    share: dict[str, float] = {}
    for rank in ranks:
        share.setdefault(rank.place.service, rank.share)
    for candidate in measured:
        candidate.likelihood = min(1.0, candidate.likelihood * (1 + support * share.get(candidate.service, 0.0)))


def _candidate(rank: ComponentRank, burst: Burst, evidence: str, context: RankingContext) -> Candidate:
    place, first, weights = rank.place, rank.firings[0], context.tuning.burst_causes
    part = {"pod": f"(a pod of {place.service})" if place.service else "(a pod)", "host": "(a host)"}.get(place.level, "")
    name = f"{one_line(place.name, 80)} {one_line(part, 90)}".rstrip()
    return Candidate(
        kind=_kind(rank, context),
        service=place.service,
        component="" if place.name == place.service else place.name,
        likelihood=weights.likelihood * rank.share,
        cause=f"The burst of alerts points at {name}: {one_line(first.shown, 80)}",
        claims=[_firing_claim(rank, number, burst, evidence) for number in range(min(_MAX_CLAIMS, len(rank.firings)))],
        check=f"What changed on {name} before {clock(first.at)}, and what do its metrics and logs show from then on?",
        strength=weights.doublings,
        sure=False,
    )


def _distance(ranks: Sequence[ComponentRank], chance: float) -> float:
    """How far the first component lies ahead of the next other service's, in standard deviations of their bits.

    (a - b) / sqrt(a + b + chance): bits of surprise add up alert by alert like counts, so chance moves a sum by about its root:
    8 bits are far ahead of 4, and 44 of 40 are not. It moves the smallest sum by `chance`, the bits of one rare alert. A
    service and its pods are one place. One kind of alert alone is no lead, however rare it is.
    """
    first = ranks[0]
    if first.kinds < _LEAST_KINDS:
        return 0.0
    rival = next((r.surprise_bits for r in ranks[1:] if _place_of(r) != _place_of(first)), ranks[-1].surprise_bits)
    return (first.surprise_bits - rival) / math.sqrt(first.surprise_bits + rival + chance)


def _place_of(rank: ComponentRank) -> str:
    return rank.place.service or rank.place.name


def _kind(rank: ComponentRank, context: RankingContext) -> CauseKind:
    if rank.firings[0].kind in _RESOURCES:
        return "resource"
    return "dependency" if rank.place.service != context.start else "unknown"


def _firing_claim(rank: ComponentRank, number: int, burst: Burst, evidence: str) -> Claim:
    firing = rank.firings[number]
    often = f", as in {firing.earlier_here} of {burst.bursts} earlier alert groups" if firing.earlier_here else ""
    if burst.bursts and not firing.earlier_here:
        often = f", and in none of {burst.bursts} earlier alert groups"
    where = one_line(firing.component, 80)
    return Claim(
        text=one_line(f"{where}: {one_line(firing.shown, 160)} at {clock(firing.at)}{often}", 400), evidence=[evidence]
    )
