"""Which reported changes are what an action of the bot did: a pipeline reports a rollback as one more deploy."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.change import Change

REPORTED_BEFORE = timedelta(seconds=30)
"""Clocks of two systems differ by so much."""
REPORTED_WITHIN = timedelta(minutes=10)
"""A job that was started rolls out for so long; with a version that says which change it was."""
WITHOUT_VERSION_WITHIN = timedelta(minutes=1)


class ActionRun(NamedTuple):
    """One run of an approved action."""

    proposal: str
    """`AP-3`."""
    service: str
    at: datetime
    versions: Set[str]
    """The versions that its arguments name; empty for an action that changes none."""


def with_own(changes: Iterable[Change], runs: Sequence[ActionRun]) -> list[Change]:
    """The changes, each that a run made with the proposal it came from."""
    return [_with_run(change, runs) for change in changes]


def _with_run(change: Change, runs: Sequence[ActionRun]) -> Change:
    own = next((run for run in runs if _made_by(change, run)), None)
    return change.model_copy(update={"by_action": own.proposal}) if own else change


def _made_by(change: Change, run: ActionRun) -> bool:
    named = change.version and change.version in run.versions
    within = REPORTED_WITHIN if named else WITHOUT_VERSION_WITHIN
    same = change.service == run.service and (named or not change.version or not run.versions)
    return bool(same) and run.at - REPORTED_BEFORE <= change.at <= run.at + within
