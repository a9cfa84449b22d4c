"""What an action of the bot changed, and which reported changes are that: a pipeline reports a rollback as one more deploy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import NamedTuple

from bot.core.change import Change

REPORTED_BEFORE = timedelta(seconds=30)
"""Clocks of two systems differ by so much."""
REPORTED_WITHIN = timedelta(minutes=10)
"""A job that was started rolls out for so long; with a version that says which change it was."""
WITHOUT_VERSION_WITHIN = timedelta(minutes=1)


OWN = "tocsin"
"""The source of a change that the bot recorded of its own run."""
_OWN_ID = "tocsin.action:"
"""No configured source has a dot in its name, so no reported change has such an id."""


class Direction(Enum):
    """Whether a run takes a change back or puts it in place again."""

    BACK = "back"
    FORWARD = "forward"


class ChangedVersions(NamedTuple):
    """What a service runs since a run, and what it ran before."""

    now: str
    before: str


def own_id(proposal: str) -> str:
    """The id of the change that the run of a proposal made."""
    return f"{_OWN_ID}{proposal}"


def changed_versions(arguments: Mapping[str, object], direction: Direction) -> ChangedVersions | None:
    """What a run with these arguments changed; None if they do not say to which version it goes."""
    new, old = str(arguments.get("version") or ""), str(arguments.get("previous_version") or "")
    versions = ChangedVersions(old, new) if direction is Direction.BACK else ChangedVersions(new, old)
    return versions if versions.now else None


class ActionRun(NamedTuple):
    """One run of an approved action."""

    proposal: str
    """`AP-3`."""
    service: str
    at: datetime
    versions: Set[str]
    """The versions that its arguments name; empty for an action that changes none."""
    took_back: str = ""
    """The id of the change that it was about: that is no change of its own, however soon after it the run began."""
    verified: bool = False
    """Whether its signal recovered."""


def with_own(changes: Iterable[Change], runs: Sequence[ActionRun]) -> list[Change]:
    """The changes, each that a run made with the proposal it came from; what a source reported of a run stands for it.

    Each that a verified run took back has the moment of that.
    """
    reports = list(changes)
    made_by = {id: run.proposal for run in reversed(runs) for id in _reports_of(run, reports)}
    merged = [_with_proposal(change, made_by.get(change.id, "")) for change in reports]
    reported = {change.by_action for change in merged if not _is_own(change)}
    own = [change for change in merged if not _is_own(change) or change.by_action not in reported]
    verified = {run.took_back: run for run in runs if run.verified}
    return [_with_undo(change, verified[change.id], own, runs) if change.id in verified else change for change in own]


def _with_undo(change: Change, run: ActionRun, changes: Iterable[Change], runs: Sequence[ActionRun]) -> Change:
    """The change with the moment of a run that was about it, where that took it back and it stayed away."""
    later = [c for c in changes if c.service == change.service and c.at > change.at]
    back = next((c for c in later if _is_by(run, c) and _goes_back(c, change)), None)
    return change.model_copy(update={"undone_at": run.at}) if back and _stays_away(change, back, later, runs) else change


def _goes_back(later: Change, change: Change) -> bool:
    """Whether it may be what took the change back: a config edit or a flag has no version that says so."""
    if change.version:
        return bool(later.version) and later.version == change.previous_version
    return not later.version and later.kind == change.kind


def _stays_away(change: Change, back: Change, later: Iterable[Change], runs: Sequence[ActionRun]) -> bool:
    if change.version:
        return not any(c.version == change.version and c.at > back.at for c in later)
    # What puts it in place again is about the same change, and no version tells which of the two a run did.
    return sum(run.took_back == change.id for run in runs) == 1


def _is_by(run: ActionRun, change: Change) -> bool:
    """Whether a run made it; what is recorded of a plan names the step too: `AP-3:1`."""
    return change.by_action.partition(":")[0] == run.proposal


def _is_own(change: Change) -> bool:
    return change.id.startswith(_OWN_ID)


def _with_proposal(change: Change, proposal: str) -> Change:
    by = change.id.removeprefix(_OWN_ID) if _is_own(change) else proposal
    return change.model_copy(update={"by_action": by}) if by else change


def _reports_of(run: ActionRun, changes: Iterable[Change]) -> Iterator[str]:
    """The ids of what was reported of a run: each with a version that it names, else of each source the one nearest to it.

    A run changes its service once: whatever else is edited there within the minute is somebody's, and may break it.
    """
    nearest: dict[str, Change] = {}
    named_by: set[str] = set()
    for change in sorted(filter(partial(_may_be_of, run), changes), key=lambda change: abs(change.at - run.at)):
        if change.version and change.version in run.versions:
            named_by.add(change.source)
            yield change.id
        nearest.setdefault(change.source, change)
    yield from (change.id for source, change in nearest.items() if source not in named_by)


def _may_be_of(run: ActionRun, change: Change) -> bool:
    named = change.version and change.version in run.versions
    within = REPORTED_WITHIN if named else WITHOUT_VERSION_WITHIN
    same = change.service == run.service and (named or not change.version or not run.versions)
    return bool(same) and change.id != run.took_back and run.at - REPORTED_BEFORE <= change.at <= run.at + within
