"""What stands in a log line: its moment, its level and its message."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from bot.core.logs.failure_fields import failure_of
from bot.core.logs.line import LogLine
from bot.core.redaction.screening import redact_each

MAX_LINE = 2_000
"""Characters kept of one line."""
READ_LINE = 64 * 1024
"""Characters read of one: a JSON line that holds a stack trace is long, and cut anywhere it is no JSON."""
_MARGIN = 512
"""So many characters more are kept until secrets are removed: a secret across the cut must still be whole then."""
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
    if text.startswith("{") and (line := _json_line(text[:READ_LINE])) is not None:
        return line.model_copy(update={"text": shortened(text)})
    text = text[:MAX_LINE]
    at = _moment(text, newest)
    return LogLine(at=at, text=text.strip(), level=level_of(text)) if at else None


def shortened(text: str) -> str:
    """The part of a line that is kept; of a JSON line that is too long, its message."""
    return (message_of(text[:READ_LINE]) if len(text) > MAX_LINE else text)[: MAX_LINE + _MARGIN]


def without_secrets(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines redacted, then cut: before anything masks their numbers, since half a key is not recognised.

    Some 20 us a line: call it in a thread.
    """
    whole = list(lines)
    texts = redact_each([line.text for line in whole])
    return [line.model_copy(update={"text": text[:MAX_LINE]}) for line, text in zip(whole, texts, strict=True)]


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
    """The message of a JSON line, with what its other fields say of a failure; any other line as it is."""
    try:
        fields = json.loads(text) if text.startswith("{") else {}
    except (ValueError, RecursionError):
        return text
    message = _first(fields, _JSON_TEXTS) if isinstance(fields, dict) else None
    if not isinstance(message, str) or not message:
        return text
    failure = failure_of(fields, message)
    return f"{message}: {failure}" if failure else message


def _first(fields: dict[str, object], names: Iterable[str]) -> object:
    return next((fields[name] for name in names if name in fields), None)


def _number_or_text(value: object) -> datetime | None:
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
