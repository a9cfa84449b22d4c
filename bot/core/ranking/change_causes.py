"""Changes as causes: the share of their service, nearness in time, and what its versions and earlier trouble show."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE, recency_factor
from bot.core.evidence import Claim
from bot.core.facts.measured import Family
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.candidates import Candidate, add_symptoms, amount, change_text, short_change_text
from bot.core.ranking.context import SEEN_LATE_BY, RankingContext
from bot.core.ranking.observations import BreakdownRow, Observations
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING, ChangeWeights

_RAN_LONG = timedelta(minutes=20)
"""A change that ran so long before the onset is listed with that against it."""


class VersionComparison(NamedTuple):
    """What a breakdown by version says of a change."""

    factor: float = 1.0
    """By which the change is likelier (its version alone shows the symptom) or less likely (others show it alike)."""
    rows: tuple[BreakdownRow, ...] = ()
    """The change's version first, then the worst of the others; empty where no breakdown shows the version."""
    evidence: str = ""


def change_causes(context: RankingContext) -> list[Candidate]:
    """Changes of suspect services before the onset: share x nearness in time x what the versions show."""
    causes = []
    for service, share in context.suspects():
        for change in context.observations.changes.values():
            if change.service == service and change.at <= context.onset_of(service) + ONSET_TOLERANCE:
                causes.append(_change_cause(context, change, share))
    return [c for c in causes if c.likelihood > 0]


def _change_cause(context: RankingContext, change: Change, share: float) -> Candidate:
    onset, weights = context.onset_of(change.service), context.tuning.changes
    fit = recency_factor(onset - change.at, weights) * _kind_factor(change, weights)
    versions = compare_versions(context.observations, change, weights)
    recent = onset - change.at <= timedelta(seconds=weights.sure_within)
    candidate = Candidate(
        kind="change",
        service=change.service,
        likelihood=min(1.0, share * fit * versions.factor),
        cause=f"{change_text(change)} broke {change.service}",
        change_id=change.id,
        check=_check(change),
        sure=versions.factor > 1 or (versions.factor == 1 and recent),
    )
    _add_nearness(context, change, onset, candidate)
    add_symptoms(context, candidate)
    if versions.rows:
        claim = Claim(text=_versions_text(versions), evidence=[versions.evidence])
        (candidate.claims if versions.factor >= 1 else candidate.against).append(claim)
    _weigh_earlier_trouble(context, change, candidate)
    _weigh_rollback(context, change, candidate)
    return candidate


def _kind_factor(change: Change, weights: ChangeWeights) -> float:
    return {"scale": weights.scaling, "other": weights.other_kind}.get(change.kind, 1.0)


def _add_nearness(context: RankingContext, change: Change, onset: datetime, candidate: Candidate) -> None:
    evidence = [context.observations.change_evidence[change.id]]
    if of_onset := _onset_evidence(context, change.service):
        evidence.append(of_onset)
    age = onset - change.at
    if not context.onset_observed:
        when = "before the alert (the onset itself was not observed)"
    else:
        when = f"{duration_text(age)} before the onset" if age.total_seconds() >= 2 else "at the onset"
    text = f"{short_change_text(change)} at {clock(change.at)}, {when}"
    candidate.claims.append(Claim(text=one_line(text, 400), evidence=evidence))
    if age > _RAN_LONG and context.onset_observed:
        ran = f"{change.service} ran {duration_text(age)} with this change before the onset"
        candidate.against.append(Claim(text=ran, evidence=evidence))


def _onset_evidence(context: RankingContext, service: str) -> str:
    """The evidence that holds the moment `context.onset_of(service)`."""
    onset, by_service = context.onset_of(service), context.observations.signals
    for signals in (by_service.get(service, {}), *by_service.values()):
        for deviation in signals.values():
            if deviation.onset == onset:
                return context.observations.id_of(deviation)
    return ""


def compare_versions(observations: Observations, change: Change, weights: ChangeWeights = TUNING.changes) -> VersionComparison:
    """What the first breakdown that shows the change's version says of it; a factor of 1 if none does.

    The factor is 1.35 if no other version shows the symptom, 0.1 if another shows it alike, 0.8 between these, and 1 if
    there is no other version to compare with.
    """
    for breakdown in observations.breakdowns:
        if breakdown.service != change.service or not change.version:
            continue
        own = [r for r in breakdown.rows if _is_version(r, change.version)]
        label = next((k for k, v in own[0].labels.items() if _same_version(v, change.version)), "") if own else ""
        others = [r for r in breakdown.rows if r not in own and r.labels.get(label) and not math.isnan(r.after)]
        if not own or own[0].shift <= 0:
            continue
        if not others:
            return VersionComparison(1.0, (own[0],), breakdown.evidence)
        worst = max(others, key=lambda r: r.shift)
        return VersionComparison(_version_factor(own[0], worst, weights), (own[0], worst), breakdown.evidence)
    return VersionComparison()


def _version_factor(own: BreakdownRow, other: BreakdownRow, weights: ChangeWeights) -> float:
    if other.shift < weights.alone_below * own.shift:
        return weights.version_carries
    return weights.versions_alike if other.shift > weights.alike_above * own.shift else weights.version_unclear


def _is_version(row: BreakdownRow, version: str) -> bool:
    return any(_same_version(value, version) for value in row.labels.values())


def _same_version(value: str, version: str) -> bool:
    return bool(version) and (value == version or value.lstrip("v") == version.lstrip("v") or value.endswith(":" + version))


def _versions_text(versions: VersionComparison) -> str:
    levels = [
        f"{'/'.join(r.labels.values())} from {amount(r.before, r.unit)} to {amount(r.after, r.unit)}" for r in versions.rows
    ]
    if len(levels) == 1:
        return one_line(f"All of it is on this version: {levels[0]}", 400)
    if versions.factor > 1:
        return one_line(f"The version carries it: {levels[0]}, against {levels[1]}", 400)
    return one_line(f"Both versions show it: {levels[0]} and {levels[1]}", 400)


def _weigh_earlier_trouble(context: RankingContext, change: Change, candidate: Candidate) -> None:
    """A resource that was already running out, or an outside provider already failing, when the change came."""
    signals = context.observations.signals.get(change.service, {})
    families: tuple[Family, ...] = ("saturation", "external")
    for family in families:
        deviation = signals.get(family)
        if deviation and deviation.doublings >= context.tuning.confidence.sure and _deviated_before(deviation, change):
            candidate.likelihood *= context.tuning.changes.after_trouble
            since = f"left the normal range at {clock(deviation.onset)}" if deviation.onset else "had climbed all the time"
            text = f"{deviation.service} {deviation.signal} {since}, before the change"
            evidence = [context.observations.id_of(deviation), context.observations.change_evidence[change.id]]
            candidate.against.append(Claim(text=text, evidence=evidence))
            return


def _deviated_before(deviation: Deviation, change: Change) -> bool:
    """True if it deviated before the change; one that climbs through the whole window (no onset) did."""
    return deviation.onset is None or deviation.onset < change.at - SEEN_LATE_BY


def _weigh_rollback(context: RankingContext, change: Change, candidate: Candidate) -> None:
    """Somebody went back to the version before, and it did not help."""
    weights = context.tuning.changes
    for later in context.observations.changes.values():
        back = later.service == change.service and later.version and later.version == change.previous_version
        if back and change.at < later.at <= context.now - timedelta(seconds=weights.rollback_seconds):
            candidate.likelihood *= weights.after_rollback
            candidate.sure = False
            text = f"Going back to {later.version} at {clock(later.at)} did not end it: the alert still fires"
            evidence = [context.observations.change_evidence[later.id]]
            candidate.against.append(Claim(text=one_line(text, 400), evidence=evidence))
            return


def _check(change: Change) -> str:
    if change.kind == "flag":
        return f"Turn the flag back for a share of the traffic and watch whether {change.service} recovers there"
    other = f" with {one_line(change.previous_version, 40)}" if change.previous_version else " with the state before it"
    return f"Compare one pod{other} against the rest: does {change.service} recover there?"
