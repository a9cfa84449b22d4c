"""The fields of a log line: those of its JSON, however deep, or its pairs of key and value."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from bot.core.logs.line import LogLine

MOST_FIELDS = 60
MAX_VALUE = 120
"""A longer value is a text, and names nothing."""
_DEEPEST = 3
_PAIR = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,40})=(?:\"([^\"]{1,120})\"|([^\s,;\"')\]}]{1,120}))")


def fields_of(line: LogLine) -> Mapping[str, str]:
    """Name to value, nested names joined by a dot; the pod that wrote the line is `pod`. At most 60, values up to 120 long."""
    fields = dict(islice(_pairs(line.text), MOST_FIELDS))
    return {"pod": line.pod, **fields} if line.pod else fields


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    if text.startswith("{"):
        try:
            yield from _flat(json.loads(text), "", _DEEPEST)
            return
        except (ValueError, RecursionError):
            pass  # It only looks like JSON, or was cut: what pairs it holds still count.
    for name, quoted, bare in _PAIR.findall(text):
        yield name, quoted or bare


def _flat(value: object, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items() if depth else ():
            yield from _flat(inner, f"{name}.{key}" if name else str(key), depth - 1)
    elif isinstance(value, str | int) and name and 0 < len(str(value)) <= MAX_VALUE:
        yield name, str(value)
