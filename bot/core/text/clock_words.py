"""Times of day as people write them: "14:05", "9am PT", "yesterday 22:00 UTC+2", "noon", "2026-03-01T02:00Z"."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from bot.core.text.not_understood import NotUnderstood
from bot.core.text.time_zones import zone_at

_TODAY_ELSEWHERE = timedelta(hours=10)
"""A time that is still to come today, without a zone, was yesterday's only if it is no longer ago: else some zone (the first
is 14 hours ahead) has it today already, and the writer may be there."""

_CLOCK = re.compile(
    r"(?:(?P<word>noon|midday|midnight)\b"
    r"|(?P<hour>[01]?\d|2[0-3])"
    r"(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?:\s?(?P<half>[ap]\.?m\b\.?))?(?!\d)"
    r"|h(?P<minute_h>[0-5]\d)(?!\w)"
    r"|\s?(?P<half_alone>[ap]\.?m\b\.?)))",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)\b\.?"
)
_OTHER_DAY = (
    r"(?<!\w)(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tue|wed|thu|fri|sat|sun)\b|tomorrow|last\s+(?:night|week)"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?|\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTH}(?:\s+\d{{4}})?"
    r"|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{1,2}/\d{1,2}(?:/\d\d)?)"
)
_AFTER = re.compile(
    rf"\)?\s*,?\s*(?:(?P<day>yesterday|today)\b|(?P<other>(?:on\s+)?(?:the\s+)?{_OTHER_DAY}|[+-]\d"
    r"|in\s+the\s+(?:morning|afternoon|evening|night)\b|at\s+night\b|this\s+(?:morning|afternoon|evening)\b|tonight\b))",
    re.IGNORECASE,
)
"""What behind a time of day says its day, or makes another time of it."""
_BEFORE = re.compile(rf"{_OTHER_DAY}\W*(?:(?:at|around|about|from|since)\W*)*$", re.IGNORECASE)
_DAY = re.compile(
    r"(?<![\w-])(?:(?P<date>\d{4}-\d\d-\d\d)(?:T|,?\s+)|(?P<word>yesterday|today)\b,?\s*)(?:(?:at|around|about|~)\s*)*",
    re.IGNORECASE,
)


def clock_at(text: str, position: int, now: datetime) -> datetime | None:
    """The moment of the time of day that stands at a position of a text; None where none does. Raises NotUnderstood."""
    match = _CLOCK.match(text, position)
    if match is None:
        return None
    if other := _BEFORE.search(text, 0, position):
        raise _not_understood(other[0] + match[0])
    return _moment(match, "", now)


def dated_clocks(text: str, now: datetime) -> Iterator[datetime]:
    """The moment of each time of day that stands behind its day in a text. Raises NotUnderstood."""
    for day in _DAY.finditer(text):
        if match := _CLOCK.match(text, day.end()):
            yield _moment(match, day["date"] or day["word"], now)


def _moment(match: re.Match[str], day: str, now: datetime) -> datetime:
    """The last moment, until now, of a time of day; on its day if that is given."""
    text, end = match.string, match.end()
    if not day and text[end : end + 1] == "-":
        raise _not_understood(text[match.start() : end + 6])  # "02:00-03:00" may be a range as well as an offset
    zone, end = zone_at(text, end)
    after = _AFTER.match(text, end)
    if after and (day or after["other"]):
        raise _not_understood(text[match.start() : after.end()])
    day = day or (after["day"] if after else "")
    today = now.astimezone(zone.place).date()
    # Summer time's end has an hour twice: the later one first.
    moments = [
        datetime.combine(on, _time(match), zone.place).replace(fold=fold) for on in _dates(day, today) for fold in (1, 0)
    ]
    moment = next((moment for moment in moments if moment <= now), moments[0])
    if not zone.holds_at(moment):
        raise NotUnderstood(f"{zone.name} is not what its clocks show then")
    if not day and not zone.name and moment.date() != today and now - moment > _TODAY_ELSEWHERE:
        raise NotUnderstood(f"{match[0]} UTC has not come yet")
    return moment.astimezone(UTC).replace(fold=0)


def _dates(day: str, today: date) -> list[date]:
    yesterday = today - timedelta(days=1)
    if not day:
        return [today, yesterday]
    if day[0].isdigit():
        try:
            return [date.fromisoformat(day)]
        except ValueError as error:
            raise _not_understood(day) from error
    return [yesterday if day.lower() == "yesterday" else today]


def _time(match: re.Match[str]) -> time:
    if word := match["word"]:
        return time(0 if word.lower() == "midnight" else 12)
    hour, half = int(match["hour"]), (match["half"] or match["half_alone"] or "")[:1].lower()
    if half and not 1 <= hour <= 12:
        raise _not_understood(match[0])
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    return time(hour, int(match["minute"] or match["minute_h"] or 0), int(match["second"] or 0))


def _not_understood(words: str) -> NotUnderstood:
    return NotUnderstood(f'"{words.strip()}" is not understood')
