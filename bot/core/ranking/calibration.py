"""Confidence that was measured: how often causes that lay so far ahead of the next one were right.

The answer is a tail share, as conformal selection takes it: of all leads at least so far ahead, the share that was right.
`calibration_table` holds it for public incidents (`python -m tests.evaluation calibration`): of the shares of all origins
the lowest, so that it holds on each of them. The leads whose cause the team confirmed correct it: those of other kinds of
causes first, then those of the same kind, so that a kind of which the team saw enough is judged by what became of it there.
"""

from collections.abc import Iterable, Sequence

from bot.core.evidence import Basis, CauseKind, GradedLead
from bot.core.ranking.calibration_table import TABLE

Step = tuple[float, float]
"""A distance and the share of leads at least so far ahead that was right."""

FEWEST = 10
"""Leads that an origin has to have to be heard."""
PRIOR_WEIGHT = 10.0
"""What is known already counts like so many of the team's own leads: public incidents, then its leads of other kinds."""


def probability_of(distance: float, basis: Basis, graded: Sequence[GradedLead] = (), kind: CauseKind | None = None) -> float:
    """The share of right places among leads at least so far ahead: in public incidents, corrected by the team's own.

    `kind` is the kind of the cause that leads. A lead never becomes less probable with its distance: what the team's own
    leads say of nearer ones holds for it too.
    """
    own = [lead for lead in graded if lead.basis == basis]
    nearer = [lead.distance for lead in own if lead.distance < distance]
    return max(_corrected(step, basis, own, kind) for step in (distance, *nearer))


def _corrected(distance: float, basis: Basis, own: Sequence[GradedLead], kind: CauseKind | None) -> float:
    public = max((share for least, share in TABLE[basis] if least <= distance), default=0.0)
    tail = [lead for lead in own if lead.distance >= distance]
    others = _share([lead.right for lead in tail if lead.kind != kind], public)
    return round(_share([lead.right for lead in tail if lead.kind == kind], others), 4)


def _share(rights: Sequence[bool], prior: float) -> float:
    return (PRIOR_WEIGHT * prior + sum(rights)) / (PRIOR_WEIGHT + len(rights))


def fitted(leads: Iterable[tuple[str, float, bool]]) -> list[Step]:
    """Steps from (origin, distance, right): at each distance the lowest of the origins' tail shares, never falling."""
    by_origin: dict[str, list[tuple[float, bool]]] = {}
    for origin, distance, right in leads:
        by_origin.setdefault(origin, []).append((distance, right))
    tails = [_tail_shares(own) for own in by_origin.values() if len(own) >= FEWEST]
    steps: list[Step] = []
    for distance in sorted({distance for tail in tails for distance, _ in tail}):
        share = min(_at_best(tail, distance) for tail in tails)
        if not steps or share > steps[-1][1]:
            steps.append((distance, share))
    return steps


def _tail_shares(leads: Sequence[tuple[float, bool]]) -> list[Step]:
    tail = {least: [right for distance, right in leads if distance >= least] for least, _ in leads}
    return sorted((least, sum(rights) / len(rights)) for least, rights in tail.items())


def _at_best(tail: Sequence[Step], distance: float) -> float:
    """The highest share of a tail that begins no farther out; all leads of an origin may lie farther out."""
    return max((share for least, share in tail if least <= distance), default=tail[0][1])
