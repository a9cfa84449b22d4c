"""Redaction of many texts at once: one pass over all of them together tells that nearly all hold nothing to redact.

The pattern matches wherever one of the detectors could find something, in any of their readings, and more often than that.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate

from bot.core.redaction import named_secrets, redaction, tables
from bot.core.redaction.gitleaks import keyword_patterns
from bot.core.redaction.personal import HINT
from bot.core.redaction.secret_formats import KINDS
from bot.core.text.patterns import Pattern, screen_of

_BETWEEN = "\n\0\n"
"""Stands between two texts: no pattern matches across it that would not match at a text's edge, and no text holds it."""
_WORD = re.compile(r"[A-Za-z0-9+/_\-]{16,}={0,2}")


_TYPICAL = (
    "HighErrorRate",
    "checkout-7d9f8b6c5-x2x4z",
    "10.0.0.12:9100",
    "eu-west-1a",
    "3f9a4c1d70b25e68",
    "93125472728",
    "2026-03-01T03:00:00.000Z",
    "Pod shop/checkout has restarted 3.2 times / 10 minutes: value is 3.7% for 5m.",
    "The measured value has been over its threshold for five minutes; see the runbook.",
    'sum(rate(errors_total{job="api", code=~"5.."}[5m])) by (service) / 2 > 0.05',
    "https://prometheus.example.com/graph?g0.expr=sum%28rate%28errors_total%7Bcode%3D%22500%22%7D%5B5m%5D%29%29&g0.tab=1",
)


def warm_up() -> None:
    """Let the patterns meet what alerts hold: they build their states as they read, and the first card would wait for it."""
    redact_each(_TYPICAL)


def redact_each(texts: Sequence[str]) -> list[str]:
    """The same as `redact` of each text."""
    if not texts:
        return []
    readings = {text: _readings(text) for text in texts}
    plain = [(text, reading) for text, reading in readings.items() if reading]
    suspects = {text for text, reading in readings.items() if not reading} | set(_suspects(plain))
    return [redaction.redact(text) if text in suspects else text for text in texts]


def redact_one(text: str) -> str:
    """The same as `redact`: most texts need none of its detectors, whose patterns take 20 MB."""
    return redact_each((text,))[0]


def redact_json(value: object) -> object:
    """The same as `redact_all`, in one pass over all of its texts; the value itself where nothing has to be redacted."""
    texts = list(dict.fromkeys(_texts_of(value)))
    redacted = {text: new for text, new in zip(texts, redact_each(texts), strict=True) if new != text}
    return _with_texts(value, redacted) if redacted else value


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_of(item)


def _with_texts(value: object, redacted: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return redacted.get(value, value)
    if isinstance(value, Mapping):
        return {name: _with_texts(item, redacted) for name, item in value.items()}
    return [_with_texts(item, redacted) for item in value] if isinstance(value, list | tuple) else value


def _readings(text: str) -> str:
    """The text, and behind it the text without its escapes; "" where letters look like others or nobody sees them."""
    reading = redaction.without_escapes(text) if text.isascii() else None
    if reading is None or not reading.isascii():
        return ""
    return text if reading == text else f"{text}{_BETWEEN}{reading}"


def _suspects(texts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The texts that one of the detectors has to look at: those that a match touches, wherever it ends."""
    joined = _BETWEEN.join([reading for _, reading in texts])
    ends = list(accumulate(len(reading) + len(_BETWEEN) for _, reading in texts))
    for start, end in _matches(joined):
        first, last = bisect_right(ends, start), bisect_right(ends, end - 1)
        yield from (text for text, _ in texts[first : last + 1])


def _matches(joined: str) -> Iterator[tuple[int, int]]:
    """Where one of the detectors may find something, and words that say something once they are decoded."""
    for screen in _screens():
        yield from (match.span() for match in screen.finditer(joined))
    encoded = {word for word in set(_WORD.findall(joined)) if redaction.decoded_word(word)}
    if encoded:
        yield from (match.span() for match in _WORD.finditer(joined) if match.group() in encoded)


@cache
def _screens() -> Sequence[Pattern]:
    """Four patterns: as one, their states multiply, and digits that are new would make new ones all the time."""
    forms = [pattern for patterns in KINDS.values() for pattern in patterns]
    others = (*keyword_patterns(), HINT, *redaction.PARTED, *tables.PATTERNS)
    return [*named_secrets.SCREENS, screen_of(*forms), screen_of(*others)]
