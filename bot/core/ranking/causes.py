"""Causes that are no change: a resource that ran out, an outside provider, too much traffic, or nothing that was seen."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import NEARLY, main_symptom
from bot.core.ranking.context import (
    FOLLOWS,
    Candidate,
    RankingContext,
    amount,
    tell_logs,
    tell_no_change,
    tell_symptoms,
    told,
    told_share,
)
from bot.core.ranking.observations import BreakdownRow, Observations, ObservedBreakdown
from bot.core.ranking.weighing import weight_of_resource
from bot.core.service import reachable
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_ITS_OWN = 0.3
_CARRIED = timedelta(minutes=4)
"""Requests that rose this long before anything failed were carried."""
_NAMES_A_PROVIDER = ("provider", "peer", "host", "upstream", "destination", "target")


def resource_causes(scene: RankingContext, others: Iterable[Candidate], surge: float) -> list[Candidate]:
    """Something ran out on a blamed service; a fitting change or a failing provider there, or a surge, explains it first."""
    found = []
    for service, blame in scene.blamed():
        candidates = [
            d for (s, _), d in scene.seen.all_signals.items() if s == service and d.family == "saturation" and d.doublings > 0
        ]
        rival = max((c.likelihood / blame for c in others if c.service == service), default=0.0)
        for deviation in candidates:
            weight = weight_of_resource(deviation)
            late = deviation.onset is not None and deviation.onset > scene.began(service) + FOLLOWS
            fit = weight * (0.35 + 0.55 * min(1.0, deviation.doublings / 2)) * (0.5 if late else 1.0)
            score = blame * fit * (1 - 0.75 * min(1.0, rival)) * (1 - 0.7 * surge)
            found.append(_resource_cause(scene, service, deviation, score, late))
    return found


def _resource_cause(scene: RankingContext, service: str, deviation: Deviation, score: float, late: bool) -> Candidate:
    candidate = Candidate(
        kind="resource",
        service=service,
        likelihood=score,
        cause=_shortage(deviation),
        check=f"Does {service} recover with more room for {deviation.signal} (one pod restarted, or the limit raised)?",
        strength=deviation.doublings,
        sure=deviation.doublings >= 1 and not late,
    )
    _support(scene, candidate, [told(deviation, scene.seen)], logs=True)
    if late:
        text = f"{deviation.signal} left the normal range at {clock(deviation.onset or scene.onset)}, after the symptoms"
        candidate.against.append(Claim(text=text, evidence=[scene.seen.id_of(deviation)]))
    return candidate


def _shortage(deviation: Deviation) -> str:
    if "restart" in deviation.signal.lower():
        return f"Containers of {deviation.service} keep restarting"
    verb = "ran low on" if deviation.direction == "down" else "ran out of headroom in"
    return f"{deviation.service} {verb} {deviation.signal}"


def external_causes(scene: RankingContext, changes: Iterable[Candidate]) -> list[Candidate]:
    """Calls of a blamed service to somebody outside fail or crawl."""
    found = []
    for service, blame in scene.blamed():
        deviation = scene.seen.signals.get(service, {}).get("external")
        if deviation is None or deviation.direction != "up":
            continue
        rival = max((c.likelihood / blame for c in changes if c.service == service), default=0.0)
        late = deviation.onset is not None and deviation.onset > scene.began(service) + FOLLOWS
        fit = (0.45 + 0.5 * min(1.0, deviation.doublings / 2)) * (0.5 if late else 1.0)
        provider, claim = _provider(scene.seen, service)
        candidate = Candidate(
            kind="external",
            service=service,
            likelihood=blame * fit * (1 - 0.3 * min(1.0, rival)),
            cause=f"{f'The provider {provider}' if provider else 'An outside provider'} that {service} calls is failing",
            check="Read the provider's status page, and call it once from outside",
            strength=deviation.doublings,
            sure=deviation.doublings >= 1 and not late,
        )
        _support(scene, candidate, [told(deviation, scene.seen), *([claim] if claim else [])], logs=True)
        found.append(candidate)
    return found


def _provider(seen: Observations, service: str) -> tuple[str, Claim | None]:
    """The provider whose calls carry the change, from a breakdown by a label that names one."""
    for breakdown in seen.breakdowns:
        row = _carrier(breakdown) if breakdown.service == service else None
        for label, value in row.labels.items() if row else ():
            if row and value and label in _NAMES_A_PROVIDER and value not in seen.depends_on:
                levels = f"from {amount(row.before, row.unit)} to {amount(row.after, row.unit)}"
                text = f"Calls to {one_line(value, 80)} went {levels}"
                return one_line(value, 80), Claim(text=text, evidence=[breakdown.evidence])
    return "", None


def _carrier(breakdown: ObservedBreakdown) -> BreakdownRow | None:
    """The row that holds most of the change; None if it is spread."""
    rising = [r for r in breakdown.rows if r.shift > 0]
    best = max(rising, key=lambda r: r.shift, default=None)
    return best if best and best.shift >= 0.6 * sum(r.shift for r in rising) else None


def traffic_causes(scene: RankingContext) -> list[Candidate]:
    """More requests than a service can carry: on the way of the blame, the one whose traffic grew most, if before it failed.

    It may have handed its own blame on to what it calls: it explains the blame of everything behind it too. A rise
    under callers whose own traffic did not rise is retries, an effect of the fault; one after the symptoms probably is.
    """
    risen = {s: rise for s in scene.blame if (rise := _rise(scene, s)) and rise.after > 1.3 * rise.before}
    if not risen:
        return []
    # Callers first among equals: what reaches the front reaches everything behind it.
    most = max(map(_growth, risen.values()))
    order = list(scene.blame)
    rise = min((r for r in risen.values() if _growth(r) > 0.85 * most), key=lambda r: order.index(r.service))
    late = rise.onset is not None and rise.onset > scene.began(rise.service) + FOLLOWS
    # Carried well for a while, then a failure: the load was not what changed.
    early = rise.onset is not None and rise.onset < _failed_at(scene, rise.service) - _CARRIED - timedelta(seconds=rise.step)
    callers = _callers_looked_at(scene, rise.service)
    supported = not callers or any(_rise(scene, c) for c in callers)
    behind = sum(scene.blame.get(s, 0.0) for s in reachable(rise.service, scene.seen.depends_on) if s in risen)
    fit = (0.4 + 0.55 * min(1.0, rise.doublings / 2)) * min(1.0, math.log2(_growth(rise)) / 0.8)
    candidate = Candidate(
        kind="traffic",
        service=rise.service,
        likelihood=min(1.0, fit * behind * (0.4 if late else 0.2 if early else 1.0) * (1.0 if supported else 0.3)),
        cause=f"More requests than {rise.service} can carry",
        check=f"Which clients or routes bring {rise.service} the extra requests?",
        strength=rise.doublings,
        # One service of many that take the load is what fails: the load may have been carried as well as not.
        sure=rise.doublings >= 1 and not late and not early and supported and scene.blame.get(rise.service, 0.0) >= _ITS_OWN,
    )
    _support(scene, candidate, [told(r, scene.seen) for r in (rise, *(_rise(scene, c) for c in callers[:2])) if r])
    return [candidate]


def _failed_at(scene: RankingContext, service: str) -> datetime:
    """When the service began to fail, or the one that carries most of the blame if that was later."""
    most = max(scene.blame, key=lambda name: scene.blame[name], default=service)
    symptom = main_symptom(scene.seen.signals.get(most, {}))
    onset = symptom.onset if symptom else None
    return max(scene.began(service), onset) if onset else scene.began(service)


def _growth(rise: Deviation) -> float:
    return rise.after / rise.before if rise.before > 0 else 4.0


def _rise(scene: RankingContext, service: str) -> Deviation | None:
    traffic = scene.seen.signals.get(service, {}).get("traffic")
    return traffic if traffic and traffic.direction == "up" and traffic.after > 1.05 * traffic.before else None


def _callers_looked_at(scene: RankingContext, service: str) -> list[str]:
    known = [s for s, callees in scene.seen.depends_on.items() if service in callees]
    callers = dict.fromkeys([*scene.seen.dependents.get(service, ()), *known])
    return [c for c in callers if c in scene.seen.health_evidence]


def wire_causes(scene: RankingContext) -> list[Candidate]:
    """Callers of a blamed service wait longer than it takes: the time is lost on the way to it."""
    found = []
    for service, blame in scene.blamed():
        deviation = scene.seen.signals.get(service, {}).get("network")
        if deviation is None:
            continue
        candidate = Candidate(
            kind="dependency",
            service=service,
            likelihood=blame * (0.5 + 0.4 * min(1.0, deviation.doublings / 2)),
            cause=f"Calls to {service} lose their time on the wire, not in {service}",
            check=f"Measure round trip and packet loss between a caller's pod and the pods of {service}",
            strength=deviation.doublings,
            sure=deviation.doublings >= 1,
        )
        _support(scene, candidate, [told(deviation, scene.seen)])
        found.append(candidate)
    return found


def behaviour_causes(scene: RankingContext) -> list[Candidate]:
    """A blamed service logs or calls another mix than it usually does."""
    found = []
    for service, blame in scene.blamed():
        signs = [d for (s, _), d in scene.seen.all_signals.items() if s == service and d.family == "behaviour"]
        deviation = max(signs, key=lambda d: d.doublings, default=None)
        if deviation is None or deviation.doublings <= (0 if scene.named else NEARLY):
            continue
        candidate = Candidate(
            kind="unknown",
            service=service,
            likelihood=blame * (0.5 + 0.4 * min(1.0, max(0.0, deviation.doublings))),
            cause=f"{service} logs or calls something else than usual",
            check=f"Read what {service} logs around {clock(scene.onset)}, and the code behind the lines that are new or gone",
            strength=max(0.0, deviation.doublings),
            sure=deviation.doublings > 0,
        )
        _support(scene, candidate, [told_share(deviation, scene.seen)])
        found.append(candidate)
    return found


def unexplained_causes(scene: RankingContext) -> list[Candidate]:
    """A service fails and nothing that was looked at says why: a lead, never more than possible."""
    found = []
    for service, blame in scene.blamed():
        signals = scene.seen.signals.get(service, {})
        if not signals:
            continue
        candidate = Candidate(
            kind="dependency" if service != scene.start else "unknown",
            service=service,
            likelihood=0.35 * blame,
            cause=f"{service} itself fails, and nothing that was looked at shows why",
            check=f"Read the logs and traces of {service} from {clock(scene.began(service))} on",
            sure=False,
        )
        _support(scene, candidate, [], logs=True)
        found.append(candidate)
    return found


def _support(scene: RankingContext, candidate: Candidate, claims: Iterable[Claim], *, logs: bool = False) -> None:
    """What carries a cause: its own claims first, then the symptoms, that no change fits and, if asked, the logs."""
    candidate.claims += claims
    tell_symptoms(scene, candidate.service, candidate)
    tell_no_change(scene, candidate.service, candidate)
    if logs:
        tell_logs(scene, candidate.service, candidate)
