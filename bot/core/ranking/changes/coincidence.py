"""The one change just before the trouble of which nobody knows whether what fails rests on it: a coincidence is rare."""

from collections.abc import Set
from datetime import timedelta

from bot.core.change import Change
from bot.core.changes.recency import ONSET_TOLERANCE
from bot.core.ranking.context import RankingContext, remote_services


def is_coincident(context: RankingContext, change: Change, harmless: Set[str] = frozenset()) -> bool:
    """Whether it came just before the onset that was observed, and nothing else was changed within twice that time.

    Where much is rolled out, or flags are flipped, it is no coincidence. `harmless`: changes of which the code was read and
    has nothing to do with the trouble, by id.
    """
    within = timedelta(seconds=context.tuning.changes.coincident_within)
    if not (context.onset_observed and change.version and change.service in remote_services(context)):
        return False
    return _is_before(context, change, within) and not any(
        _is_before(context, other, 2 * within)
        for other in context.observations.changes.values()
        if other.id != change.id and other.id not in harmless and not other.by_action
    )


def _is_before(context: RankingContext, change: Change, within: timedelta) -> bool:
    return -ONSET_TOLERANCE <= context.onset - change.at <= within
