"""One possible cause with its claims, and the sentences in which observations become claims."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.change import Change, kind_in_words
from bot.core.diffs.symptoms.request_text import reports_failure
from bot.core.evidence import CauseKind, Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.context import RankingContext
from bot.core.ranking.observations import Observations, ObservedTemplate
from bot.core.text.figures import figure
from bot.core.text.moments import clock_of_onset
from bot.core.text.untrusted import one_line

_MAX_CLAIMS_BEFORE_LOGS = 6
_NOTICED = 0.05
"""Share of its usual time that a slower answer is noticed from."""


@dataclass
class Candidate:
    """One possible cause; its `likelihood`, 0 to 1, is the service's share of the attribution times how well it fits."""

    kind: CauseKind
    service: str
    likelihood: float
    cause: str
    claims: list[Claim] = field(default_factory=list)
    against: list[Claim] = field(default_factory=list)
    check: str = ""
    """What a person can do to confirm it."""
    change_id: str = ""
    commit: str = ""
    """The commit at fault, where the change brought several."""
    carried: bool = False
    """Whether its version alone shows the symptom."""
    jumped: bool = False
    """Of a change: something of its service jumped with it."""
    climbs_at: str = ""
    """Of a change: the service of which a resource has climbed since; "" if none does."""
    cleared: bool = False
    """Of a change: whether other versions show the symptom too, or its code has nothing to do with it."""
    explained: bool = False
    """Whether its diff explains the symptom."""
    outside: bool = False
    """Whether lines name a cause outside the team's own code."""
    leads_only: bool = False
    """Of a cause outside: whether only the alert's own words name it, which its author wrote before anything failed, or what a
    change may bring about as well."""
    rivals: tuple[str, ...] = ()
    """Other changes that nothing but time tells apart from it."""
    component: str = ""
    """The pod or host, where the cause is narrower than the service or no service's."""
    strength: float = 0.0
    """Doublings beyond normal of the strongest deviation it rests on."""
    burst_distance: float | None = None
    """Of the component that a burst of alerts points at most: how far it lies ahead, in standard deviations; else None."""
    began: datetime | None = None
    """When the change was made, or what it rests on left its range; None where that is not known."""
    sure: bool = True
    """False where the observations do not tell it apart from its rivals, however well it fits."""


def amount(value: float, unit: str = "") -> str:
    """As people read it aloud (`40.6 %`, `350 ms`), in figures that `core/verdict/figures` finds again in the evidence."""
    return "unknown" if math.isnan(value) else figure(value, unit)


def deviation_claim(deviation: Deviation, observations: Observations) -> Claim:
    """One deviation as a claim."""
    since = f" {clock_of_onset(deviation.onset, deviation.not_before)}" if deviation.onset else ""
    if math.isnan(deviation.after):
        text = f"{deviation.service}: {deviation.signal} fires{since}"
    else:
        moved = "rose" if deviation.after >= deviation.before else "fell"
        text = f"{deviation.service} {deviation.signal} {moved} {_levels(deviation)}{since}"
    return Claim(text=one_line(text, 400), evidence=[observations.id_of(deviation)])


def is_negligible(deviation: Deviation) -> bool:
    """Whether its levels read alike before and after, or a time that nobody would notice was added: no change to tell."""
    if deviation.family == "latency" and abs(deviation.shift) < _NOTICED * abs(deviation.before):
        return True
    return amount(deviation.before, deviation.unit) == amount(deviation.after, deviation.unit) != "unknown"


def share_claim(deviation: Deviation, observations: Observations) -> Claim:
    """A changed share of log lines or calls as a claim; lines are untrusted text, so they come last."""
    text = f"{deviation.service} went {_levels(deviation)}: {deviation.signal}"
    return Claim(text=one_line(text, 400), evidence=[observations.id_of(deviation)])


def _levels(deviation: Deviation) -> str:
    return f"from {amount(deviation.before, deviation.unit)} to {amount(deviation.after, deviation.unit)}"


def change_text(change: Change) -> str:
    """A change in a few words; its title is untrusted text, so it comes last and short."""
    text = change_name(change)
    # A title such as "Deploy checkout 1.5.0" says nothing that does not stand there already.
    new = {*change.title.casefold().split()} - {*text.casefold().split(), "to", "v" + change.version.casefold()}
    return f"{text} ({one_line(change.title, 80)})" if new else text


def change_name(change: Change) -> str:
    """`deploy 5.1.0 of checkout`: without its title."""
    version = f" {one_line(change.version, 40)}" if change.version else ""
    return f"{kind_in_words(change.kind)}{version} of {change.service}"


def short_change_text(change: Change) -> str:
    """A change in a sentence that names its service already: `deploy 5.1.0`."""
    kind = kind_in_words(change.kind)
    return f"{kind} {one_line(change.version, 40)}" if change.version else f"{kind} of {change.service}"


def support(context: RankingContext, candidate: Candidate, claims: Iterable[Claim], *, logs: bool = False) -> None:
    """Add what supports a cause: its own claims, the symptoms, that no change was made and, if wanted, its logs."""
    candidate.claims += claims
    add_symptoms(context, candidate)
    _add_no_change(context, candidate)
    if logs:
        _add_logs(context, candidate)


def add_symptoms(context: RankingContext, candidate: Candidate) -> None:
    """Add the symptom of the service itself, and of the alerting service if that is another one."""
    for name in dict.fromkeys((candidate.service, context.start)):
        signals = context.observations.signals.get(name, {})
        symptom = context.symptom_of(name) or max(signals.values(), key=lambda d: d.doublings, default=None)
        if symptom is not None:
            if not is_negligible(symptom):
                candidate.claims.append(deviation_claim(symptom, context.observations))
            if name == candidate.service:
                candidate.strength = max(candidate.strength, symptom.doublings)


def _add_no_change(context: RankingContext, candidate: Candidate) -> None:
    """Add that nothing was changed, if changes were listed."""
    service, observations = candidate.service, context.observations
    evidence = observations.change_list_evidence.get(service) or observations.change_list_evidence.get("")
    recent = [
        c
        for c in observations.changes.values()
        if c.service == service and timedelta(0) <= context.onset_for(c) - c.at <= timedelta(hours=1)
    ]
    if evidence and not recent:
        since = "onset" if context.onset_observed else "alert"
        candidate.claims.append(Claim(text=f"No change of {service} in the hour before the {since}", evidence=[evidence]))


def logged_failure(context: RankingContext, service: str) -> str:
    """`logs: no space left on device`: what a service's new lines say that failed, untrusted; "" where none does."""
    line = _failure_line(context, service)
    return f"logs: {one_line(_message(line.text), 120)}" if line else ""


def _failure_line(context: RankingContext, service: str) -> ObservedTemplate | None:
    """The new line of a service that tells of a failure, of several the most frequent one."""
    new = (t for t in context.observations.templates if t.service == service and t.trend == "new")
    return max((t for t in new if reports_failure(t.example or t.text)), key=lambda t: t.count - t.before, default=None)


def _add_logs(context: RankingContext, candidate: Candidate) -> None:
    """Add the line that tells most: of a failure, or else the one that grew most."""
    service = candidate.service
    grown = [t for t in context.observations.templates if t.service == service and t.count >= 3 and t.count > 2 * t.before]
    top = _failure_line(context, service) or max(grown, key=lambda t: t.count - t.before, default=None)
    if top and len(candidate.claims) < _MAX_CLAIMS_BEFORE_LOGS:
        text = f"{service} logs {top.count:g} times (before: {top.before:g}) {one_line(_message(top.text), 200)}"
        candidate.claims.append(Claim(text=one_line(text, 400), evidence=[top.evidence]))


def _message(template: str) -> str:
    """The message of a line: its time (masked at its beginning), and of JSON or logfmt its pod and level, add nothing here."""
    match = re.search(r'(?:"(?:msg|message)"\s*:\s*|\bmsg=)"((?:[^"\\]|\\.)+)', template)
    text = match.group(1) if match else template
    while text.startswith("<*> "):
        text = text.removeprefix("<*> ")
    return text
