"""Durations as people write them: "2h30m", "1 hour 20 minutes", "1.5 hours", "two and a half hours", "half an hour"."""

import re
from collections.abc import Iterator
from datetime import timedelta

from bot.core.text.not_understood import NotUnderstood

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""Units by their first letter."""
_ONES = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_TEENS = {"ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_WORDS = {"a": 1, "an": 1, **_ONES, **_TEENS, **_TENS}

_NUMBER = r"\d{1,4}(?:[.,]\d{1,2})?"
_WORD = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES)}))?|{'|'.join([*_ONES, *_TEENS])}|an?"
_AMOUNT = rf"(?:{_NUMBER}|(?:{_WORD})\b)"

# "5 m" is five minutes only where the sentence goes on without a noun: "5 m users" are five million.
_MINUTES_M = r"(?-i:m)(?=\s*(?:$|[^\w\s]|\d|(?:ago|now|already|and|but|on|in|with|since|because|when|while)\b))"
_UNIT = rf"(?:days?|d|hours?|hrs?|h|minutes?|mins?|{_MINUTES_M}|seconds|secs?|s)(?![a-z])"
_AND_A_HALF = r"\s+and\s+(?:a\s+)?half"
_PART = (
    rf"(?:(?:an?\s+)?half(?:\s+an?)?\s+(?P<half>{_UNIT})"
    rf"|(?P<h>\d{{1,2}})h(?P<min>[0-5]\d)(?:m(?:in)?)?(?!\w)"
    rf"|(?P<amount>{_AMOUNT})(?P<more>{_AND_A_HALF})?\s*(?P<unit>{_UNIT})(?P<after>{_AND_A_HALF})?)"
)
_ANY_PART = re.sub(r"\?P<\w+>", "?:", _PART)
_DURATION = rf"(?>{_ANY_PART}(?:(?:\s*,?\s*|\s+and\s+){_ANY_PART})*)"

# What stands before a duration and belongs to it: "10 to 20 minutes", "three quarters of an hour", "a few hours".
_BEFORE = rf"(?:(?:{_AMOUNT}|half|quarters?|couple|few|several|some|of|to|or|between)(?:\s*[-–/]\s*|\s+)){{0,4}}?"
# What makes a length of it, or the distance from something else: "5 minutes past two", "20 minutes after the deploy".
_ELSEWHEN = r"(?!\w|/|[-–.,]\d|\s+(?:past|to|before|after|into|later|earlier|every|each|of|per|apart)\b)"

_AT = re.compile(rf"(?P<before>{_BEFORE})(?P<duration>{_DURATION})(?P<end>{_ELSEWHEN})?", re.IGNORECASE)
_AGO = re.compile(rf"(?<![\w.,:+/–-])(?P<before>{_BEFORE})(?P<duration>{_DURATION})(?P<end>\s+ago\b)", re.IGNORECASE)
_PARTS = re.compile(_PART, re.IGNORECASE)


def duration_at(text: str, position: int) -> timedelta | None:
    """The duration that begins at a position of a text; None where none does. Raises NotUnderstood."""
    return _checked(match) if (match := _AT.match(text, position)) else None


def durations_ago(text: str) -> Iterator[timedelta]:
    """Each "... ago" of a text. Raises NotUnderstood."""
    return (_checked(match) for match in _AGO.finditer(text))


def _checked(match: re.Match[str]) -> timedelta:
    if match["before"] or match["end"] is None:
        raise NotUnderstood(f'"{match[0].strip()}" is not understood')
    seconds, smallest = 0.0, float("inf")
    for part in _PARTS.finditer(match["duration"]):
        unit, amount = _unit(part)
        # "20 minutes 1 hour" and "5 minutes 20 minutes" are two things, not one duration.
        if unit >= smallest:
            raise NotUnderstood(f'"{match[0].strip()}" is not understood')
        smallest, seconds = unit, seconds + unit * amount
    return timedelta(seconds=seconds)


def _unit(part: re.Match[str]) -> tuple[int, float]:
    """The seconds of a part's unit, and how many of it."""
    if part["half"]:
        return _SECONDS[part["half"][0].lower()], 0.5
    if part["h"]:
        return _SECONDS["h"], int(part["h"]) + int(part["min"]) / 60
    more = 0.5 if part["more"] or part["after"] else 0.0
    return _SECONDS[part["unit"][0].lower()], _amount(part["amount"].lower()) + more


def _amount(text: str) -> float:
    if text[0].isdigit():
        return float(text.replace(",", "."))
    return sum(_WORDS[word] for word in re.split("[ -]", text))
