"""Ranks the causes of one incident from its evidence, without a model: the analyst's whole opinion, a pure function."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE
from bot.core.evidence import LEAD_ONLY, Case, Claim, Confidence, Findings, Hypothesis, LedgerEntry, missed
from bot.core.metrics.deviation import Family, family_of
from bot.core.ranking.attribution import SYMPTOMS, main_symptom
from bot.core.ranking.burst_causes import with_burst
from bot.core.ranking.causes import (
    behaviour_causes,
    external_causes,
    resource_causes,
    traffic_causes,
    unexplained_causes,
    wire_causes,
)
from bot.core.ranking.change_causes import EVEN, change_causes, version_share
from bot.core.ranking.context import Candidate, RankingContext, amount, named
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.tuning import TUNING, Tuning
from bot.core.ranking.weighing import weigh
from bot.core.service import reachable
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted, cut, one_line

_SHOWN = 4
_LEAST_SCORE = 0.04
_LEAST_LEAD = 0.01
"""Where no alert says which service hurts, blame is spread thin."""
_MOST_OF_ONE_SERVICE = 2
_LIKELY_SCORE = 0.4
_LIKELY_MARGIN = 1.4
"""The first must fit so much better than the next other cause to be called likely."""
_POSSIBLE_SCORE = 0.12
_CLEARED_SHOWN = 4


def rank(
    case: Case, ledger: Sequence[LedgerEntry], *, now: datetime, tuning: Tuning = TUNING, seen: Observations | None = None
) -> Findings:
    """Findings from the facts of the ledger, the likeliest cause first.

    The walk of the service graph shares the blame out (`core/ranking/attribution`); on each blamed service changes, resources,
    providers and traffic compete, each with score = blame x fit (0 to 1). "likely" needs a score of 0.4, 1.4 times
    that of the next other cause, a deviation of at least 1 (twice the normal reach), and a look at everything the
    services at fault depend on. No deviation anywhere is a result ("nothing looks wrong"), not a guess. `seen` is what
    the ledger holds, where it was read before.
    """
    seen = seen or observe(ledger, alert=case.alert_name)
    scene = _scene(case, seen, now, tuning)
    failed = missed(ledger)
    looked_at_start = scene.start in seen.health_evidence
    if looked_at_start and not any(seen.signals.values()):
        return Findings(note=_all_quiet(seen, failed), not_checked=failed, ruled_out=_cleared(scene, []))
    candidates = with_burst(_merged(_candidates(scene)), scene, ledger, started_at=case.started_at, weights=tuning.burst)[
        :_SHOWN
    ]
    hypotheses = [_hypothesis(c, i, candidates, scene, failed) for i, c in enumerate(candidates)]
    return Findings(
        hypotheses=hypotheses,
        ruled_out=_cleared(scene, [h.change_id for h in hypotheses if h.confidence in ("likely", "possible")]),
        not_checked=failed,
        note=_note(hypotheses),
    )


def next_services(case: Case, ledger: Sequence[LedgerEntry]) -> list[str]:
    """Services whose health should be looked at next: what the deviating ones call, and who calls where traffic rose."""
    seen = observe(ledger)
    start = _start(case, seen)
    frontier = [s for s in dict.fromkeys([start, *seen.signals]) if s == start or seen.signals.get(s)]
    wanted = [callee for service in frontier for callee in seen.depends_on.get(service, ())]
    wanted += [caller for s in frontier if "traffic" in seen.signals.get(s, {}) for caller in seen.dependents.get(s, ())]
    return [s for s in dict.fromkeys([*wanted, *seen.services]) if s not in seen.health_evidence]


def calling(ledger: Sequence[LedgerEntry], services: Sequence[str]) -> list[str]:
    """Those of the services that call others and count their own requests: their mix of calls can be looked at."""
    seen = observe(ledger)
    return [s for s in services if seen.depends_on.get(s) and s in seen.rates]


def worth_a_closer_look(
    case: Case, ledger: Sequence[LedgerEntry], *, now: datetime, most: int = 3
) -> list[tuple[str, str, Family]]:
    """(service, signal, family) of the symptoms that carry the most blame: what to break down and to search logs for."""
    seen = observe(ledger, alert=case.alert_name)
    scene = _scene(case, seen, now)
    found: list[tuple[str, str, Family]] = []
    for service, _ in scene.blamed()[:most]:
        signals = seen.signals.get(service, {})
        shown = [main_symptom(signals), signals.get("external")]
        found += [(service, d.signal, d.family) for d in shown if d is not None and service in seen.health_evidence]
    return list(dict.fromkeys(found))


def alibis(case: Case, ledger: Sequence[LedgerEntry], *, now: datetime) -> dict[str, Claim]:
    """The changes around the onset that the evidence clears, by id, with what clears them; the nearest to the onset first."""
    return _alibis(_scene(case, observe(ledger, alert=case.alert_name), now))


def _scene(case: Case, seen: Observations, now: datetime, tuning: Tuning = TUNING) -> RankingContext:
    start = _start(case, seen)
    asked = family_of(case.alert_name) if case.alert_name else None
    asked = asked if asked in SYMPTOMS else None
    blame = weigh(start, seen, named=bool(case.service), asked=asked, worth=tuning.worth, walk=tuning.walk).blame
    signals = seen.signals.get(start, {})
    symptom = main_symptom(signals)
    onsets = [symptom.onset] if symptom and symptom.onset else [d.onset for d in signals.values() if d.onset]
    if not onsets:
        heaviest = sorted(blame, key=lambda s: -blame[s])
        onsets = [d.onset for s in heaviest[:2] for d in seen.signals.get(s, {}).values() if d.onset]
    known = [o for o in onsets if o is not None]
    return RankingContext(seen, blame, start, min(known, default=case.started_at), bool(known), now, bool(case.service))


def _start(case: Case, seen: Observations) -> str:
    """The alerting service; where the alert names none, the one that deviates most."""
    if case.service:
        return case.service
    strongest = sorted(((d.doublings, s) for s, signals in seen.signals.items() for d in signals.values()), reverse=True)
    return strongest[0][1] if strongest else ""


def _candidates(scene: RankingContext) -> list[Candidate]:
    changes = change_causes(scene)
    surges = traffic_causes(scene)
    surge = max((c.likelihood for c in surges), default=0.0)
    providers = external_causes(scene, changes)
    found = changes + surges + providers + resource_causes(scene, changes + providers, surge)
    found += wire_causes(scene) + behaviour_causes(scene) + unexplained_causes(scene)
    # Where no alert says which service hurts, the service comes first and what is wrong with it second.
    place = {c.service: 0.0 if scene.named else -scene.blame.get(c.service, 0.0) for c in found}
    kept = (c for c in found if c.likelihood >= (_LEAST_SCORE if scene.named else _LEAST_LEAD))
    return sorted(kept, key=lambda c: (place[c.service], -c.likelihood, c.kind, c.service, c.change_id))


def _merged(ordered: Sequence[Candidate]) -> list[Candidate]:
    """Without repetition: one resource a service, and no "not seen why" where a better reason stands."""
    kept: list[Candidate] = []
    for candidate in ordered:
        same = [k for k in kept if k.service == candidate.service]
        if candidate.kind in ("dependency", "unknown") and same and not candidate.sure:
            continue
        if any(k.kind == candidate.kind == "resource" for k in same) or len(same) >= _MOST_OF_ONE_SERVICE:
            continue
        kept.append(candidate)
    return kept


def _hypothesis(
    candidate: Candidate, place: int, ranked: Sequence[Candidate], scene: RankingContext, failed: Sequence[str]
) -> Hypothesis:
    rival = ranked[place + 1].likelihood if place + 1 < len(ranked) else 0.0
    return Hypothesis(
        cause=cut(candidate.cause, 300),
        service=candidate.service[:120],
        component=candidate.component[:120],
        kind=candidate.kind,
        change_id=candidate.change_id[:200],
        confidence=_confidence(candidate, place, rival, scene),
        likelihood=round(min(1.0, max(0.0, candidate.likelihood)), 3),
        claims=_unique(candidate.claims)[:6],
        against=_unique(candidate.against)[:6],
        not_checked=[one_line(text, 300) for text in failed if candidate.service and candidate.service in text][:8],
        check=cut(candidate.check, 300),
    )


def _unique(claims: Sequence[Claim]) -> list[Claim]:
    return list({claim.text: claim for claim in claims}.values())


def _confidence(candidate: Candidate, place: int, rival: float, scene: RankingContext) -> Confidence:
    clear = candidate.likelihood >= _LIKELY_SCORE and candidate.likelihood >= _LIKELY_MARGIN * rival
    if (
        place == 0
        and clear
        and candidate.sure
        and candidate.strength >= 1
        and scene.onset_known
        and not _unseen(candidate, scene)
    ):
        return "likely"
    return "possible" if candidate.likelihood >= _POSSIBLE_SCORE else "unlikely"


def _unseen(candidate: Candidate, scene: RankingContext) -> list[str]:
    """Direct dependencies of the service at fault that could not be looked at: the cause may lie there."""
    return [c for c in scene.seen.depends_on.get(candidate.service, ()) if c not in scene.seen.health_evidence]


# What clears a change


def _cleared(scene: RankingContext, accused: Sequence[str]) -> list[Claim]:
    return [claim for id, claim in _alibis(scene).items() if id not in accused][:_CLEARED_SHOWN]


def _alibis(scene: RankingContext) -> dict[str, Claim]:
    near = [c for c in scene.seen.changes.values() if abs(scene.onset - c.at) <= timedelta(hours=2)]
    near.sort(key=lambda c: (abs(scene.onset - c.at), c.id))
    return {change.id: claim for change in near if (claim := _alibi(scene, change))}


def _alibi(scene: RankingContext, change: Change) -> Claim | None:
    seen, evidence = scene.seen, [scene.seen.change_evidence[change.id]]
    what = f"{named(change)} at {clock(change.at)}"
    if scene.onset_known and change.at > scene.onset + ONSET_TOLERANCE:
        symptom = _first_symptom(scene)
        after = duration_text(change.at - scene.onset)
        return _claim(f"{what} came {after} after the onset at {clock(scene.onset)}", [*evidence, *symptom])
    if seen.quiet(change.service):
        return _claim(
            f"{what}: nothing of {change.service} left its normal range", [*evidence, seen.health_evidence[change.service]]
        )
    factor, rows = version_share(seen, change)
    if factor == EVEN and rows:
        mine, other = rows[0]
        levels = f"{amount(mine.after, mine.unit)} and {amount(other.after, other.unit)}"
        return _claim(f"{what}: the versions before and after show the same ({levels})", [*evidence, rows[1]])
    if scene.blame.get(change.service, 0.0) < 0.1 and seen.signals.get(change.service):
        return _handed_down(scene, change, what)
    known = scene.start in seen.graph_evidence
    if known and change.service not in scene.blame and change.service not in reachable(scene.start, seen.depends_on):
        return _claim(
            f"{what}: {scene.start} does not depend on {change.service}", [*evidence, seen.graph_evidence[scene.start]]
        )
    return None


def _handed_down(scene: RankingContext, change: Change, what: str) -> Claim | None:
    """The changed service deviates, but what it depends on explains that."""
    culprit = max(scene.blame, key=lambda s: scene.blame[s])
    theirs = main_symptom(scene.seen.signals.get(culprit, {}))
    mine = main_symptom(scene.seen.signals.get(change.service, {}))
    if theirs is None or mine is None or culprit == change.service:
        return None
    level = amount(theirs.after, theirs.unit)
    text = f"{what}: its {mine.signal} came from {culprit} {theirs.signal} ({level})"
    ids = [scene.seen.change_evidence[change.id], scene.seen.id_of(mine), scene.seen.id_of(theirs)]
    return _claim(text, ids)


def _claim(text: str, evidence: Sequence[str]) -> Claim:
    return Claim(text=one_line(text, 400), evidence=list(dict.fromkeys(evidence))[:8])


def _first_symptom(scene: RankingContext) -> list[str]:
    for signals in scene.seen.signals.values():
        for deviation in signals.values():
            if deviation.onset == scene.onset:
                return [scene.seen.id_of(deviation)]
    return []


# What people should know


def _all_quiet(seen: Observations, failed: Sequence[str]) -> str:
    signals, services = counted(len(seen.all_signals), "signal"), counted(len(seen.health_evidence), "service")
    missing = f"; {counted(len(failed), 'look')} failed, so this is not an all-clear" if failed else ""
    return f"{signals} of {services} stayed within the normal range{missing}."


def _note(hypotheses: Sequence[Hypothesis]) -> str:
    """What the causes do not say themselves: each of them has its check."""
    return LEAD_ONLY if hypotheses and hypotheses[0].confidence != "likely" else ""
