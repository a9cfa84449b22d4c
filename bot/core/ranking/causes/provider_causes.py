"""An outside provider as a cause: calls of a suspect service to somebody outside fail or are slow."""

import re
from collections.abc import Iterable

from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import Candidate, amount, deviation_claim, support
from bot.core.ranking.causes.outside_hosts import failing_hosts, service_of_line
from bot.core.ranking.causes.timing import came_late, is_clear, strength
from bot.core.ranking.changes.code_evidence import symptoms_of
from bot.core.ranking.context import RankingContext
from bot.core.ranking.observations import BreakdownRow, Observations, ObservedBreakdown, ObservedTemplate
from bot.core.text.untrusted import one_line

_REFUSES = re.compile(
    r"\b(400|401|403|404|415|422|429)\b|rate.?limit|throttl|unauthori[sz]ed|forbidden|bad request|"
    r"invalid (api.?key|request|token)|x509|\bcertificate (has |is )?(expired|required|revoked|unknown)|bad certificate",
    re.I,
)
"""What a provider answers that refuses what it is sent, or so much of it."""
_FAILS = re.compile(r"\b5\d\d\b|timed? ?out|timeout|unavailable|connection (refused|reset)", re.I)
_CALLS_A_REQUEST = 5.0
_SLOWER = 1.5
_PROVIDER_LABELS = ("provider", "peer", "host", "upstream", "destination", "target")


def external_causes(context: RankingContext, changes: Iterable[Candidate]) -> list[Candidate]:
    """Calls of a suspect service to somebody outside fail or are slow."""
    causes, weights = [], context.tuning.providers
    for service, share in context.suspects():
        deviation = context.observations.signals.get(service, {}).get("external")
        if deviation is None or deviation.direction != "up":
            continue
        rival = max((c.likelihood / share for c in changes if c.service == service), default=0.0)
        late = came_late(context, deviation)
        fit = (weights.least + weights.growth * strength(context, deviation)) * (weights.late if late else 1.0)
        provider, claim = _provider(context.observations, service, weights.named_from) or _named_in_lines(context, service)
        refusal = _refusal(context.observations, service)
        candidate = Candidate(
            kind="external",
            service=service,
            likelihood=share * fit * (1 - weights.rival * min(1.0, rival)) * _large_enough(context, deviation),
            cause=f"{f'The provider {provider}' if provider else 'An outside provider'} that {service} calls is failing",
            check="Read the provider's status page, and call it once from outside",
            strength=deviation.doublings,
            began=deviation.onset,
            sure=is_clear(context, deviation) and not late and refusal is None and not _is_a_little_slower(deviation),
        )
        if refusal:
            candidate.likelihood *= weights.refusing
            text = f"{service} logs {one_line(refusal.example or refusal.text, 200)}: the provider answers, and refuses"
            candidate.against.append(Claim(text=one_line(text, 400), evidence=[refusal.evidence]))
        claims = [deviation_claim(deviation, context.observations), *([claim] if claim else [])]
        support(context, candidate, claims, logs=True)
        causes.append(candidate)
    return causes


def _is_a_little_slower(calls: Deviation) -> bool:
    """Whether calls take somewhat longer than usual, which nobody fails of."""
    return not _is_share(calls) and 0 < calls.before < calls.after < _SLOWER * calls.before


def _large_enough(context: RankingContext, calls: Deviation) -> float:
    """1 where so many calls fail as the alerting service's failures need; less the fewer they are.

    A request may make several calls, of which one that fails is enough.
    """
    symptom = context.symptom_of(context.start)
    if symptom is None or symptom.family != "errors" or not (_is_share(calls) and _is_share(symptom)):
        return 1.0
    needed = symptom.after - symptom.before
    return min(1.0, _CALLS_A_REQUEST * (calls.after - calls.before) / needed) if needed > 0 else 1.0


def _is_share(deviation: Deviation) -> bool:
    return deviation.unit == "ratio"


def _refusal(observations: Observations, service: str) -> ObservedTemplate | None:
    """A new line of a service that tells of an answer which blames the request; None beside lines of a failing provider."""
    new = [template for template in observations.templates if template.service == service and template.trend == "new"]
    if any(_FAILS.search(template.example or template.text) for template in new):
        return None
    return next((template for template in new if _REFUSES.search(template.example or template.text)), None)


def _provider(observations: Observations, service: str, named_from: float) -> tuple[str, Claim] | None:
    """The provider whose calls hold most of the change, from a breakdown by a label that names one."""
    for breakdown in observations.breakdowns:
        row = _largest_row(breakdown, named_from) if breakdown.service == service else None
        for label, value in row.labels.items() if row else ():
            if row and value and label in _PROVIDER_LABELS and value not in observations.depends_on:
                levels = f"from {amount(row.before, row.unit)} to {amount(row.after, row.unit)}"
                text = f"Calls to {one_line(value, 80)} went {levels}"
                return one_line(value, 80), Claim(text=text, evidence=[breakdown.evidence])
    return None


def _named_in_lines(context: RankingContext, service: str) -> tuple[str, Claim | None]:
    """The one host outside that the service's lines of failing calls name; "" where they name several, or none."""
    symptoms = symptoms_of(context.observations, context.summary)
    hosts = {
        host: own
        for host, lines in failing_hosts(context, symptoms).items()
        if (own := [line for line in lines if line.log and service_of_line(context, line) == service])
    }
    if len(hosts) != 1:
        return "", None
    ((host, (line, *_)),) = hosts.items()
    text = f"{service} logs {one_line(line.text, 240)}"
    return one_line(host, 80), Claim(text=one_line(text, 400), evidence=[line.evidence])


def _largest_row(breakdown: ObservedBreakdown, least: float) -> BreakdownRow | None:
    """The row that holds most of the change; None if the change is spread."""
    rising = [r for r in breakdown.rows if r.shift > 0]
    best = max(rising, key=lambda r: r.shift, default=None)
    return best if best and best.shift >= least * sum(r.shift for r in rising) else None
