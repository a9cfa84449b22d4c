"""Causes that are no change: a resource that ran out, an outside provider, too much traffic, or nothing that was observed."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.core.evidence import CauseKind, Claim
from bot.core.metrics.deviation import FULL_SHARE, Deviation, names_resource
from bot.core.ranking.candidates import Candidate, amount, deviation_claim, logged_failure, share_claim, support
from bot.core.ranking.changes.changed_neighbours import changed_shortly_before
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.fault_location import PILES_UP, exhaustion, is_undone_work, weight_of_resource
from bot.core.ranking.observations import BreakdownRow, Observations, ObservedBreakdown, ObservedTemplate
from bot.core.ranking.outage_beside import began_before
from bot.core.service import reachable
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.traces.calls import WIRE_TIME

_REFUSES = re.compile(
    r"\b(400|401|403|404|415|422|429)\b|rate.?limit|throttl|unauthori[sz]ed|forbidden|bad request|"
    r"invalid (api.?key|request|token)|x509|\bcertificate (has |is )?(expired|required|revoked|unknown)|bad certificate",
    re.I,
)
"""What a provider answers that refuses what it is sent, or so much of it."""
_FAILS = re.compile(r"\b5\d\d\b|timed? ?out|timeout|unavailable|connection (refused|reset)", re.I)
_PROVIDER_LABELS = ("provider", "peer", "host", "upstream", "destination", "target")


def resource_causes(context: RankingContext, others: Sequence[Candidate], surge: float) -> list[Candidate]:
    """Something ran out on a suspect service. A change or a failing provider there, or a surge, explains it first.

    So does a change whose diff explains the trouble, since which this has climbed, or with which something jumped. Where a diff
    may explain it, what ran out is not sure: it may be how that shows.
    """
    causes, least = [], context.tuning.confidence.possible
    explained = any(c.explained and c.likelihood >= least and not began_before(c, context) for c in others)
    for service, share in context.suspects():
        rivals = (c.likelihood / share for c in others if service in (c.service, c.climbs_at) or c.explained or c.jumped)
        rival = max(rivals, default=0.0)
        short = _short_resources(context, service)
        causes += [_resource_cause(context, d, share, rival, surge, explained=explained) for d in short]
    return causes


def _short_resources(context: RankingContext, service: str) -> list[Deviation]:
    moved = context.observations.moved_resources(service)
    # Less of something than before, of which nobody knows whether it can run short, is how a service fails.
    return [d for d in moved if d.direction == "up" or names_resource(d.signal)]


def _resource_cause(
    context: RankingContext, deviation: Deviation, share: float, rival: float, surge: float, *, explained: bool
) -> Candidate:
    service, weights = deviation.service, context.tuning.resources
    late, scarce = _came_late(context, deviation), _limit_known(deviation) or _has_grown(deviation, weights.grown)
    near = exhaustion(deviation, weights)
    weight = weight_of_resource(deviation, weights) * (near if deviation.onset else 1.0)
    fit = weight * (weights.least + weights.growth * _strength(context, deviation)) * (weights.late if late else 1.0)
    if is_undone_work(deviation):
        fit *= weights.undone_work
    candidate = Candidate(
        kind="resource",
        service=service,
        likelihood=share * fit * (1 - weights.rival * min(1.0, rival)) * (1 - weights.surge * surge),
        cause=_shortage(deviation),
        check=_check_of(deviation),
        began=deviation.onset,
        strength=deviation.doublings,
        sure=_clear(context, deviation)
        and not late
        and not explained
        and near >= 1.0
        and not _climbs_alone(context, deviation)
        and not _changed_since(context, deviation)
        and not PILES_UP.search(deviation.signal)
        # A name that says nothing of what it measures may be that of the symptom itself.
        and names_resource(deviation.signal)
        and scarce,
    )
    if not scarce and _came_with_failure(context, deviation):
        _say_where_alone(context, candidate, deviation)
    support(context, candidate, [deviation_claim(deviation, context.observations)], logs=True)
    if near < 1.0:
        text = f"{deviation.signal} stands at {amount(deviation.after, deviation.unit)} of its limit: it is not exhausted"
        candidate.against.append(Claim(text=text, evidence=[context.observations.id_of(deviation)]))
    if late:
        text = f"{deviation.signal} left the normal range at {clock(deviation.onset or context.onset)}, after the symptoms"
        candidate.against.append(Claim(text=text, evidence=[context.observations.id_of(deviation)]))
    return candidate


def _say_where_alone(context: RankingContext, candidate: Candidate, deviation: Deviation) -> None:
    """A little more of what nobody knows the limit of, since the service fails, says where the fault lies and not why."""
    candidate.kind = _place_kind(context, deviation.service)
    candidate.cause = f"{deviation.service} itself {_failure(context, deviation.service)} and {_more_than_usual(deviation)}"
    candidate.check = _check_of_place(context, deviation.service)


def _came_with_failure(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it began as its service clearly began to fail: it may be an effect as well as the cause."""
    symptom = context.symptom_of(deviation.service)
    if symptom is None or not _clear(context, symptom) or deviation.onset is None:
        return False
    return abs(deviation.onset - context.onset_of(deviation.service)) <= DETECTION_DELAY


def _came_late(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it deviates only since its service had symptoms, in the present outage: then it is rather an effect."""
    if deviation.onset is None:
        return False
    began = context.onset_of(deviation.service)
    if context.began_beside and context.is_of_outage_before(began):
        own = context.symptom_of(deviation.service)
        since = own.onset if own and own.onset and not context.is_of_outage_before(own.onset) else context.began_beside
        began = max(began, since)
    return deviation.onset > began + DETECTION_DELAY


def _climbs_alone(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it has climbed since long before, and its service has no symptom: then it may have gone on so for days.

    A disk that is full hurts whoever writes to it now.
    """
    return not deviation.is_full_store and deviation.onset is None and context.symptom_of(deviation.service) is None


def _strength(context: RankingContext, deviation: Deviation) -> float:
    return min(1.0, deviation.doublings / context.tuning.other_causes.full_strength)


def _clear(context: RankingContext, deviation: Deviation) -> bool:
    return deviation.doublings >= context.tuning.confidence.sure


def _shortage(deviation: Deviation) -> str:
    if "restart" in deviation.signal.lower():
        return f"Containers of {deviation.service} keep restarting"
    if not names_resource(deviation.signal):
        return f"{deviation.signal} of {deviation.service} left its normal range"
    if exhaustion(deviation) < 1.0 or (deviation.direction == "up" and not _limit_known(deviation)):
        return f"{deviation.service} {_more_than_usual(deviation)}"
    verb = "ran low on" if deviation.direction == "down" else "ran out of headroom in"
    return f"{deviation.service} {verb} {deviation.signal}"


def _more_than_usual(deviation: Deviation) -> str:
    return f"shows more {deviation.signal} than usual"


def _limit_known(deviation: Deviation) -> bool:
    return deviation.unit in FULL_SHARE


def _has_grown(deviation: Deviation, least: float) -> bool:
    """Where nobody knows the limit, only a level that is another one says that a resource ran short."""
    return deviation.direction == "down" or not deviation.after < least * deviation.before


def _check_of(deviation: Deviation) -> str:
    if not names_resource(deviation.signal):
        return f"What does {deviation.signal} of {deviation.service} measure, and what moves it?"
    return f"Does {deviation.service} recover with more room for {deviation.signal} (one pod restarted, or the limit raised)?"


def external_causes(context: RankingContext, changes: Iterable[Candidate]) -> list[Candidate]:
    """Calls of a suspect service to somebody outside fail or are slow."""
    causes, weights = [], context.tuning.providers
    for service, share in context.suspects():
        deviation = context.observations.signals.get(service, {}).get("external")
        if deviation is None or deviation.direction != "up":
            continue
        rival = max((c.likelihood / share for c in changes if c.service == service), default=0.0)
        late = _came_late(context, deviation)
        fit = (weights.least + weights.growth * _strength(context, deviation)) * (weights.late if late else 1.0)
        provider, claim = _provider(context.observations, service, weights.named_from)
        refusal = _refusal(context.observations, service)
        candidate = Candidate(
            kind="external",
            service=service,
            likelihood=share * fit * (1 - weights.rival * min(1.0, rival)),
            cause=f"{f'The provider {provider}' if provider else 'An outside provider'} that {service} calls is failing",
            check="Read the provider's status page, and call it once from outside",
            strength=deviation.doublings,
            began=deviation.onset,
            sure=_clear(context, deviation) and not late and refusal is None,
        )
        if refusal:
            candidate.likelihood *= weights.refusing
            text = f"{service} logs {one_line(refusal.example or refusal.text, 200)}: the provider answers, and refuses"
            candidate.against.append(Claim(text=one_line(text, 400), evidence=[refusal.evidence]))
        claims = [deviation_claim(deviation, context.observations), *([claim] if claim else [])]
        support(context, candidate, claims, logs=True)
        causes.append(candidate)
    return causes


def _refusal(observations: Observations, service: str) -> ObservedTemplate | None:
    """A new line of a service that tells of an answer which blames the request; None beside lines of a failing provider."""
    new = [template for template in observations.templates if template.service == service and template.trend == "new"]
    if any(_FAILS.search(template.example or template.text) for template in new):
        return None
    return next((template for template in new if _REFUSES.search(template.example or template.text)), None)


def _provider(observations: Observations, service: str, named_from: float) -> tuple[str, Claim | None]:
    """The provider whose calls hold most of the change, from a breakdown by a label that names one."""
    for breakdown in observations.breakdowns:
        row = _largest_row(breakdown, named_from) if breakdown.service == service else None
        for label, value in row.labels.items() if row else ():
            if row and value and label in _PROVIDER_LABELS and value not in observations.depends_on:
                levels = f"from {amount(row.before, row.unit)} to {amount(row.after, row.unit)}"
                text = f"Calls to {one_line(value, 80)} went {levels}"
                return one_line(value, 80), Claim(text=text, evidence=[breakdown.evidence])
    return "", None


def _largest_row(breakdown: ObservedBreakdown, least: float) -> BreakdownRow | None:
    """The row that holds most of the change; None if the change is spread."""
    rising = [r for r in breakdown.rows if r.shift > 0]
    best = max(rising, key=lambda r: r.shift, default=None)
    return best if best and best.shift >= least * sum(r.shift for r in rising) else None


def traffic_causes(context: RankingContext, changes: Iterable[Candidate] = ()) -> list[Candidate]:
    """More requests than a service can carry: of the attributed services the one whose traffic grew most, if before it failed.

    What it calls may hold its share: it explains the shares of everything behind it too. A rise under callers whose own
    traffic did not rise is retries, an effect of the fault; one after the symptoms probably is. Of `changes` one there or on
    a caller whose diff explains the trouble explains the rise first.
    """
    weights = context.tuning.traffic
    risen = {s: rise for s in context.shares if (rise := context.traffic_rise(s)) and rise.after > weights.risen * rise.before}
    if not risen:
        return []
    rise = _front_rise(context, risen)
    late = _came_late(context, rise) or (rise.onset is not None and rise.onset > _failed_at(context, rise.service))
    early = _was_carried(context, rise)
    callers = _measured_callers(context, rise.service)
    supported = not callers or any(context.traffic_rise(c) for c in callers)
    behind = sum(context.shares.get(s, 0.0) for s in reachable(rise.service, context.observations.depends_on) if s in risen)
    timing = weights.late if late else weights.early if early else 1.0
    explained = any(change.explained and change.service in (rise.service, *callers) for change in changes)
    support_factor = (1.0 if supported else weights.without_callers) * (weights.explained if explained else 1.0)
    candidate = Candidate(
        kind="traffic",
        service=rise.service,
        likelihood=min(1.0, _traffic_fit(context, rise) * behind * timing * support_factor),
        cause=f"More requests than {rise.service} can carry",
        check=f"Which clients or routes bring {rise.service} the extra requests?",
        strength=rise.doublings,
        began=rise.onset,
        # One service of many that take the load is what fails: the load may have been carried as well as not.
        sure=_clear(context, rise)
        and not late
        and not early
        and supported
        and not explained
        # Without a caller that sends more, what was changed there just before may have clients come again and again.
        and (any(context.traffic_rise(c) for c in callers) or not changed_shortly_before(context, rise.service))
        and context.shares.get(rise.service, 0.0) >= weights.own_share,
    )
    rises = (rise, *(context.traffic_rise(c) for c in callers[:2]))
    support(context, candidate, [deviation_claim(r, context.observations) for r in rises if r])
    return [candidate]


def _was_carried(context: RankingContext, rise: Deviation) -> bool:
    """Carried well for a while, or until the service was changed, then a failure: the load was not what changed."""
    if rise.onset is None:
        return False
    carried = timedelta(seconds=context.tuning.traffic.carried_for + rise.step)
    return rise.onset < _failed_at(context, rise.service) - carried or _changed_since(context, rise)


def _changed_since(context: RankingContext, deviation: Deviation) -> bool:
    """Whether the service stood a deviation until it was changed, and failed after that."""
    if deviation.onset is None:
        return False
    since, failed = deviation.onset + timedelta(seconds=deviation.step), _failed_at(context, deviation.service)
    changes = context.observations.changes.values()
    return any(change.service == deviation.service and since < change.at <= failed for change in changes)


def _front_rise(context: RankingContext, risen: dict[str, Deviation]) -> Deviation:
    """The rise nearest to the front among those that grew about equally: what reaches it reaches everything behind it."""
    most = max(_growth(context, rise) for rise in risen.values())
    order = list(context.shares)
    steep = (r for r in risen.values() if _growth(context, r) >= context.tuning.traffic.nearly_most * most)
    return min(steep, key=lambda r: order.index(r.service))


def _traffic_fit(context: RankingContext, rise: Deviation) -> float:
    weights = context.tuning.traffic
    fit = weights.least + weights.growth * _strength(context, rise)
    return fit * min(1.0, math.log2(_growth(context, rise)) / weights.full_growth)


def _failed_at(context: RankingContext, service: str) -> datetime:
    """When the service began to fail, or the one with the largest share if that was later."""
    largest = max(context.shares, key=lambda name: context.shares[name], default=service)
    symptom = context.symptom_of(largest)
    onset = symptom.onset if symptom else None
    return max(context.onset_of(service), onset) if onset else context.onset_of(service)


def _growth(context: RankingContext, rise: Deviation) -> float:
    return rise.after / rise.before if rise.before > 0 else context.tuning.traffic.from_nothing


def _measured_callers(context: RankingContext, service: str) -> list[str]:
    """Its callers whose own requests are known: of the others nobody can say that they did not rise."""
    return [caller for caller in context.observations.callers(service) if caller in context.observations.rates]


def network_causes(context: RankingContext) -> list[Candidate]:
    """Callers of a suspect service wait longer than it takes: the time is lost on the way to it."""
    causes, weights = [], context.tuning.other_causes
    for service, share in context.suspects():
        deviation = context.observations.signals.get(service, {}).get("network") or _waits_within_limit(context, service)
        if deviation is None:
            continue
        candidate = Candidate(
            kind="dependency",
            service=service,
            likelihood=share * (weights.network + weights.network_growth * max(0.0, _strength(context, deviation))),
            cause=f"Calls to {service} lose their time on the wire, not in {service}",
            check=f"Measure round trip and packet loss between a caller's pod and the pods of {service}",
            strength=max(0.0, deviation.doublings),
            sure=_clear(context, deviation),
        )
        support(context, candidate, [deviation_claim(deviation, context.observations)])
        causes.append(candidate)
    return causes


def _waits_within_limit(context: RankingContext, service: str) -> Deviation | None:
    """What spans say of waits that are not beyond chance: a lead where no alert names a service."""
    waits = context.observations.all_signals.get((service, WIRE_TIME))
    least = context.tuning.attribution.nearly_normal
    return waits if waits and waits.doublings > least and not context.service_named else None


def behaviour_causes(context: RankingContext) -> list[Candidate]:
    """A suspect service logs or calls another mix than it usually does."""
    causes, weights = [], context.tuning.other_causes
    least = 0.0 if context.service_named else context.tuning.signs.usual_lines
    for service, share in context.suspects():
        signals = context.observations.all_signals.items()
        signs = [d for (s, _), d in signals if s == service and d.family == "behaviour"]
        deviation = max(signs, key=lambda d: d.doublings, default=None)
        if deviation is None or deviation.doublings <= least:
            continue
        candidate = Candidate(
            kind="unknown",
            service=service,
            likelihood=share * (weights.behaviour + weights.behaviour_growth * min(1.0, max(0.0, deviation.doublings))),
            cause=f"{service} logs or calls something else than usual",
            check=f"Read what {service} logs around {clock(context.onset)}, and the code behind the lines that are new or gone",
            strength=max(0.0, deviation.doublings),
            sure=deviation.doublings > 0,
        )
        support(context, candidate, [share_claim(deviation, context.observations)])
        causes.append(candidate)
    return causes


def _failure(context: RankingContext, service: str) -> str:
    symptom = context.symptom_of(service)
    return "is down" if symptom is not None and symptom.shows_down else "fails"


def _place_kind(context: RankingContext, service: str) -> CauseKind:
    return "dependency" if service != context.start else "unknown"


def _check_of_place(context: RankingContext, service: str) -> str:
    return f"Read the logs and traces of {service} from {clock(context.onset_of(service))} on"


def unexplained_causes(context: RankingContext) -> list[Candidate]:
    """A service fails and nothing that was checked says why: a lead, never more than possible."""
    causes = []
    for service, share in context.suspects():
        # A resource that is used more is a cause of its own, and no failure.
        if not set(context.observations.signals.get(service, ())) - {"saturation"}:
            continue
        why = logged_failure(context, service) or "nothing that was checked shows why"
        candidate = Candidate(
            kind=_place_kind(context, service),
            service=service,
            likelihood=context.tuning.other_causes.unexplained * share,
            cause=f"{service} itself {_failure(context, service)}, and {why}",
            check=_check_of_place(context, service),
            sure=False,
        )
        support(context, candidate, [], logs=True)
        causes.append(candidate)
    return causes
