"""What all sources share: bytes to JSON within limits, texts within sizes. Nothing is dropped for its size; it is cut.

The limits are those of the threat model's section 5. Of a key that stands twice in one object the last value counts.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TypeVar

from pydantic_core import from_json

from bot.core.errors import TooManyItems, UnreadableBody
from bot.core.memo import Memo
from bot.core.redaction.redaction import redact
from bot.core.redaction.screening import redact_each
from bot.core.text.untrusted import escape_controls
from bot.plugins import Rejected

MAX_LABELS = 64
MAX_NAME = 128
MAX_VALUE = 2048
MAX_ANNOTATION = 8192
MAX_DEPTH = 64
MAX_ITEMS = 10_000
NEAR = timedelta(minutes=10)
"""Clocks differ; a start further ahead than this counts as unknown, and so does one without a zone that is further off."""
FIRST = ("alertname", "severity", "service", "job", "instance", "pod", "namespace", "cluster")
"""Labels that stay when there are too many."""

_SHORT = 1024
"""Texts up to here are remembered once they are clean."""
_LONGEST_NAME = 4 * MAX_NAME

Raw = TypeVar("Raw")
T = TypeVar("T")
_STRINGS = re.compile(rb'"[^"]*"')
_UNIX = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))


def parse(body: bytes) -> object:
    """JSON of a body. NaN, infinities, lone surrogates and depth over 64 are refused with a reason."""
    if too_deep(body):
        raise UnreadableBody(f"nested deeper than {MAX_DEPTH}")
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        if not body.strip():
            raise UnreadableBody("not readable as JSON: the body is empty") from None
        if (recoded := _in_utf8(body)) is not None:
            return parse(recoded)
        raise UnreadableBody(f"not readable as JSON: {str(error)[:200]}") from None


def _in_utf8(body: bytes) -> bytes | None:
    """A body in the character set of an older system, UTF-16 or Windows' for Western Europe; None if it is UTF-8."""
    charset: str = json.detect_encoding(body)
    if charset.startswith("utf-8"):
        try:
            body.decode()
        except UnicodeDecodeError:
            charset = "cp1252"
        else:
            return None
    return body.decode(charset, "replace").encode()


def too_deep(body: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether JSON is nested deeper than `limit`, before anything is parsed; 5 MiB take some 30 ms.

    Escapes and strings go, then each pass takes the innermost pairs away.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    brackets = _STRINGS.sub(b"", bare).replace(b"{", b"[").replace(b"}", b"]")
    for _ in range(limit):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    return b"[]" in brackets or brackets.count(b"[") > limit


def read_each(
    items: Sequence[Raw],
    read: Callable[[Raw, str], T],
    prefix: str = "",
    *,
    raw: Callable[[Raw], object] = lambda item: item,
) -> tuple[list[T], list[Rejected]]:
    """Read every item; one that cannot be read is set aside (as `raw` gives it). Raises if none can be read."""
    if len(items) > MAX_ITEMS:
        raise TooManyItems(f"more than {MAX_ITEMS} in one body", field=prefix or "body")
    if not items:
        return [], []
    screen(items)
    results: list[T] = []
    rejected: list[Rejected] = []
    first: UnreadableBody | None = None
    for number, item in enumerate(items):
        try:
            results.append(read(item, f"{prefix}.{number}" if prefix else str(number)))
        except UnreadableBody as error:
            first = first or error
            rejected.append(Rejected(error.field, str(error), _as_bytes(raw(item))[:65536]))
    if first is not None and not results:
        raise first
    return results, rejected


def labels(values: Mapping[str, object] | None) -> dict[str, str]:
    """Labels as short one-line texts without secrets. Of more than 64 the usual ones stay and the rest is counted."""
    return _texts(values or {}, lambda value: escape_controls(clean(value)))


def annotations(values: Mapping[str, object] | None) -> dict[str, str]:
    """Annotations as texts without secrets, lines kept."""
    return _texts(values or {}, lambda value: clean(value, MAX_ANNOTATION))


def _texts(values: Mapping[str, object], text: Callable[[object], str]) -> dict[str, str]:
    names: Iterable[str] = values
    if len(values) > MAX_LABELS:
        names = list(dict.fromkeys([*(n for n in FIRST if n in values), *values]))[:MAX_LABELS]
    texts = {_name(str(name)[:_LONGEST_NAME]): text(values[name]) for name in names if name != ""}
    if len(values) > MAX_LABELS:
        texts["tocsin_left_out"] = f"{len(values) - MAX_LABELS} more"
    return texts


def clean(value: object, limit: int = MAX_VALUE) -> str:
    """One untrusted value as text of at most `limit` characters, without secrets and without NUL, which no database takes."""
    if isinstance(value, str):
        if len(value) <= _SHORT:
            return cut_marked(_cleaned(value), limit)
        text = value
    elif value is None:
        text = ""
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        # Python refuses to print numbers of more than 4,300 digits.
        text = "a very large number" if isinstance(value, int) and value.bit_length() > 4096 else str(value)
    # A secret across the cut must still be seen whole.
    return cut_marked(redact(text[: limit + 512]).replace("\0", "\\u0000"), limit)


_CLEANED: Memo[str, str] = Memo(16_384)
"""Alerts repeat, and so do their labels: looking for secrets is what reading them costs."""


def screen(items: Iterable[object]) -> None:
    """Redact the short texts of all items in one pass, so that each of them is found clean when it is read."""
    fresh = list(dict.fromkeys(text for text in _texts_in(items) if len(text) <= _SHORT and _CLEANED.get(text) is None))
    for text, redacted in zip(fresh, redact_each(fresh), strict=True):
        _CLEANED.put(text, redacted.replace("\0", "\\u0000"))


def _texts_in(items: Iterable[object]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            yield from _texts_in(item.values())
        elif isinstance(item, list):
            yield from _texts_in(item)


def _cleaned(text: str) -> str:
    cleaned = _CLEANED.get(text)
    if cleaned is None:
        cleaned = redact_each((text,))[0].replace("\0", "\\u0000")
        _CLEANED.put(text, cleaned)
    return cleaned


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    return cut_marked(escape_controls(text), MAX_NAME)


def clean_line(value: object, limit: int = MAX_NAME) -> str:
    """An untrusted name: one line, no control characters."""
    return escape_controls(clean(value, limit))


def cut_marked(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 7] + "… (cut)"


def fingerprint(values: object) -> str:
    """Identity of whatever JSON holds, for senders that give none."""
    return hashlib.sha256(_dumped(values)).hexdigest()[:16]


def _as_bytes(item: object) -> bytes:
    """An item to be kept aside; what cannot even be written down again takes no other item with it."""
    try:
        return _dumped(item)
    except UnreadableBody:
        return b"(an item with a number that cannot be printed)"


def _dumped(values: object) -> bytes:
    try:
        return json.dumps(values, sort_keys=True, default=str).encode()
    except ValueError:
        raise UnreadableBody("a number of more than 4,300 digits") from None


def moment(value: object, field: str, zone: tzinfo = UTC) -> datetime | None:
    """An ISO 8601 moment or Unix time as aware UTC; None for absent and Go's zero time. Raises UnreadableBody.

    Unix time may be a text, as shells write it, and in seconds or in smaller parts of them. `zone`: of a time that names none.
    """
    if value in (None, "", 0) or (isinstance(value, str) and value.startswith("0001-")):
        return None
    try:
        number = float(value) if isinstance(value, str) and _UNIX.fullmatch(value) else value
        if isinstance(number, int | float) and not isinstance(number, bool):
            return datetime.fromtimestamp(_seconds(number), UTC)
        parsed = datetime.fromisoformat(str(value)[:64])
        parsed = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableBody("not a moment in ISO 8601", field=field) from None
    if not 1970 < parsed.year < 2200:
        raise UnreadableBody("a moment outside 1971 to 2199", field=field)
    return parsed


def _seconds(number: float) -> float:
    """Of Unix time in seconds, milliseconds, microseconds or nanoseconds."""
    for _ in range(3):
        number = number / 1000 if number > 1e11 else number
    return number


def start_moment(value: object, field: str, received_at: datetime, zone: tzinfo = UTC) -> datetime:
    """When it began. Absent or further ahead than clocks differ: when it was received, which means "start unknown"."""
    return start_or_arrival(moment(value, field, zone), received_at)


def start_or_arrival(start: datetime | None, received_at: datetime) -> datetime:
    """A start; the arrival where there is none or it is further ahead than clocks differ."""
    return received_at if start is None or start > received_at + NEAR else start


def without_zone(as_utc: datetime | None, field: str, received_at: datetime) -> tuple[datetime | None, tuple[str, ...]]:
    """What counts of an alert's time that names no zone, and what is questionable about it.

    Hours off from its arrival it may be a local time: as UTC a new alert would be backlog, or its start a wrong onset.
    """
    if as_utc is None or abs(received_at - as_utc) <= NEAR:
        return as_utc, ()
    return None, (f"{field} names no time zone and is far from now in UTC: the arrival counts. Set `time_zone` of the source",)
