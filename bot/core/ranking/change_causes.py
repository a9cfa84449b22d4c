"""Changes as causes: blame of the service, nearness in time, and what its versions and earlier troubles show."""

import math
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE, nearness
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation, Family
from bot.core.ranking.context import FOLLOWS, Candidate, RankingContext, amount, brief, named, tell_symptoms
from bot.core.ranking.observations import BreakdownRow, Observations
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

CARRIED, EVEN = 1.35, 0.1
"""Factors for a change whose version alone shows the symptom, and for one whose version shows it like the others."""


def change_causes(scene: RankingContext) -> list[Candidate]:
    """Changes of blamed services before the onset: blame x nearness in time x what the versions show."""
    found = []
    for service, blame in scene.blamed():
        for change in scene.seen.changes.values():
            if change.service == service and change.at <= scene.began(service) + ONSET_TOLERANCE:
                found.append(_change_cause(scene, change, blame))
    return [c for c in found if c.likelihood > 0]


def _change_cause(scene: RankingContext, change: Change, blame: float) -> Candidate:
    began = scene.began(change.service)
    fit = nearness(began - change.at) * {"scale": 0.6, "other": 0.5}.get(change.kind, 1.0)
    carried, rows = version_share(scene.seen, change)
    candidate = Candidate(
        kind="change",
        service=change.service,
        likelihood=min(1.0, blame * fit * carried),
        cause=f"{named(change)} broke {change.service}",
        change_id=change.id,
        check=_change_check(change),
        sure=carried > 1 or (carried == 1 and began - change.at <= timedelta(minutes=10)),
    )
    _tell_nearness(scene, change, began, candidate)
    tell_symptoms(scene, change.service, candidate)
    if rows:
        text, evidence = _versions_told(change, carried, rows)
        (candidate.claims if carried >= 1 else candidate.against).append(Claim(text=text, evidence=evidence))
    _weigh_earlier_trouble(scene, change, candidate)
    _weigh_rollback(scene, change, candidate)
    return candidate


def _tell_nearness(scene: RankingContext, change: Change, began: datetime, candidate: Candidate) -> None:
    evidence = [scene.seen.change_evidence[change.id]]
    if onset := _onset_evidence(scene, change.service):
        evidence.append(onset)
    age = began - change.at
    if not scene.onset_known:
        words = "before the alert (the onset itself was not seen)"
    else:
        words = f"{duration_text(age)} before the onset" if age.total_seconds() >= 2 else "at the onset"
    candidate.claims.append(Claim(text=one_line(f"{brief(change)} at {clock(change.at)}, {words}", 400), evidence=evidence))
    if age > timedelta(minutes=20) and scene.onset_known:
        ran = f"{change.service} ran {duration_text(age)} with this change before the onset"
        candidate.against.append(Claim(text=ran, evidence=evidence))


def _onset_evidence(scene: RankingContext, service: str) -> str:
    """The evidence that holds the moment `scene.began(service)`."""
    began = scene.began(service)
    for signals in (scene.seen.signals.get(service, {}), *scene.seen.signals.values()):
        for deviation in signals.values():
            if deviation.onset == began:
                return scene.seen.id_of(deviation)
    return ""


def version_share(seen: Observations, change: Change) -> tuple[float, tuple[tuple[BreakdownRow, ...], str] | None]:
    """Factor for what the breakdown by version says of a change, and the rows with their evidence.

    1.35 if its version carries the symptom and another version does not; 0.1 if all versions show it alike;
    1 if nothing is known or only one version is left.
    """
    for breakdown in seen.breakdowns:
        if breakdown.service != change.service or not change.version:
            continue
        mine = [r for r in breakdown.rows if _is_version(r, change.version)]
        label = next((k for k, v in mine[0].labels.items() if _same_version(v, change.version)), "") if mine else ""
        others = [r for r in breakdown.rows if r not in mine and r.labels.get(label) and not math.isnan(r.after)]
        if not mine or mine[0].shift <= 0:
            continue
        if not others:
            return 1.0, ((mine[0],), breakdown.evidence)
        worst = max(others, key=lambda r: r.shift)
        if worst.shift < 0.25 * mine[0].shift:
            return CARRIED, ((mine[0], worst), breakdown.evidence)
        if worst.shift > 0.6 * mine[0].shift:
            return EVEN, ((mine[0], worst), breakdown.evidence)
        return 0.8, ((mine[0], worst), breakdown.evidence)
    return 1.0, None


def _is_version(row: BreakdownRow, version: str) -> bool:
    return any(_same_version(value, version) for value in row.labels.values())


def _same_version(value: str, version: str) -> bool:
    return bool(version) and (value == version or value.lstrip("v") == version.lstrip("v") or value.endswith(":" + version))


def _versions_told(change: Change, carried: float, rows: tuple[tuple[BreakdownRow, ...], str]) -> tuple[str, list[str]]:
    shown, evidence = rows
    parts = [f"{'/'.join(r.labels.values())} from {amount(r.before, r.unit)} to {amount(r.after, r.unit)}" for r in shown]
    if len(shown) == 1:
        text = f"All of it is on this version: {parts[0]}"
    elif carried > 1:
        text = f"The version carries it: {parts[0]}, against {parts[1]}"
    else:
        text = f"Both versions show it: {parts[0]} and {parts[1]}"
    return one_line(text, 400), [evidence]


def _weigh_earlier_trouble(scene: RankingContext, change: Change, candidate: Candidate) -> None:
    """A resource that was already running out, or an outside provider already failing, when the change came."""
    signals = scene.seen.signals.get(change.service, {})
    families: tuple[Family, ...] = ("saturation", "external")
    for family in families:
        deviation = signals.get(family)
        if deviation and deviation.doublings >= 1 and _before(deviation, change):
            candidate.likelihood *= 0.3
            since = f"left the normal range at {clock(deviation.onset)}" if deviation.onset else "had climbed all the time"
            text = f"{deviation.service} {deviation.signal} {since}, before the change"
            candidate.against.append(
                Claim(text=text, evidence=[scene.seen.id_of(deviation), scene.seen.change_evidence[change.id]])
            )
            return


def _before(deviation: Deviation, change: Change) -> bool:
    """True if the deviation stood before the change; one that climbs through the whole window (no onset) did."""
    return deviation.onset is None or deviation.onset < change.at - FOLLOWS


def _weigh_rollback(scene: RankingContext, change: Change, candidate: Candidate) -> None:
    """Somebody went back to the version before, and it did not help."""
    for later in scene.seen.changes.values():
        back = later.service == change.service and later.version and later.version == change.previous_version
        if back and change.at < later.at <= scene.now - timedelta(minutes=3):
            candidate.likelihood *= 0.6
            candidate.sure = False
            text = f"Going back to {later.version} at {clock(later.at)} did not end it: the alert still fires"
            candidate.against.append(Claim(text=one_line(text, 400), evidence=[scene.seen.change_evidence[later.id]]))
            return


def _change_check(change: Change) -> str:
    if change.kind == "flag":
        return f"Turn the flag back for a share of the traffic and watch whether {change.service} recovers there"
    other = f" with {one_line(change.previous_version, 40)}" if change.previous_version else " with the state before it"
    return f"Compare one pod{other} against the rest: does {change.service} recover there?"
