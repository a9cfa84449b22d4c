"""The alerts' own voice among the causes: which component a burst points at, where metrics could not be looked at."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.evidence import CauseKind, Claim, LedgerEntry
from bot.core.ranking.alert_burst import BURST_WEIGHTS, Burst, BurstWeights, ComponentRank, rank_burst
from bot.core.ranking.context import Candidate, RankingContext
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_WORTH = 0.35
"""Score of the best component: a lead, as much as a service that fails without a reason seen."""
_SUPPORT = 0.3
"""What the burst adds to a cause that metrics show: one channel speaks, the others support it."""
_CARRIED = 0.4
"""Score from which on a cause that is sure may be called likely."""
_ENOUGH_BURSTS = 5
"""Earlier bursts from which on rarity means something beside measurements."""
_RESOURCES = ("disk", "memory", "cpu")
_STRENGTH = 0.5
"""An alert says that a bound was passed, not by how much: never enough for "likely" by itself."""


def with_burst(
    candidates: Sequence[Candidate],
    scene: RankingContext,
    ledger: Sequence[LedgerEntry],
    *,
    started_at: datetime,
    weights: BurstWeights = BURST_WEIGHTS,
) -> list[Candidate]:
    """The candidates with what the newest list of alerts says of where the burst began, the likeliest first.

    A component whose service could not be measured becomes a candidate, score 0.35 x its share of the best one's.
    A cause that metrics show gains 0.3 x its share. A burst of one component alone says nothing. Beside a cause that
    measurements carry, what only fires is an effect until a look says otherwise, and no candidate.
    """
    entry = next((e for e in reversed(ledger) if e.evidence.ok and "burst" in e.evidence.facts), None)
    if entry is None:
        return list(candidates)
    burst = Burst.of_fact(entry.evidence.facts["burst"])
    standings = rank_burst(burst, started_at=started_at, weights=weights)
    if len({f.component for f in burst.firings}) < 2:
        return list(candidates)
    measured = [c for c in candidates if not _stands_in(c, scene)]
    if burst.bursts >= _ENOUGH_BURSTS:
        _support(measured, standings)
    carried = any(c.sure and c.likelihood >= _CARRIED for c in measured)
    unseen = [] if carried else [s for s in standings if s.place.service not in scene.seen.health_evidence]
    found = [*measured, *(_candidate(s, burst, entry.id, scene) for s in unseen)]
    return sorted(found, key=lambda c: -c.likelihood)


def _stands_in(candidate: Candidate, scene: RankingContext) -> bool:
    """True for a service known by its firing alert alone: the burst ranks these among each other."""
    return candidate.kind in ("dependency", "unknown") and candidate.service not in scene.seen.health_evidence


def _support(measured: Sequence[Candidate], standings: Sequence[ComponentRank]) -> None:
    share: dict[str, float] = {}
    for standing in standings:
        share.setdefault(standing.place.service, standing.share)
    for candidate in measured:
        candidate.likelihood = min(1.0, candidate.likelihood * (1 + _SUPPORT * share.get(candidate.service, 0.0)))


def _candidate(standing: ComponentRank, burst: Burst, evidence: str, scene: RankingContext) -> Candidate:
    place, first = standing.place, standing.firings[0]
    part = {"pod": f" (a pod of {place.service})" if place.service else " (a pod)", "host": " (a host)"}.get(place.level, "")
    name = f"{one_line(place.name, 80)}{one_line(part, 90)}"
    return Candidate(
        kind=_kind(standing, scene),
        service=place.service,
        component="" if place.name == place.service else place.name,
        likelihood=_WORTH * standing.share,
        cause=f"The burst of alerts points at {name}: {one_line(first.what, 80)}",
        claims=[_told(standing, place_in_order, burst, evidence) for place_in_order in range(min(3, len(standing.firings)))],
        check=f"What changed on {name} before {clock(first.at)}, and what do its metrics and logs show from then on?",
        strength=_STRENGTH,
        sure=False,
    )


def _kind(standing: ComponentRank, scene: RankingContext) -> CauseKind:
    if standing.firings[0].kind in _RESOURCES:
        return "resource"
    return "dependency" if standing.place.service != scene.start else "unknown"


def _told(standing: ComponentRank, number: int, burst: Burst, evidence: str) -> Claim:
    firing = standing.firings[number]
    often = f", as in {firing.own} of {burst.bursts} earlier alert groups" if burst.bursts else ""
    where = one_line(firing.component, 80)
    return Claim(text=one_line(f"{where}: {one_line(firing.what, 160)} at {clock(firing.at)}{often}", 400), evidence=[evidence])
