"""What the text of a declared incident says: which service is hurt, and since when."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone

from bot.core.questions.topics import named_in_order
from bot.core.service import Catalogue, Service

FURTHEST = timedelta(hours=24)
"""A time of day means the last such moment, and nothing that a person declares now began longer ago."""
_AROUND_MIDNIGHT = timedelta(hours=6)
"""A time of day that is still to come today was yesterday's only if that is no longer ago. Else it is in another time zone."""
_GENERIC = re.compile(r"[-_. ](?:service|svc|api|server|app|deployment)$")
"""People leave these endings out: they say checkout of checkout-service."""

_SINCE = r"(?:since|from|at|around|about|starting|started|began|begins|~)"
_TIME_OF_DAY = re.compile(
    rf"\b{_SINCE}\s+(?:(?:about|around|at|~)\s*)?(?P<hour>[01]?\d|2[0-3])"
    r"(?:[:h](?P<minute>[0-5]\d)(?::[0-5]\d)?\s?(?P<half>[ap]m)?|\s?(?P<half_alone>[ap]m))"
    r"(?:\s?(?P<zone>z\b|utc\b|gmt\b|[+-]\d\d:?\d\d|(?-i:[A-Z]{2,4}T\b)))?",
    re.IGNORECASE,
)
_DATE_AND_TIME = re.compile(
    r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?\s?(z\b|utc\b|gmt\b|[+-]\d\d:?\d\d|(?-i:[A-Z]{2,4}T\b))?",
    re.IGNORECASE,
)
_NUMBER = r"(?P<number>\d{1,3}|an?|half an)"
_UNIT = r"(?P<unit>m|mins?|minutes?|h|hrs?|hours?)\b"
_LENGTH = re.compile(rf"\b(?:(?:since|for|last|past)\s+(?:about\s+|the\s+last\s+)?{_NUMBER}\s*{_UNIT})", re.IGNORECASE)
_AGO = re.compile(rf"\b{_NUMBER}\s*{_UNIT}\s+ago\b", re.IGNORECASE)


def service_in(text: str, catalogue: Catalogue) -> str:
    """The service of the catalogue that a text names first, by its own name or one that another system has for it; else ""."""
    names = _names(catalogue)
    return next((names[name] for name in named_in_order(text, names)), "")


def began_at(text: str, now: datetime) -> datetime | None:
    """Since when, if the text says so: "since 14:05", "for 20 minutes", "an hour ago". Times of day are UTC without a zone.

    None where it says nothing, or a moment that cannot be meant: later than now, or more than a day ago.
    """
    moment = _dated(text) or _ago(text, now) or _time_of_day(text, now)
    return moment if moment and now - FURTHEST <= moment <= now else None


def _names(catalogue: Catalogue) -> dict[str, str]:
    """Every name of a service, its own first; what two services could be called is left out."""
    names = {name: name for name in catalogue.services}
    others: dict[str, set[str]] = {}
    for service in catalogue.services.values():
        for name in _other_names(service):
            others.setdefault(name, set()).add(service.name)
    return {**{name: next(iter(of)) for name, of in others.items() if len(of) == 1}, **names}


def _other_names(service: Service) -> Iterator[str]:
    known_as = [name.rsplit("/", 1)[-1] for name in service.known_as.values()]
    for name in (service.name, *known_as):
        yield name
        if (short := _GENERIC.sub("", name)) != name:
            yield short


def _dated(text: str) -> datetime | None:
    match = _DATE_AND_TIME.search(text)
    if match is None:
        return None
    day, clock, named = match.groups()
    zone = _zone(named or "z")
    if zone is None:
        return None
    try:
        return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)
    except ValueError:
        return None


def _ago(text: str, now: datetime) -> datetime | None:
    match = _AGO.search(text) or _LENGTH.search(text)
    if match is None:
        return None
    word = match["number"].lower()
    count = 0.5 if word.startswith("half") else 1.0 if word in ("a", "an") else float(word)
    return now - timedelta(hours=count) if match["unit"].lower().startswith("h") else now - timedelta(minutes=count)


def _time_of_day(text: str, now: datetime) -> datetime | None:
    match = _TIME_OF_DAY.search(text)
    zone = _zone(match["zone"] or "z") if match else None
    if match is None or zone is None:
        return None
    hour, half = int(match["hour"]), (match["half"] or match["half_alone"] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    moment = datetime.combine(now.astimezone(zone).date(), time(hour, int(match["minute"] or 0)), zone).astimezone(UTC)
    if moment <= now:
        return moment
    yesterday = moment - timedelta(days=1)
    return yesterday if now - yesterday <= _AROUND_MIDNIGHT else None


def _zone(name: str) -> timezone | None:
    """A zone that says its offset by itself; None for letters such as CET, which mean several."""
    if name.lower() in ("z", "utc", "gmt"):
        return UTC
    if name[0] not in "+-":
        return None
    digits = name[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if name[0] == "-" else offset) if offset < timedelta(hours=24) else None
