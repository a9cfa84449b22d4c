"""When a schedule that a diff sets comes due: what begins in that minute was rather started by it than by chance.

Cron expressions of five fields (POSIX crontab: minute, hour, day, month, day of the week), in UTC.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.core.facts.code import EffectFact

_QUIET = timedelta(minutes=20)
"""So long before nothing may have come due: what runs every few minutes begins with anything."""
_LATEST = timedelta(minutes=3)
"""So long after it came due a signal may leave its normal range."""
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_FIELD = re.compile(r"(?:\*|\d{1,2}(?:-\d{1,2})?)(?:/\d{1,2})?(?:,(?:\*|\d{1,2}(?:-\d{1,2})?)(?:/\d{1,2})?)*")
_FIELDS = 5


def came_due(effect: EffectFact, onsets: Iterable[datetime], rolled_out_at: datetime) -> datetime | None:
    """When the schedule first came due after its roll-out, if that was just before one of these onsets; None otherwise.

    None also where the schedule before came due then, and for a text that is no cron expression.
    """
    fields = _fields_of(effect.after) if effect.kind == "schedule" else []
    before = _fields_of(effect.before)
    for onset in sorted(onsets) if fields else ():
        due = _first_due(fields, onset - _QUIET - _LATEST, onset + _MINUTE)
        just_before = due is not None and due >= onset - _LATEST and due > rolled_out_at
        if due is None or not just_before or (before and _first_due(before, due - _LATEST, due + _LATEST)):
            continue
        # It was harmless when it came due before.
        if _first_due(fields, max(rolled_out_at, due - _DAY), due - _MINUTE) is None:
            return due
    return None


def _first_due(fields: list[str], since: datetime, until: datetime) -> datetime | None:
    minute = since.replace(second=0, microsecond=0)
    while minute <= until:
        if minute >= since and _is_due(fields, minute):
            return minute
        minute += _MINUTE
    return None


def _is_due(fields: list[str], moment: datetime) -> bool:
    minute, hour, day, month, weekday = fields
    # Sunday is 0 and 7.
    on_day, on_weekday = (
        _holds(day, moment.day),
        any(_holds(weekday, n) for n in {moment.isoweekday() % 7, moment.isoweekday()}),
    )
    # Where both are restricted either is enough.
    today = (on_day or on_weekday) if "*" not in (day, weekday) else (on_day and on_weekday)
    return today and _holds(minute, moment.minute) and _holds(hour, moment.hour) and _holds(month, moment.month)


def _holds(field: str, value: int) -> bool:
    """Whether a field such as `*/15`, `1-5` or `0,30` holds a number."""
    return any(_range_holds(part, value) for part in field.split(","))


def _range_holds(part: str, value: int) -> bool:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if span == "*":
        low, high = 0, value
    else:
        low = int(first)
        high = int(last) if last else value if step else low
    return low <= value <= high and (value - low) % (int(step) if step and int(step) else 1) == 0


def _fields_of(text: str) -> list[str]:
    """The five fields; none of any other text."""
    fields = text.strip("\"' ").split()
    return fields if len(fields) == _FIELDS and all(map(_FIELD.fullmatch, fields)) else []
