"""Time zones as people write them behind a time of day: UTC, UTC+2, +02:00, PT, CEST, Asia/Tokyo, Pacific."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.text.not_understood import NotUnderstood

_PLACES = {
    "America/Los_Angeles": ("pt", "pst", "pdt", "pacific"),
    "America/New_York": ("et", "est", "edt", "eastern"),
    "Europe/Berlin": ("cet", "cest"),
}
_NAMED = {name: place for place, names in _PLACES.items() for name in names}
_WHOLE_YEAR = frozenset({"pt", "et", "pacific", "eastern"})
"""Names that mean whichever of standard and summer time is in force; the others have to be the one that is."""
_FURTHEST = timedelta(hours=14)
"""No zone is further from UTC."""

_MINUTES = "(?:00|15|30|45)"
_READ = (
    rf"(?:utc|gmt)(?:\s?[+-]\d{{1,2}}(?::?{_MINUTES})?(?![\d:]))?(?!\w|[+-])|z\b|[+-]\d\d:?{_MINUTES}(?![\d:])"
    r"|(?:pst|pdt|pt|est|edt|et|cet|cest)\b|(?:pacific|eastern)(?=\s+(?:\w+\s+)?time\b|\W*$)|(?-i:[A-Z]\w+(?:/[A-Z]\w+)+)"
)
# What is plainly a zone too, and not read: some of these letters mean several. Regions of a cloud are called "eastern" as well.
_OTHER = (
    r"(?:ac[ds]t|ae[ds]t|ak[ds]t|aw[ds]t|brt|bst|c[ds]?t|eat|eest|eet|hkt|hst|ist|jst|kst|m[ds]?t|msk|nz[ds]t|pht|pkt|sast|sgt|wast"
    r"|wat|wib|eastern|pacific|central|mountain|local)\b|(?-i:(?!GET|PUT|POST)[A-Z]{2,5}T)\b"
    r"|(?:(?-i:[A-Z][a-z]+(?: [A-Z][a-z]+)?)|my|our|your) time\b"
)
_ZONE = re.compile(rf"\s*,?\s*\(?(?:(?P<name>{_READ})|(?P<other>{_OTHER}))", re.IGNORECASE)


@dataclass(frozen=True)
class Zone:
    """Where a time of day holds; `name` as it was written, "" where none was."""

    place: tzinfo = UTC
    name: str = ""

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is called so at that moment: in July nothing is at "9am EST", whatever the writer means by it."""
        name = self.name.lower()
        return name not in _NAMED or name in _WHOLE_YEAR or moment.tzname() == name.upper()


def zone_at(text: str, position: int) -> tuple[Zone, int]:
    """The zone that stands at a position of a text, else UTC without a name; and where it ends. Raises NotUnderstood."""
    match = _ZONE.match(text, position)
    if match is None:
        return Zone(), position
    place = None if match["other"] else _place(match["name"])
    if place is None:
        raise NotUnderstood(f'the time zone "{(match["name"] or match["other"])[:40]}" is not understood')
    return Zone(place, match["name"]), match.end()


def _place(name: str) -> tzinfo | None:
    lower = name.lower()
    if lower in ("z", "utc", "gmt"):
        return UTC
    if "/" in name or lower in _NAMED:
        return _zone_info(_NAMED.get(lower, name))
    return _offset(lower.removeprefix("utc").removeprefix("gmt").strip())


def _offset(text: str) -> tzinfo | None:
    """The zone of "+2", "+0530" or "-03:00"; None for anything else, and for more than any zone is off."""
    if text[0] not in "+-":
        return None
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text[0] == "-" else offset) if offset <= _FURTHEST else None


def _zone_info(place: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(place)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
        return None
