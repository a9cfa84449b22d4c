"""Rivals of a change: others that may have done it as well, of which nothing but time tells it apart."""

from collections.abc import Sequence
from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.evidence import Claim
from bot.core.ranking.candidates import Candidate, short_change_text
from bot.core.ranking.changes.flags import is_named
from bot.core.ranking.changes.weighed_change import WeighedChange
from bot.core.ranking.context import RankingContext
from bot.core.service import reachable
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

_WITHOUT_VERSION = ("flag", "config")
"""Kinds of change of which no split by version and no diff can say more than their moment."""


def is_recent(context: RankingContext, weighed: WeighedChange) -> bool:
    """Whether it came minutes before its service began to fail."""
    age = age_at_onset(context, weighed.change) + ONSET_TOLERANCE
    return timedelta(0) <= age <= timedelta(seconds=context.tuning.changes.sure_within)


def alone(context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange]) -> bool:
    """Whether nothing else that may have done it was changed shortly before: only then its moment says something by itself.

    Beside a running outage it says nothing: that may have done it as well. Nor where its service began to fail later, or nobody
    knows when: the onset is then another's.
    """
    symptom = context.symptom_of(weighed.change.service)
    apart = symptom is not None and (symptom.onset is None or symptom.onset > context.onset + ONSET_TOLERANCE)
    if apart or context.made_during_earlier_outage(weighed.change):
        return False
    weights = context.tuning.changes
    rivals = [
        other
        for other in others
        if other is not weighed
        and age_at_onset(context, other.change) <= timedelta(seconds=weights.rival_within)
        and _is_rival(context, weighed.change, other.change)
    ]
    if rivals or _changed_out_of_sight(context, weighed.change):
        return False
    return is_recent(context, weighed) and not weighed.code.commits and weighed.versions.factor == 1


def _changed_out_of_sight(context: RankingContext, change: Change) -> bool:
    """Whether something was changed shortly before of which nobody knows that what fails does not rest on it.

    It is a rival of a flag of which no line says anything: nothing but its moment speaks for that.
    """
    below = reachable(change.service, context.observations.depends_on)
    if change.kind != "flag" or is_named(context, change) or len(below) > 1:
        return False
    within = timedelta(seconds=context.tuning.changes.rival_within)
    others = (other for other in context.observations.changes.values() if other.id != change.id and not other.by_action)
    return any(-ONSET_TOLERANCE <= age_at_onset(context, other) <= within for other in others)


def _is_rival(context: RankingContext, change: Change, other: Change) -> bool:
    """Whether another change nearby may have done it as well.

    A flag or a setting has neither version nor diff that could carry it, so a change elsewhere is no rival of it: only what
    its service is, or depends on and is not well or changed minutes before too. A flag of which new lines say nothing has
    every change for a rival.
    """
    if change.kind not in _WITHOUT_VERSION or (change.kind == "flag" and not is_named(context, change)):
        return True
    if other.service == change.service:
        return True
    recent = age_at_onset(context, other) <= timedelta(seconds=context.tuning.changes.sure_within)
    below = other.service in reachable(change.service, context.observations.depends_on)
    return below and (recent or not context.observations.quiet(other.service))


def age_at_onset(context: RankingContext, change: Change) -> timedelta:
    return context.onset_for(change) - change.at


def weigh_rivals(
    context: RankingContext, weighed: WeighedChange, others: Sequence[WeighedChange], candidate: Candidate
) -> None:
    """Several changes of one service shortly before the onset, and nothing but time to tell them apart: one of these."""
    if weighed.carried and any(other.carried and other.change.service != weighed.change.service for other in others):
        candidate.sure = False
    at_its_place = weighed.change.service == context.start and is_recent(context, weighed)
    if _only_holds_it(weighed, others) and not at_its_place:
        candidate.sure = False
    if weighed.decided:
        return
    within = timedelta(seconds=context.tuning.changes.rival_within)
    rivals = [
        other
        for other in others
        if other is not weighed
        and other.change.service == weighed.change.service
        and not other.decided
        and age_at_onset(context, other.change) <= within
    ]
    if rivals and age_at_onset(context, weighed.change) <= within:
        candidate.sure = False
        candidate.rivals = tuple(sorted(other.change.id for other in rivals))
        first = rivals[0].change
        text = f"{short_change_text(first)} at {clock(first.at)} is of the same service: nothing but time tells them apart"
        evidence = [context.observations.change_evidence[first.id]]
        candidate.against.append(Claim(text=one_line(text, 400), evidence=evidence))


def _only_holds_it(weighed: WeighedChange, others: Sequence[WeighedChange]) -> bool:
    """Whether the commit that explains the trouble went out with changes of other services as well, and was made for none."""
    diff = weighed.code.diff
    if diff is None or not weighed.code.explains or weighed.code.its_own:
        return False
    holding = (other for other in others if other.change.service != weighed.change.service and other.code.diff)
    return any(other.code.explains and other.code.diff and other.code.diff.commit == diff.commit for other in holding)
