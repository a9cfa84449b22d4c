"""The scene of one incident and its candidate causes, with the sentences that both are told in."""

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.change import Change, kind_in_words
from bot.core.evidence import CauseKind, Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import main_symptom
from bot.core.ranking.observations import Observations
from bot.core.text.figures import figure
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

FOLLOWS = timedelta(seconds=90)
"""A cause may be seen this much after its effect: rates are smeared over their window, scrapes are apart."""
_LEAST_BLAME = 0.04


@dataclass
class Candidate:
    """One possible cause; `likelihood` 0 to 1 is share of blame times fit."""

    kind: CauseKind
    service: str
    likelihood: float
    cause: str
    claims: list[Claim] = field(default_factory=list)
    against: list[Claim] = field(default_factory=list)
    check: str = ""
    change_id: str = ""
    component: str = ""
    """The pod or host, where the cause is narrower than the service or no service's."""
    strength: float = 0.0
    """Score of the strongest deviation it rests on, in doublings beyond normal."""
    sure: bool = True
    """False where what was seen does not set it apart from its rivals, however well it fits."""


@dataclass(frozen=True)
class RankingContext:
    """What all candidates need: observations, blame shares and when and where it began."""

    seen: Observations
    blame: dict[str, float]
    start: str
    onset: datetime
    onset_known: bool
    now: datetime
    named: bool = True
    """Whether the alert says which service hurts."""

    def began(self, service: str) -> datetime:
        """When a service's symptom began, never later than the incident: what follows it is no cause of it."""
        symptom = main_symptom(self.seen.signals.get(service, {}))
        return min(self.onset, symptom.onset) if symptom and symptom.onset else self.onset

    def blamed(self) -> list[tuple[str, float]]:
        """Services that carry blame, the most first."""
        return sorted(((s, b) for s, b in self.blame.items() if b >= _LEAST_BLAME), key=lambda p: (-p[1], p[0]))


def amount(value: float, unit: str = "") -> str:
    """As people read it aloud (`40.6 %`, `350 ms`), in figures that `core/verdict/quoting` finds again in the evidence."""
    return "unknown" if math.isnan(value) else figure(value, unit)


def told(deviation: Deviation, seen: Observations) -> Claim:
    """One deviation as a claim."""
    since = f" at {clock(deviation.onset)}" if deviation.onset else ""
    if math.isnan(deviation.after):
        text = f"{deviation.service}: {deviation.signal} fires{since}"
    else:
        levels = f"from {amount(deviation.before, deviation.unit)} to {amount(deviation.after, deviation.unit)}"
        moved = "rose" if deviation.after >= deviation.before else "fell"
        text = f"{deviation.service} {deviation.signal} {moved} {levels}{since}"
    return Claim(text=one_line(text, 400), evidence=[seen.id_of(deviation)])


def told_share(deviation: Deviation, seen: Observations) -> Claim:
    """A changed share of lines or calls; lines are foreign text, so they come last."""
    levels = f"from {amount(deviation.before, deviation.unit)} to {amount(deviation.after, deviation.unit)}"
    text = f"{deviation.service} went {levels}: {deviation.signal}"
    return Claim(text=one_line(text, 400), evidence=[seen.id_of(deviation)])


def named(change: Change) -> str:
    """A change in a few words; its title is foreign text, so it comes last and short."""
    version = f" {one_line(change.version, 40)}" if change.version else ""
    title = f" ({one_line(change.title, 80)})" if change.title and change.title != change.version else ""
    return f"{kind_in_words(change.kind)}{version} of {change.service}{title}"


def brief(change: Change) -> str:
    """A change where its service was just named: `deploy 5.1.0`."""
    kind = kind_in_words(change.kind)
    return f"{kind} {one_line(change.version, 40)}" if change.version else f"{kind} of {change.service}"


def tell_symptoms(scene: RankingContext, service: str, candidate: Candidate) -> None:
    """The symptom of the service itself, and of the alerting service if that is another one."""
    for name in dict.fromkeys((service, scene.start)):
        signals = scene.seen.signals.get(name, {})
        symptom = main_symptom(signals) or max(signals.values(), key=lambda d: d.doublings, default=None)
        if symptom is not None:
            candidate.claims.append(told(symptom, scene.seen))
            if name == service:
                candidate.strength = max(candidate.strength, symptom.doublings)


def tell_no_change(scene: RankingContext, service: str, candidate: Candidate) -> None:
    """That nothing was changed, if that was looked at."""
    evidence = scene.seen.no_changes.get(service) or scene.seen.no_changes.get("")
    near = [
        c
        for c in scene.seen.changes.values()
        if c.service == service and timedelta(0) <= scene.began(service) - c.at <= timedelta(hours=1)
    ]
    if evidence and not near:
        candidate.claims.append(Claim(text=f"No change of {service} in the hour before the onset", evidence=[evidence]))


def tell_logs(scene: RankingContext, service: str, candidate: Candidate) -> None:
    """The log line that grew most."""
    grown = [t for t in scene.seen.templates if t.service == service and t.count >= 3 and t.count > 2 * t.before]
    if grown and len(candidate.claims) < 6:
        top = max(grown, key=lambda t: t.count - t.before)
        text = f"{service} logs {top.count:g} times (before: {top.before:g}) {one_line(_message(top.text), 200)}"
        candidate.claims.append(Claim(text=one_line(text, 400), evidence=[top.evidence]))


def _message(template: str) -> str:
    """The message of a line that is JSON or logfmt: the rest (time, pod, level) tells nothing here."""
    match = re.search(r'(?:"(?:msg|message)"\s*:\s*|\bmsg=)"((?:[^"\\]|\\.)+)', template)
    return match.group(1) if match else template
