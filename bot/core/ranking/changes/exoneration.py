"""Which changes around the onset the evidence clears, each with the claim that clears it."""

import math
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Case, Claim
from bot.core.ranking.candidates import amount, change_name, change_text
from bot.core.ranking.changes.jumps import jump_of
from bot.core.ranking.changes.versions import compare_versions, serving_at_onset
from bot.core.ranking.context import RankingContext, ranking_context, unknown_services
from bot.core.ranking.observations import Observations
from bot.core.service import reachable
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_AROUND_ONSET = timedelta(hours=2)
_MAX_SHOWN = 4


def exonerated_changes(case: Case, observations: Observations, *, now: datetime) -> dict[str, Claim]:
    """The changes around the onset that the evidence clears, by id, with what clears them; the nearest to the onset first."""
    return _exonerated(ranking_context(case, observations, now))


def ruled_out(context: RankingContext, accused: Collection[str]) -> list[Claim]:
    """The first of these claims, of the changes that no cause accuses (by id)."""
    return [claim for id, claim in _exonerated(context).items() if id not in accused][:_MAX_SHOWN]


def _exonerated(context: RankingContext) -> dict[str, Claim]:
    reported = [c for c in context.observations.changes.values() if not c.by_action]
    around = [c for c in reported if abs(context.onset - c.at) <= _AROUND_ONSET]
    around.sort(key=lambda c: (abs(context.onset - c.at), c.id))
    return {change.id: claim for change in around if (claim := _exonerating_claim(context, change))}


def _exonerating_claim(context: RankingContext, change: Change) -> Claim | None:
    claim = _clearing_claim(context, change)
    return claim.model_copy(update={"change_id": change.id, "subject": change_name(change)}) if claim else None


def _clearing_claim(context: RankingContext, change: Change) -> Claim | None:
    observations, evidence = context.observations, [context.observations.change_evidence[change.id]]
    what = f"{change_text(change)} at {clock(change.at)}"
    if (
        context.onset_observed
        and change.at > context.onset_for(change) + ONSET_TOLERANCE
        and not context.made_during_earlier_outage(change)
    ):
        after = duration_text(change.at - context.onset)
        text = f"{what} came {after} after the onset at {clock(context.onset)}"
        return _claim(text, [*evidence, *_onset_evidence(context)])
    if change.undone_at and change.was_undone(context.alerted_at):
        return _claim(f"{what}: it was taken back at {clock(change.undone_at)}, before the alert, and that helped", evidence)
    calls = serving_at_onset(context, change)
    if calls.withdrawn_at:
        text = f"{what}: it serves nothing since {clock(calls.withdrawn_at)}, before the onset at {clock(context.onset)}"
        return _claim(text, [*evidence, calls.evidence])
    if jump_of(context, change):
        return None
    if observations.quiet(change.service):
        text = f"{what}: nothing of {change.service} left its normal range"
        return _claim(text, [*evidence, observations.health_evidence[change.service]])
    if claim := _alike_in_versions(context, change, what):
        return claim
    if context.made_during_earlier_outage(change):
        # What it would have broken had left its normal range with the outage that runs on: that clears it of nothing.
        return None
    if context.shares.get(change.service, 0.0) < context.tuning.confidence.exonerated and observations.signals.get(
        change.service
    ):
        return _explained_by_dependency(context, change, what)
    graph = observations.graph_evidence.get(context.start)
    knows = observations.depends_on.get(context.start) or observations.dependents.get(context.start)
    within = change.service in context.shares or change.service in reachable(context.start, observations.depends_on)
    # Who calls it may have sent what it cannot take.
    within = within or change.service in observations.dependents.get(context.start, ())
    if graph is not None and knows and not within and change.service not in unknown_services(context):
        return _claim(f"{what}: {context.start} is not known to depend on {change.service}", [*evidence, graph])
    return None


def _alike_in_versions(context: RankingContext, change: Change, what: str) -> Claim | None:
    """The version before shows the trouble as the new one does, or it alone."""
    weights = context.tuning.changes
    versions = compare_versions(context.observations, change, weights)
    if versions.factor != weights.versions_alike or not versions.rows:
        return None
    evidence = [context.observations.change_evidence[change.id], versions.evidence]
    own, other = versions.rows
    levels = f"{amount(own.after, own.unit)} and {amount(other.after, other.unit)}"
    if versions.spared:
        alone = f"{'/'.join(other.labels.values())} alone shows it"
        return _claim(f"{what}: {alone} ({levels.replace(' and ', ' here, ')} there)", evidence)
    return _claim(f"{what}: the versions before and after show the same ({levels})", evidence)


def _explained_by_dependency(context: RankingContext, change: Change, what: str) -> Claim | None:
    """The changed service deviates, but what it depends on explains that."""
    main_cause = max(context.shares, key=lambda s: context.shares[s])
    cause, effect = context.symptom_of(main_cause), context.symptom_of(change.service)
    if cause is None or effect is None or main_cause == change.service:
        return None
    if change.service in context.observations.depends_on and main_cause not in context.resting_on(change.service):
        return None
    level = "" if math.isnan(cause.after) else f" ({amount(cause.after, cause.unit)})"
    text = f"{what}: its {effect.signal} came from {main_cause} {cause.signal}{level}"
    observations = context.observations
    return _claim(text, [observations.change_evidence[change.id], observations.id_of(effect), observations.id_of(cause)])


def _claim(text: str, evidence: Sequence[str]) -> Claim:
    return Claim(text=one_line(text, 400), evidence=list(dict.fromkeys(evidence))[:8])


def _onset_evidence(context: RankingContext) -> list[str]:
    for signals in context.observations.signals.values():
        for deviation in signals.values():
            if deviation.onset == context.onset:
                return [context.observations.id_of(deviation)]
    return []
