"""Changes as causes: the share of their service, nearness in time, and what its versions and earlier trouble show."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE, flag_factor, recency_factor
from bot.core.diffs.symptoms.symptoms import Symptoms
from bot.core.evidence import Claim
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import CallGraph, explained_by_callees
from bot.core.ranking.candidates import Candidate, add_symptoms, amount, change_text, short_change_text
from bot.core.ranking.changes.code_evidence import CodeReading, read_code, symptoms_of
from bot.core.ranking.changes.coincidence import is_coincident
from bot.core.ranking.changes.drift import climbs, drift_claim, drift_fit, drift_since, is_exhausted, jumped_late
from bot.core.ranking.changes.during_earlier_outage import fails_from_before, may_be_the_cause
from bot.core.ranking.changes.earlier_trouble import (
    weigh_earlier_lines,
    weigh_earlier_trouble,
    weigh_older_outage,
    weigh_rollback,
)
from bot.core.ranking.changes.first_signs import first_sign, first_sign_claim, is_first_to_fail
from bot.core.ranking.changes.flags import is_named
from bot.core.ranking.changes.jumps import jump_claim, jump_of
from bot.core.ranking.changes.rivals import alone, is_recent, weigh_rivals
from bot.core.ranking.changes.versions import VersionComparison, compare_versions, serving_at_onset
from bot.core.ranking.changes.weighed_change import WeighedChange
from bot.core.ranking.context import DETECTION_DELAY, RankingContext, nearby_services, remote_services
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.tuning.changes import ChangeWeights

_RAN_LONG = timedelta(minutes=20)
"""A change that ran so long before the onset is listed with that against it."""


def change_causes(context: RankingContext, *, outside: bool = False) -> list[Candidate]:
    """Changes before the onset: share of their service x nearness in time x what their versions and their code show.

    A change is suspect by what it carries. A version that alone shows the symptom, or a diff that explains it, counts
    whatever its age; a diff that was read and has nothing to do with it counts little, however near it came. A change of a
    direct neighbour of a failing service stays a candidate even where that neighbour looks normal; one farther off where
    something jumped with it, or where the neighbours are not known and its diff explains the trouble. A version that was
    taken back before the onset is none.

    `outside`: lines name a cause outside, which counts for more than any change's moment.
    """
    symptoms = symptoms_of(context.observations, context.summary)
    remote = remote_services(context)
    changes = context.observations.changes.values()
    codes = {change.id: read_code(context, change, symptoms) for change in changes if _came_before(context, change)}
    suspects = (_weighed(context, change, codes, symptoms, remote) for change in changes if change.id in codes)
    weighed = [one for one in suspects if one is not None]
    causes = [_change_cause(context, change, weighed) for change in weighed]
    for cause in causes if outside else ():
        if not (cause.carried or cause.explained or cause.jumped):
            cause.likelihood *= context.tuning.outside.over_timing
            cause.sure = False
    return [cause for cause in causes if cause.likelihood > 0]


def _came_before(context: RankingContext, change: Change) -> bool:
    """Whether it came before the trouble, and was there still; what the bot did itself mends: it is shown, and no suspect."""
    mends_or_over = change.by_action or change.was_undone(context.alerted_at)
    return not mends_or_over and change.at <= context.onset_for(change) + ONSET_TOLERANCE


def _weighed(
    context: RankingContext, change: Change, codes: Mapping[str, CodeReading], symptoms: Symptoms, remote: Set[str]
) -> WeighedChange | None:
    """The change with what speaks for it; None where it is no suspect."""
    near = nearby_services(context)
    jump, drift = jump_of(context, change), drift_since(context, change)
    apart = change.service not in near | remote and not (jump or drift)
    if apart or serving_at_onset(context, change).withdrawn_at:
        return None
    harmless = {id for id, code in codes.items() if code.unrelated}
    code, coincident = codes[change.id], is_coincident(context, change, harmless)
    # A change elsewhere has to tell by itself: something moved with it, or it alone came just before and may do something.
    if not (code.explains or change.service in near or jump or (drift and not code.inert) or (coincident and not code.inert)):
        return None
    versions, sign = _weigh_versions(context, change), first_sign(context, change)
    ran_out = drift is not None and drift.climbs_since is not None and is_exhausted(drift, symptoms)
    return WeighedChange(change, code, versions, drift, ran_out, sign, jump, coincident)


def _weigh_versions(context: RankingContext, change: Change) -> VersionComparison:
    compared = compare_versions(context.observations, change, context.tuning.changes)
    return VersionComparison() if compared.factor < 1 and fails_from_before(context, change) else compared


def _change_cause(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> Candidate:
    change, code = weighed.change, weighed.code
    onset = context.onset_for(change)
    candidate = Candidate(
        kind="change",
        service=change.service,
        likelihood=min(1.0, _share(context, weighed, others) * _fit(context, weighed, others)),
        cause=f"{_with_commit(change, code)} broke {change.service}",
        change_id=change.id,
        began=change.at,
        commit=_commit_of(code),
        # Where its version alone shows the symptom nothing is left to confirm.
        check="" if weighed.carried else _check(change),
        carried=weighed.carried,
        jumped=weighed.jump is not None,
        climbs_at=weighed.drift.service if weighed.drift and weighed.drift.climbs_since else "",
        cleared=_is_cleared(weighed),
        explained=code.explains,
        sure=weighed.carried or _code_is_sure(context, weighed) or alone(context, weighed, others),
    )
    _add_nearness(context, change, onset, candidate)
    _add_code(change, code, candidate)
    add_symptoms(context, candidate)
    _add_measured(context, weighed, candidate)
    weigh_rivals(context, weighed, others, candidate)
    weigh_earlier_trouble(context, weighed, candidate)
    weigh_earlier_lines(context, weighed, candidate)
    weigh_older_outage(context, change, candidate)
    weigh_rollback(context, change, candidate)
    return candidate


def _commit_of(code: CodeReading) -> str:
    """The commit that is named beside the change; "" where its own counts, as with one of another's that only may matter."""
    if code.diff is None or (code.consequence and not code.its_own):
        return ""
    return code.diff.commit if code.explains or (code.commits > 1 and not code.unrelated) else ""


def _add_code(change: Change, code: CodeReading, candidate: Candidate) -> None:
    """Add what the diff explains, or that it explains nothing."""
    if code.claim and not code.unrelated:
        candidate.claims.append(code.claim)
    if code.unrelated:
        text = f"the code of {short_change_text(change)} was read, and nothing in it has to do with the symptoms"
        candidate.against.append(Claim(text=one_line(text, 400), evidence=[code.evidence]))


def _add_measured(context: RankingContext, weighed: WeighedChange, candidate: Candidate) -> None:
    """Add what the versions, a climb since the change, and calls that its version does not take show."""
    change, versions = weighed.change, weighed.versions
    if len(versions.rows) > 1 or (versions.rows and weighed.carried):
        claim = Claim(text=_versions_text(versions), evidence=[versions.evidence])
        if weighed.carried:
            # The strongest claim comes first: a message has room for one or two.
            candidate.claims.insert(0, claim)
        else:
            (candidate.claims if versions.factor >= 1 else candidate.against).append(claim)
    if weighed.drift:
        candidate.claims.append(drift_claim(context, change, weighed.drift))
    if weighed.sign:
        candidate.claims.append(first_sign_claim(context, change, weighed.sign))
    if weighed.jump:
        candidate.claims.insert(0, jump_claim(context, change, weighed.jump))
    if (calls := serving_at_onset(context, change)).silent:
        text = f"{short_change_text(change)} serves nothing, while the version before goes on"
        candidate.claims.append(Claim(text=one_line(text, 400), evidence=[calls.evidence]))


def _with_commit(change: Change, code: CodeReading) -> str:
    """The change, and of several commits the one that explains the trouble."""
    if code.explains and code.diff and code.commits > 1:
        return f"commit {code.diff.commit[:12]} in {change_text(change)}"
    return change_text(change)


def _share(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> float:
    """The share of its service; more where its code explains the trouble, or where it is a neighbour that fell still."""
    weights, share = context.tuning.changes, context.shares.get(weighed.change.service, 0.0)
    if may_be_the_cause(context, weighed, others):
        return max(share, weights.beside_share)
    if weighed.sign:
        share = max(share, context.shares.get(weighed.sign.service, 0.0))
        if is_first_to_fail(weighed.sign, weighed.change) and not weighed.code.unrelated:
            share = max(share, weights.first_to_fail)
    if weighed.drift:
        share = max(share, context.shares.get(weighed.drift.service, 0.0))
        if weighed.ran_out:
            share = max(share, weights.explained_share)
    if weighed.jump:
        near = weighed.change.service in nearby_services(context)
        share = max(share, weights.jump_share if near else weights.jump_share_apart)
    if weighed.code.explains:
        return max(share, weights.explained_share)
    if weighed.coincident:
        share = max(share, weights.coincident_share)
    return max(share, weights.neighbour_share)


def _fit(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> float:
    change, code, weights = weighed.change, weighed.code, context.tuning.changes
    age = context.onset_for(change) - change.at
    fit = recency_factor(age, weights) * _kind_factor(change, weights)
    if code.explains:
        late = 1.0 if code.bites_late else 0.5 ** (max(age, timedelta(0)) / timedelta(seconds=weights.explained_half_life))
        best = max(other.code.strength for other in others)
        # Of two diffs that explain it the one with more to show goes first, however near the other came.
        explained = weights.explained * max(late, weights.explained_least) * max(0.5, code.strength / best)
        if weighed.is_measured:
            return weights.explained * min(1.0, weighed.versions.factor)
        if any(other.is_measured and other.code.explains for other in others):
            explained *= weights.beside_measured
        return (explained if code.strength < best else max(fit, explained)) * min(1.0, weighed.versions.factor)
    if code.commits and code.unread < 1:
        # Each commit may have done it: those that were not read count like those that were read and have little to do with it.
        fit *= code.unread * weights.unexplained + (1 - code.unread) * _read_fit(context, code)
    if not code.read and any(other.code.explains for other in others):
        fit *= weights.unread_beside_explained
    elif not code.commits and change.kind == "flag" and not is_named(context, change):
        fit *= weights.unnamed_flag * flag_factor(age, weights)
    if weighed.drift:
        # It is seen, whatever of the code was read.
        fit = max(fit, drift_fit(context, weighed.drift, ran_out=weighed.ran_out))
    if weighed.sign and not _moved_before(context, weighed, others):
        fit = max(fit, weights.first_sign)
    if weighed.jump:
        fit = max(fit, weights.jump)
    if weighed.coincident:
        fit = max(fit, weights.coincident)
    return fit * weighed.versions.factor


def _moved_before(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> bool:
    """Whether something had moved with another change before this one was made: what moved with this one came later.

    Beside an outage that stood before that is another matter.
    """
    if context.made_during_earlier_outage(weighed.change):
        return False
    before = weighed.change.at - DETECTION_DELAY
    elsewhere = [other for other in others if other is not weighed and other.change.service != weighed.change.service]
    # A jump of the very service that is its sign: what stands there has moved on from that.
    jumped = any(
        other.jump and weighed.sign and other.jump.service == weighed.sign.service and other.change.at < before
        for other in elsewhere
    )
    return jumped or any(other.sign.onset < before for other in elsewhere if other.sign and other.sign.onset)


def _read_fit(context: RankingContext, code: CodeReading) -> float:
    """The fit of a change whose diff was read and does not explain the trouble: the more, the nearer it comes to that."""
    weights, points = context.tuning.changes, context.tuning.diffs
    if code.apart:
        return weights.consequential if code.consequence else weights.unrelated
    firm = code.explanation.firm if code.explanation else 0.0
    nearness = max(0.0, firm - points.related) / (points.explained - points.related)
    return weights.unexplained + (weights.nearly_explained - weights.unexplained) * min(1.0, nearness)


def _code_is_sure(context: RankingContext, weighed: WeighedChange) -> bool:
    """Whether its code surely explains the trouble: by what nobody can have typed into a request, and no callee does.

    What it lets grow has grown since it. What would show at once did not run well for long before, unless new lines name
    what it brings.
    """
    code = weighed.code
    # Memory rises at once as well where calls wait for a connection that is never given back.
    otherwise = climbs(context, weighed.change.service) or (code.fills_memory and jumped_late(context, weighed.change))
    grew_otherwise = code.lets_grow and weighed.drift is None and otherwise
    named = code.explanation is not None and code.explanation.best >= context.tuning.diffs.name
    ran_clean = not (named or code.bites_late or is_recent(context, weighed))
    if not code.explains_firmly or grew_otherwise or ran_clean:
        return False
    if code.hurts_callees:
        return True
    observed, service = context.observations, weighed.change.service
    callees = [name for name in observed.depends_on.get(service, ()) if name != service]
    graph = CallGraph(observed.comparable, observed.depends_on, observed.rates)
    shares = explained_by_callees(service, callees, graph, context.symptom_of(service))
    return sum(shares.values()) < context.tuning.verdict.explained_by_callees


def _is_cleared(weighed: WeighedChange) -> bool:
    """Whether something speaks against a change."""
    return weighed.code.unrelated or weighed.versions.factor < 1


def _kind_factor(change: Change, weights: ChangeWeights) -> float:
    return {"scale": weights.scaling, "other": weights.other_kind}.get(change.kind, 1.0)


def _add_nearness(context: RankingContext, change: Change, onset: datetime, candidate: Candidate) -> None:
    evidence = [context.observations.change_evidence[change.id]]
    if dated_by := _dated_by(context, change.service):
        evidence.append(context.observations.id_of(dated_by))
    # Of whole seconds, as both moments are shown: else 21:39:32 would be "3 s before" 21:39:36.
    age = onset.replace(microsecond=0) - change.at.replace(microsecond=0)
    if not context.onset_observed:
        when = "before the alert (the onset itself was not observed)"
    elif context.made_during_earlier_outage(change):
        when = "while another outage ran"
    else:
        began = "the onset" if onset == context.onset else f"{change.service} left its normal range"
        # Nothing was measured meanwhile: it may have begun as soon as the change was made.
        unseen = dated_by is not None and dated_by.not_before is not None and dated_by.not_before < change.at
        most = "at most " if unseen else ""
        when = f"{most}{duration_text(age)} before {began}" if age.total_seconds() >= 2 else "at the onset"
    text = f"{short_change_text(change)} at {clock(change.at)}, {when}"
    candidate.claims.append(Claim(text=one_line(text, 400), evidence=evidence))
    if age > _RAN_LONG and context.onset_observed:
        ran = f"{change.service} ran {duration_text(age)} with this change before the onset"
        candidate.against.append(Claim(text=ran, evidence=evidence))


def _dated_by(context: RankingContext, service: str) -> Deviation | None:
    """What left its normal range at the moment `context.onset_of(service)`."""
    onset, by_service = context.onset_of(service), context.observations.signals
    near = dict.fromkeys((service, context.start, *context.resting_on(service)))
    deviations = (deviation for one in near for deviation in by_service.get(one, {}).values())
    return next((deviation for deviation in deviations if deviation.onset == onset), None)


def _versions_text(versions: VersionComparison) -> str:
    own, *others = [("/".join(row.labels.values()), amount(row.after, row.unit)) for row in versions.rows]
    if not others:
        return one_line(f"All of it is on {own[0]}: {own[1]}", 400)
    (other,) = others
    if versions.spared:
        return one_line(f"Only {other[0]} shows it: {other[1]}; {own[0]}: {own[1]}", 400)
    if versions.factor > 1:
        return one_line(f"Only {own[0]} shows it: {own[1]}; {other[0]}: {other[1]}", 400)
    return one_line(f"Both versions show it: {own[0]} {own[1]}, {other[0]} {other[1]}", 400)


def _check(change: Change) -> str:
    if change.kind == "flag":
        return f"Turn the flag back for a share of the traffic and watch whether {change.service} recovers there"
    other = f" with {one_line(change.previous_version, 40)}" if change.previous_version else " with the state before it"
    return f"Compare one pod{other} against the rest: does {change.service} recover there?"
