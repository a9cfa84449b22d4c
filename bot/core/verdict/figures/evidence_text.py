"""The texts of evidence, and the moments that they name."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.core.evidence import LedgerEntry

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?")
_CLOCK = re.compile(r"(?<![\w:.-])(\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?Z?(?![\w:])")
_VERSION = re.compile(r"\bv?\d+(?:\.\d+){2,}[\w.+-]*")


def evidence_text(entry: LedgerEntry) -> str:
    """Everything that one entry says: summary, query, lines, facts, window, arguments and link."""
    evidence = entry.evidence
    window = f"{evidence.window.start.isoformat()} {evidence.window.end.isoformat()}" if evidence.window else ""
    facts = json.dumps(evidence.facts.model_dump(mode="json"), ensure_ascii=False)
    arguments = json.dumps(dict(entry.arguments), ensure_ascii=False, default=str)
    return "\n".join((evidence.summary, evidence.query, *evidence.details, facts, window, arguments, evidence.link))


def without_marks(text: str) -> str:
    """The text without quotation marks of any kind."""
    return re.sub(r"[\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb]", "", text)


def without_moments(text: str) -> str:
    """The text with blanks in place of dates, times of day and versions: none of their digits is a figure."""
    for pattern in (_ISO, re.compile(r"\b\d{4}-\d{2}-\d{2}\b"), _CLOCK, _VERSION):
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return text


def iso_moments(text: str) -> Iterator[datetime]:
    """The moments of a text that are written with their date."""
    for written in _ISO.findall(text):
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            continue
        yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def clock_moments(text: str, day_of: datetime) -> Iterator[datetime]:
    """Times of day as moments: the last such time before the evidence came."""
    came = day_of.astimezone(UTC)
    for hour, minute, second in _CLOCK.findall(text):
        if int(hour) < 24 and int(minute) < 60 and int(second or 0) < 60:
            moment = came.replace(hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=0)
            yield moment if moment <= came + timedelta(minutes=5) else moment - timedelta(days=1)


def of_day(moment: datetime) -> float:
    utc = moment.astimezone(UTC)
    return 3600 * utc.hour + 60 * utc.minute + utc.second + utc.microsecond / 1e6


def clock_times(text: str, day_of: datetime) -> Iterator[datetime]:
    """The times of day of a text without a date, as moments."""
    return clock_moments(_ISO.sub(" ", text), day_of)
