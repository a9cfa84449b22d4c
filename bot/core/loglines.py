"""What stands in a log line: its moment, its level and, with numbers masked, its kind."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.log import LogLine

MAX_LINE = 2_000
"""Characters kept of one line."""
_ISO = re.compile(r"[\[(\"]?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?")
_COMMON_LOG = re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_SYSLOG = re.compile(r"(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) ")
_JSON_TIMES = ("@timestamp", "timestamp", "time", "ts", "at")
_JSON_TEXTS = ("message", "msg", "event", "log", "error")
_JSON_LEVELS = ("level", "severity", "lvl")
_LEVELS = {"err": "error", "warning": "warn", "critical": "fatal", "crit": "fatal", "panic": "fatal", "notice": "info"}
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|FATAL|PANIC)\b", re.IGNORECASE)
_LEVEL_WITHIN = 80
"""Characters from the start in which a level is looked for: further on the word belongs to the message."""


def read_line(text: str, *, newest: datetime) -> LogLine | None:
    """One line of a file as a LogLine; None if it carries no moment (a continuation of the line before).

    Understands JSON lines, ISO 8601, the common log format and syslog; a moment without a zone is UTC, one without
    a year is the latest that is not after `newest`.
    """
    text = text[:MAX_LINE]
    if text.startswith("{") and (line := _json_line(text)) is not None:
        return line
    at = _moment(text, newest)
    return LogLine(at=at, text=text.strip(), level=level_of(text)) if at else None


def level_of(text: str) -> str:
    """`error`, `warn`, `info`, ... from the start of a line; "" if it names none."""
    match = _LEVEL.search(text[:_LEVEL_WITHIN])
    return _level(match.group(1)) if match else ""


def _level(word: str) -> str:
    return _LEVELS.get(word.strip().lower(), word.strip().lower())[:10]


def _json_line(text: str) -> LogLine | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    at = _number_or_text(_first(fields, _JSON_TIMES))
    if at is None:
        return None
    level = _first(fields, _JSON_LEVELS)
    return LogLine(at=at, text=text, level=_level(level) if isinstance(level, str) else "")


def message_of(text: str) -> str:
    """The message of a JSON line; any other line as it is."""
    try:
        fields = json.loads(text) if text.startswith("{") else {}
    except (ValueError, RecursionError):
        return text
    message = _first(fields, _JSON_TEXTS) if isinstance(fields, dict) else None
    return message if isinstance(message, str) and message else text


def _first(fields: dict[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def _number_or_text(value: Any) -> datetime | None:
    if isinstance(value, str):
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        # Seconds, milliseconds or nanoseconds: only one of them lies in this century.
        seconds = value / 1e9 if value > 1e17 else value / 1e3 if value > 1e11 else value
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _moment(text: str, newest: datetime) -> datetime | None:
    if at := _iso(text):
        return at
    if match := _COMMON_LOG.search(text[:200]):
        return _stamped(match.group(1), "%d/%b/%Y:%H:%M:%S %z")
    if match := _SYSLOG.match(text):
        at = _stamped(f"{newest.year} {match.group(1)}", "%Y %b %d %H:%M:%S")
        return at.replace(year=at.year - 1) if at and at > newest and (at - newest).days > 1 else at
    return None


def _iso(text: str) -> datetime | None:
    match = _ISO.match(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    return _stamped(f"{day} {clock}.{(fraction or '0')[:6]} {zone or 'Z'}", "%Y-%m-%d %H:%M:%S.%f %z")


def _stamped(text: str, form: str) -> datetime | None:
    try:
        at = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is set below where the form has none
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


# ---------------------------------------------------------------- templates

MASK = "<*>"
_MAX_TEMPLATE = 300
_WORDS = re.compile(r"[\w%µ]+|\W+")
_HAS_DIGIT = re.compile(r"\d")
_POD_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
"""The random end of a pod's name: Kubernetes draws it from these letters."""
_STATUS = re.compile(r"[1-5]\d\d")
_STATUS_NAMES = frozenset({"status", "code", "http", "returned", "answered", "status_code"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def template_of(text: str) -> str:
    """The kind of a line: every word that holds a digit masked, white space folded.

    The HTTP status stays where a word says that it is one, or after a method. Linear in the length, whatever the text is.
    """
    masked: list[str] = []
    name = method = ""
    for word in _WORDS.findall(" ".join(text[:_MAX_TEMPLATE].split())):
        random = _HAS_DIGIT.search(word) or (masked[-2:] == [MASK, "-"] and _POD_SUFFIX.fullmatch(word))
        # Of a request's numbers the first that stands alone is its status; those in its path are joined by slashes.
        announced = name in _STATUS_NAMES or (method and masked[-1].endswith(" "))
        if not random or (announced and _STATUS.fullmatch(word)):
            masked.append(word)
            method = "" if random else method or (word if word in _METHODS else "")
        elif not _continues(masked):
            masked.append(MASK)
        name = word.lower() if word[0].isalnum() else name
    return "".join(masked)


def _continues(masked: list[str]) -> bool:
    """True after a mask and a joining character, so that `10.2.0.7` and `2026-01-05` are one mask, not four."""
    if len(masked) >= 2 and masked[-2] == MASK and masked[-1] in (".", "-", ":", "+"):
        masked.pop()
        return True
    return False


@dataclass(frozen=True)
class TemplateCount:
    """How often one kind of line came in a window, and in the window of equal length before it."""

    template: str
    count: int
    before: int
    last: str = ""
    """When it came last in the window (ISO 8601); "" if it did not."""


def count_templates(now: Iterable[LogLine], before: Iterable[LogLine]) -> list[TemplateCount]:
    """The kinds of lines of both windows, those that grew most first; a kind that fell silent is kept as well."""
    counts: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for line in now:
        template = template_of(message_of(line.text))
        counts[template] += 1
        last[template] = max(line.at, last.get(template, line.at))
    earlier = Counter(template_of(message_of(line.text)) for line in before)
    rows = [
        TemplateCount(one, counts[one], earlier[one], last[one].isoformat() if one in last else "") for one in counts | earlier
    ]
    return sorted(rows, key=lambda row: (-_growth(row), -row.count, row.template))


def _growth(row: TemplateCount) -> float:
    """How many standard deviations of a Poisson count the change is, with one line more as prior."""
    return (row.count - row.before) / math.sqrt(row.before + 1)
