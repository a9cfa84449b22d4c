"""When a schedule that a diff sets comes due: what begins in that minute was rather started by it than by chance."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from bot.core.facts.code import EffectFact

_QUIET = timedelta(minutes=20)
"""So long before nothing may have come due: what runs every few minutes begins with anything."""
_LATEST = timedelta(minutes=3)
"""So long after it came due a signal may leave its normal range."""


def came_due(effect: EffectFact, onsets: Iterable[datetime], rolled_out_at: datetime) -> datetime | None:
    """When the schedule first came due after its roll-out, if that was just before one of these onsets; None otherwise.

    Cron expressions of five fields, in UTC; another text is no schedule.
    """
    if effect.kind != "schedule" or not effect.after:
        return None
    new, old = _trigger(effect.after), _trigger(effect.before)
    if new is None:
        return None
    for onset in sorted(onsets):
        due: datetime | None = new.get_next_fire_time(None, onset - _QUIET - _LATEST)
        just_before = due is not None and onset - _LATEST <= due <= onset + timedelta(minutes=1)
        if due and just_before and due > rolled_out_at and not (old and _near(old, due)):
            return due
    return None


def _near(trigger: CronTrigger, moment: datetime) -> bool:
    due = trigger.get_next_fire_time(None, moment - _LATEST)
    return due is not None and due <= moment + _LATEST


def _trigger(text: str) -> CronTrigger | None:
    try:
        return CronTrigger.from_crontab(text.strip("\"' "), timezone="UTC")
    except ValueError:
        return None
