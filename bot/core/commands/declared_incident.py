"""What the text of a declared incident says: which service is hurt, and since when."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.commands.duration_words import duration_at, durations_ago
from bot.core.questions.parsing.topics import named_in_order
from bot.core.service import Catalogue, Service
from bot.core.text.clock_words import clock_at, dated_clocks
from bot.core.text.moments import date_to_the_minute
from bot.core.text.not_understood import NotUnderstood

FURTHEST = timedelta(hours=24)
"""Nothing that a person declares now began longer ago."""
_GENERIC = re.compile(r"[-_. ](?:service|svc|api|server|app|deployment)$")
"""People leave these endings out: they say checkout of checkout-service."""

_ABOUT = (
    r"(?:[\s:]*(?:(?:about|around|roughly|approximately|approx|circa|ca|nearly|almost|exactly|at|least|more|less|than|over|the|past"
    r"|last)\b\.?|~))*\s*"
)
_SINCE = re.compile(rf"(?<!\w)(?:(?P<since>since)|from|start(?:s|ed|ing)?|beg[ai]n|begins)\b{_ABOUT}", re.IGNORECASE)
_FOR = re.compile(rf"(?<!\w)(?:for|last|past)\b{_ABOUT}", re.IGNORECASE)
_PAST_HOUR = re.compile(r"(?<=[pl]ast\s)hour\b(?!\s+and)", re.IGNORECASE)
_AT = re.compile(rf"(?<!\w)(?:(?:at|around|about)\b|~){_ABOUT}", re.IGNORECASE)
# "Jobs take over 20 minutes" and "lag is ~20 minutes" measure something else.
_OVER = re.compile(
    r"(?:\b(?P<measured>takes?|taking|took|lasts?|lag\w*|delay\w*|latency|is|are|was|of|by|behind|waits?|waiting|in|to|up|older)\s*)?"
    rf"(?:\b(?:over|more than)\b|~){_ABOUT}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Start:
    """When an incident began, as its text says; `unread`: why a time that it gives is none."""

    at: datetime | None = None
    unread: str = ""


def service_in(text: str, catalogue: Catalogue) -> str:
    """The service of the catalogue that a text names first, by its own name or one that another system has for it; else ""."""
    names = _names(catalogue)
    return next((names[name] for name in named_in_order(text, names)), "")


def began_at(text: str, now: datetime) -> datetime | None:
    """Since when, if the text says so for sure."""
    return start_in(text, now).at


def start_in(text: str, now: datetime) -> Start:
    """Since when: "since 14:05", "for 20 minutes", "an hour ago". Times of day are UTC without a zone, and the last before now.

    What could mean several moments, lies later than now, or more than a day ago, is no start.
    """
    try:
        moment = next(_moments(text, now), None)
    except NotUnderstood as error:
        return Start(unread=str(error))
    if moment is None or now - FURTHEST <= moment <= now:
        return Start(moment)
    return Start(unread=f"{date_to_the_minute(moment)} {'has not come yet' if moment > now else 'is more than a day ago'}")


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


def _moments(text: str, now: datetime) -> Iterator[datetime]:
    """The moments that a text names, the plainest words for a beginning first. Raises NotUnderstood."""
    yield from dated_clocks(text, now)
    yield from _since(text, now)
    for words in _FOR.finditer(text):
        if length := duration_at(text, words.end()) or (timedelta(hours=1) if _PAST_HOUR.match(text, words.end()) else None):
            yield now - length
    yield from (now - length for length in durations_ago(text))
    for words in _AT.finditer(text):
        if at := clock_at(text, words.end(), now):
            yield at
    for words in _OVER.finditer(text):
        if not words["measured"] and (length := duration_at(text, words.end())):
            yield now - length


def _since(text: str, now: datetime) -> Iterator[datetime]:
    for words in _SINCE.finditer(text):
        at = clock_at(text, words.end(), now)
        length = duration_at(text, words.end()) if words["since"] else None
        if at and length:  # "since 2h15"
            raise NotUnderstood(f'"{words[0]}{text[words.end() :].split()[0]}" is a time of day or a duration')
        if at or length:
            yield at or now - (length or timedelta())
