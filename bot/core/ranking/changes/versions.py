"""What splits by version say of a change: whether its version alone shows the symptom, or serves nothing at all."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from bot.core.change import Change
from bot.core.metrics.signal_names import Harm, family_of, harm_of
from bot.core.ranking.context import RankingContext
from bot.core.ranking.observations import BreakdownRow, Observations, ObservedBreakdown
from bot.core.tuning import TUNING
from bot.core.tuning.changes import ChangeWeights

_STARTS_WITHIN = timedelta(seconds=60)
"""So long after it was rolled out a version may have served nothing yet."""
_NOBODYS_ERRORS = 0.002
"""A share of errors more than usual that no version is blamed for: what is left once an outage is over, or by chance."""
_CALLED_WITHIN = timedelta(seconds=150)
"""A version whose newest sample is older is not called any more."""


class VersionComparison(NamedTuple):
    """What a breakdown by version says of a change."""

    factor: float = 1.0
    """By which the change is likelier (its version alone shows the symptom) or less likely (others show it alike)."""
    rows: tuple[BreakdownRow, ...] = ()
    """The change's version first, then the worst of the others; empty where no breakdown shows the version."""
    evidence: str = ""
    spared: bool = False
    """A version that was rolled out later alone shows the symptom, and this one does not."""


def compare_versions(observations: Observations, change: Change, weights: ChangeWeights = TUNING.changes) -> VersionComparison:
    """What the breakdowns that show the change's version say of it, the clearest one; a factor of 1 if none does.

    Versions that serve at the same time are siblings: they are compared by their levels now, measured from what was usual
    before. The factor is 1.35 if no other version shows the symptom, 0.1 if another shows it alike, or one that came later
    shows it alone, 0.8 between these, and 1 if there is no other version to compare with or hardly apart from it.
    """
    comparisons = [
        compared
        for breakdown in observations.breakdowns
        if breakdown.service == change.service
        and change.version
        and (
            compared := _compared(
                breakdown,
                change,
                weights,
                normal=_is_normal(breakdown, observations),
                later=_later_versions(observations, change),
            )
        )
    ]
    return max(
        comparisons,
        key=lambda comparison: (comparison.factor > 1, comparison.factor < 1, comparison.factor),
        default=VersionComparison(),
    )


def _later_versions(observations: Observations, change: Change) -> list[str]:
    """Versions of the same service that were rolled out after this one."""
    changes = observations.changes.values()
    return [other.version for other in changes if other.service == change.service and other.at > change.at and other.version]


def _is_normal(breakdown: ObservedBreakdown, observations: Observations) -> bool:
    """Whether the signal that was split was measured as a whole, and stayed within its normal range."""
    whole = observations.all_signals.get((breakdown.service, breakdown.signal))
    return whole is not None and whole.doublings <= 0


def _compared(
    breakdown: ObservedBreakdown,
    change: Change,
    weights: ChangeWeights,
    *,
    normal: bool = False,
    later: Sequence[str] = (),
) -> VersionComparison | None:
    """One breakdown; None if the change's version is not in it, or if no version shows the symptom.

    Of a signal that stayed normal as a whole a version has to fail clearly more: its few errors are split by chance.
    """
    own = next((row for row in breakdown.rows if _is_version(row, change.version)), None)
    if own is None or _is_gone(own):
        return None
    label = next(name for name, value in own.labels.items() if _same_version(value, change.version))
    others = [row for row in breakdown.rows if row is not own and row.labels.get(label) and not _is_gone(row)]
    harm = harm_of(breakdown.signal, family_of(breakdown.signal))
    usual = _usual_level(own, others)
    shown = _harm(own, usual, harm)
    worst = max(others, key=lambda row: _harm(row, usual, harm), default=None)
    if not _is_symptom(shown, usual, breakdown.signal, weights, normal=normal):
        elsewhere = _harm(worst, usual, harm) if worst else 0.0
        alone = worst and any(_is_version(worst, version) for version in later)
        alone = alone and _is_symptom(elsewhere, usual, breakdown.signal, weights, normal=normal)
        if not worst or not alone or shown >= weights.alone_below * elsewhere:
            return None
        return VersionComparison(weights.versions_alike, (own, worst), breakdown.evidence, spared=True)
    if worst is None:
        return VersionComparison(1.0, (own,), breakdown.evidence)
    factor = _version_factor(shown, _harm(worst, usual, harm), weights)
    if factor > 1 and family_of(breakdown.signal) == "errors" and _hardly_apart(own, worst, weights):
        return None
    return VersionComparison(factor, (own, worst), breakdown.evidence)


def _hardly_apart(own: BreakdownRow, worst: BreakdownRow, weights: ChangeWeights) -> bool:
    """Whether two versions fail about as often: what one shows beyond the usual may be any share of what the other does."""
    return worst.after < own.after < weights.levels_apart * worst.after and own.after - worst.after < weights.least_errors


def _is_symptom(shown: float, usual: float, signal: str, weights: ChangeWeights, *, normal: bool) -> bool:
    """Whether a version lies so far beyond the usual level that it shows what the alert is about."""
    is_errors = family_of(signal) == "errors"
    least = weights.least_errors if is_errors else weights.least_slowness
    few_errors = is_errors and shown <= weights.least_errors
    if (usual == 0 and shown <= weights.least_errors) or (is_errors and shown <= _NOBODYS_ERRORS):
        return False
    return shown > least * max(abs(usual), 1e-9) and not (normal and few_errors)


def _usual_level(own: BreakdownRow, others: Sequence[BreakdownRow]) -> float:
    """What the other versions showed before. The change's own came maybe amid the trouble: only without others it counts."""
    levels = [row.before for row in others if row.existed]
    return max(levels, default=own.before if own.existed else 0.0)


def _harm(row: BreakdownRow, usual: float, harm: Harm) -> float:
    """How far a version is on the harmful side of the usual level now."""
    shift = row.after - usual
    return -shift if harm == "down" else abs(shift) if harm == "either" else shift


def _is_gone(row: BreakdownRow) -> bool:
    """Whether it shows nothing any more, so that its level means nothing."""
    return math.isnan(row.after)


def _version_factor(own: float, other: float, weights: ChangeWeights) -> float:
    if other < weights.alone_below * own:
        return weights.version_carries
    return weights.versions_alike if other > weights.alike_above * own else weights.version_unclear


def _is_version(row: BreakdownRow, version: str) -> bool:
    return any(_same_version(value, version) for value in row.labels.values())


def _same_version(value: str, version: str) -> bool:
    return bool(version) and (value == version or value.lstrip("v") == version.lstrip("v") or value.endswith(":" + version))


class Serving(NamedTuple):
    """Whether a rolled-out version takes its part of the calls."""

    silent: bool = False
    """It serves nothing while other versions go on: it does not start, or is not ready."""
    uncalled: bool = False
    """No version is called any more: the service is hurt by whoever called it."""
    withdrawn_at: datetime | None = None
    """It served, and took its last call long before the onset: somebody went back to another version."""
    evidence: str = ""


def serving(observations: Observations, change: Change, *, onset: datetime, now: datetime) -> Serving:
    """What the splits by version say of the calls that a change's version takes; nothing where there is no other version."""
    for breakdown in observations.breakdowns:
        versions = [row for row in breakdown.rows if any("version" in name for name in row.labels)]
        others = [row for row in versions if not _is_version(row, change.version)]
        if breakdown.service != change.service or not change.version or not others:
            continue
        called = [row for row in others if _is_called(row, now)]
        if not called:
            return Serving(uncalled=True, evidence=breakdown.evidence)
        if any(_is_version(row, version) for row in called for version in _successors(observations, change)):
            # What came after it holds what it changed: that it is called no more tells of no way back.
            return Serving(evidence=breakdown.evidence)
        own = next((row for row in versions if _is_version(row, change.version)), None)
        if own is not None and own.existed and own.until is not None and own.until + _CALLED_WITHIN < onset:
            return Serving(withdrawn_at=own.until, evidence=breakdown.evidence)
        if own is None and not any(_is_version(row, change.previous_version) for row in others):
            # The label may name versions otherwise than the deploy does: then its absence says nothing.
            continue
        if (own is None or not _is_called(own, now)) and now - change.at > _STARTS_WITHIN:
            return Serving(silent=True, evidence=breakdown.evidence)
        return Serving(evidence=breakdown.evidence)
    return Serving()


def _successors(observations: Observations, change: Change) -> list[str]:
    """The versions of its service that were rolled out after it, until somebody went back to one of before it."""
    own = sorted((one for one in observations.changes.values() if one.service == change.service), key=lambda one: one.at)
    earlier = {version for one in own if one.at <= change.at for version in (one.version, one.previous_version)}
    later = [one.version for one in own if one.at > change.at and one.version]
    return list(takewhile(lambda version: version not in earlier, later))


def serving_at_onset(context: RankingContext, change: Change) -> Serving:
    """The same for the onset of the changed service, as far as it is known."""
    return serving(context.observations, change, onset=context.onset_for(change), now=context.now)


def _is_called(row: BreakdownRow, now: datetime) -> bool:
    return not _is_gone(row) and (row.until is None or now - row.until <= _CALLED_WITHIN)
