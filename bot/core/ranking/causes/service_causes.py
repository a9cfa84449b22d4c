"""Causes within a service: a resource that ran out, time lost on the way to it, unusual behaviour, or nothing that shows."""

from collections.abc import Sequence

from bot.core.evidence import CauseKind, Claim
from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.metrics.signal_names import names_resource
from bot.core.ranking.candidates import Candidate, amount, deviation_claim, logged_failure, share_claim, support
from bot.core.ranking.causes.timing import came_late, changed_since, is_clear, strength
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.earlier_outage import began_before
from bot.core.ranking.fault_location import PILES_UP, exhaustion, is_undone_work, weight_of_resource
from bot.core.ranking.older_outages import older_outage_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.traces.calls import WIRE_TIME

_MAX_OLDER = 2
"""Older outages elsewhere that are named, the worst ones."""


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
    late, scarce = came_late(context, deviation), _limit_known(deviation) or _has_grown(deviation, weights.grown)
    near = exhaustion(deviation, weights)
    weight = weight_of_resource(deviation, weights) * (near if deviation.onset else 1.0)
    fit = weight * (weights.least + weights.growth * strength(context, deviation)) * (weights.late if late else 1.0)
    if is_undone_work(deviation):
        fit *= weights.undone_work
    candidate = Candidate(
        kind="resource",
        service=service,
        likelihood=share * fit * (1 - weights.rival * min(1.0, rival)) * (1 - weights.surge * surge),
        cause=_shortage(context, deviation),
        check=_check_of(context, deviation),
        began=deviation.onset,
        strength=deviation.doublings,
        sure=is_clear(context, deviation)
        and not late
        and not explained
        and near >= 1.0
        and not _climbs_alone(context, deviation)
        and not changed_since(context, deviation)
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
    more = f", and {deviation.signal} fires for it" if _is_alert(context, deviation) else f" and {_more_than_usual(deviation)}"
    candidate.cause = f"{deviation.service} itself {_failure(context, deviation.service)}{more}"
    candidate.check = _check_of_place(context, deviation.service)


def _came_with_failure(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it began as its service clearly began to fail: it may be an effect as well as the cause."""
    symptom = context.symptom_of(deviation.service)
    if symptom is None or not is_clear(context, symptom) or deviation.onset is None:
        return False
    return abs(deviation.onset - context.onset_of(deviation.service)) <= DETECTION_DELAY


def _climbs_alone(context: RankingContext, deviation: Deviation) -> bool:
    """Whether it has climbed since long before, and its service has no symptom: then it may have gone on so for days.

    A disk that is full hurts whoever writes to it now.
    """
    return not deviation.is_full_store and deviation.onset is None and context.symptom_of(deviation.service) is None


def _shortage(context: RankingContext, deviation: Deviation) -> str:
    if "restart" in deviation.signal.lower():
        return f"Containers of {deviation.service} keep restarting"
    if _is_alert(context, deviation):
        return f"{deviation.signal} fires for {deviation.service}"
    if not names_resource(deviation.signal):
        return f"{deviation.signal} of {deviation.service} left its normal range"
    if exhaustion(deviation) < 1.0 or (deviation.direction == "up" and not _limit_known(deviation)):
        return f"{deviation.service} {_more_than_usual(deviation)}"
    verb = "ran low on" if deviation.direction == "down" else "ran out of headroom in"
    return f"{deviation.service} {verb} {deviation.signal}"


def _is_alert(context: RankingContext, deviation: Deviation) -> bool:
    """Whether a signal is the value behind the alert: its name is the alert's, and says nothing that there could be more of."""
    return deviation.signal.casefold() == context.observations.alert.casefold()


def _more_than_usual(deviation: Deviation) -> str:
    return f"shows more {deviation.signal} than usual"


def _limit_known(deviation: Deviation) -> bool:
    return deviation.unit in FULL_SHARE


def _has_grown(deviation: Deviation, least: float) -> bool:
    """Where nobody knows the limit, only a level that is another one says that a resource ran short."""
    return deviation.direction == "down" or not deviation.after < least * deviation.before


def _check_of(context: RankingContext, deviation: Deviation) -> str:
    if not names_resource(deviation.signal):
        return f"What does {deviation.signal} of {deviation.service} measure, and what moves it?"
    resource = f"what {deviation.signal} measures" if _is_alert(context, deviation) else deviation.signal
    return f"Does {deviation.service} recover with more room for {resource} (one pod restarted, or the limit raised)?"


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
            likelihood=share * (weights.network + weights.network_growth * max(0.0, strength(context, deviation))),
            cause=f"Calls to {service} lose their time on the wire, not in {service}",
            check=f"Measure round trip and packet loss between a caller's pod and the pods of {service}",
            strength=max(0.0, deviation.doublings),
            sure=is_clear(context, deviation),
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
    return "is down" if _is_down(context, service) else "fails"


def _itself(context: RankingContext, service: str) -> str:
    through_exporter = service == context.start and context.exporter and _is_down(context, service)
    return f"{service} itself or {context.exporter}, which measures it," if through_exporter else f"{service} itself"


def _is_down(context: RankingContext, service: str) -> bool:
    symptom = context.symptom_of(service)
    return symptom is not None and symptom.shows_down


def _place_kind(context: RankingContext, service: str) -> CauseKind:
    return "dependency" if service != context.start else "unknown"


def _check_of_place(context: RankingContext, service: str) -> str:
    since = clock(context.onset_of(service))
    if _is_down(context, service):
        return f"Does the process of {service} run since {since}: its last lines, how it exited, its host and the way to it?"
    return f"Read the logs and traces of {service} from {since} on"


def _fell_silent(context: RankingContext, service: str) -> list[Claim]:
    """Whose requests fall as a service goes down: what its process measured ends with it."""
    onset = context.onset_of(service)
    traffic = (d for d in context.observations.all_signals.values() if d.family == "traffic" and d.direction == "down")
    ended = [d for d in traffic if d.doublings > 0 and d.onset and abs(d.onset - onset) <= DETECTION_DELAY]
    if not ended or not _is_down(context, service):
        return []
    names = ", ".join(sorted({deviation.service for deviation in ended}))
    first = min(deviation.onset for deviation in ended if deviation.onset)
    text = f"The requests measured of {names} fall with it, from {clock(first)} on"
    evidence = list(dict.fromkeys(context.observations.id_of(deviation) for deviation in ended))
    return [Claim(text=one_line(text, 400), evidence=evidence[:8])]


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
            cause=f"{_itself(context, service)} {_failure(context, service)}, and {why}",
            check=_check_of_place(context, service),
            sure=False,
        )
        support(context, candidate, _fell_silent(context, service), logs=True)
        if service == context.start:
            candidate.against += _older_elsewhere(context)
        causes.append(candidate)
    return causes


def _older_elsewhere(context: RankingContext) -> list[Claim]:
    """What fails longer without a tie to it: nobody may have told that it calls them."""
    older = sorted(context.observations.older.values(), key=lambda deviation: -deviation.doublings)[:_MAX_OLDER]
    texts = (f"{older_outage_text(one, context.onset)}, unless {context.start} rests on {one.service}" for one in older)
    return [Claim(text=text, evidence=[context.observations.id_of(one)]) for text, one in zip(texts, older, strict=True)]
