"""Causes that lines name outside, weighed against the changes that may be behind them.

A name that is not resolved, or a credential that has expired, may be what a change did.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.diffs.effects.deployment.rules import ALLOWED_BEFORE
from bot.core.facts.code import DiffFact
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.changes.code_evidence import BENEATH
from bot.core.ranking.context import RankingContext, unknown_services

_CREDENTIAL = re.compile(r"^A (?:certificate|credential|token)\b")
"""Not by the name of a service, which a cause holds as well."""
_ISSUES = re.compile(
    r"(^|[^a-z])(vault|iam|sts|pki|kms|secrets?|secrets?.?manager|keycloak|cert.?manager|acme)([^a-z]|$)", re.I
)
"""Names and files of what gives credentials out."""
_UNRESOLVED = re.compile(r"are not resolved$")
_RESOLVES = re.compile(
    r"(^|[^a-z])(core)?dns([^a-z]|$)|resolv\.?conf|resolved([^a-z]|$)|corefile|hosted.?zone|(^|[^a-z])route53", re.I
)
"""Names and files of what resolves names."""


def weigh_against_changes(causes: Iterable[Candidate], changes: Sequence[Candidate], context: RankingContext) -> None:
    """Make each cause as likely and as sure as the changes around it leave it."""
    explained = any(change.explained for change in changes)
    for cause in causes:
        named, credential = cause.kind in ("external", "resource"), bool(_CREDENTIAL.search(cause.cause))
        if explained and (cause.kind == "unknown" or credential):
            # A record that nobody can process may be what a change puts there, a credential may end as nobody renews it.
            cause.likelihood *= context.tuning.outside.explained_otherwise
        if _UNRESOLVED.search(cause.cause) and (resolver := _changed_resolver(changes, context)):
            cause.likelihood = min(cause.likelihood, context.tuning.outside.explained_otherwise * resolver)
            cause.leads_only = True
        cause.sure = not cause.leads_only and (cause.sure or (named and _no_change_fits(cause, changes, context)))
        cause.sure = cause.sure and not (credential and (explained or _changed(_ISSUES, context)))
        cause.sure = cause.sure and not (_UNRESOLVED.search(cause.cause) and _changed(_RESOLVES, context))


def _no_change_fits(cause: Candidate, changes: Sequence[Candidate], context: RankingContext) -> bool:
    """Whether the changes of a service and around it were listed, and something speaks against each, or little for it.

    What is used up may be used up by a change: of the minutes before it each has to be cleared.
    """
    lists, least = context.observations.change_list_evidence, context.tuning.outside.rival * cause.likelihood
    listed = "" in lists or cause.service in lists
    if cause.kind == "external" and _changed_beneath(context):
        return False
    recent = timedelta(seconds=context.tuning.changes.sure_within)
    spared = (
        change.likelihood <= least
        and not (cause.kind == "resource" and change.began is not None and context.onset - change.began <= recent)
        for change in changes
        if not change.cleared
    )
    return listed and all(spared)


def _changed_beneath(context: RankingContext) -> bool:
    """Whether the network, its rules or the cluster were changed minutes before: anything may rest on them."""
    recent, beneath = timedelta(seconds=context.tuning.changes.sure_within), unknown_services(context)
    return any(
        change.service in beneath
        and -ONSET_TOLERANCE <= context.onset - change.at <= recent
        and any(BENEATH.search(text) for text in (change.service, *_paths_of(context, change)))
        for change in context.observations.changes.values()
    )


def _changed(kind: re.Pattern[str], context: RankingContext) -> bool:
    """Whether something of a kind was changed that nobody calls: what gives credentials out, or resolves names."""
    beneath = unknown_services(context)
    return any(
        change.service in beneath and any(kind.search(text) for text in (change.service, *_paths_of(context, change)))
        for change in context.observations.changes.values()
        if change.at <= context.onset
    )


def _changed_resolver(causes: Iterable[Candidate], context: RankingContext) -> float:
    """How likely a change of what resolves names brought it about, where more than its moment speaks for that; else 0."""
    changes = context.observations.changes
    likely = (
        cause.likelihood
        for cause in causes
        if (cause.explained or cause.jumped)
        and _may_hinder_names(cause.service, _commits_of(context, changes[cause.change_id]))
    )
    return max(likely, default=0.0)


def _may_hinder_names(service: str, commits: Sequence[DiffFact]) -> bool:
    """Whether a change is of what resolves names, or of whom that can be called by."""
    ruled = any(effect.before == ALLOWED_BEFORE for diff in commits for effect in diff.effects)
    return ruled or any(_RESOLVES.search(text) for text in (service, *(path for diff in commits for path in diff.paths)))


def _paths_of(context: RankingContext, change: Change) -> list[str]:
    return [path for diff in _commits_of(context, change) for path in diff.paths]


def _commits_of(context: RankingContext, change: Change) -> list[DiffFact]:
    """The commit that a change was rolled out for."""
    brought = (c for c in context.observations.code if (c.service, c.version) == (change.service, change.version) and c.diffs)
    return [max(code.diffs, key=lambda diff: diff.at) for code in brought]
