"""Names in code and in log lines: whole identifiers, and the words that they are made of."""

import re
from collections import Counter
from collections.abc import Iterable

from bot.core.text.stemming import stems

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[-./][A-Za-z_][A-Za-z0-9_]*)*|\d+(?:\.\d+)?")
_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?")
_COMPOUND = re.compile(r"[a-z][A-Z]|[A-Za-z]_[A-Za-z]|[A-Za-z][-.][A-Za-z]|[A-Z][a-z]+[A-Z]")
MIN_LENGTH = 3
_EVERYWHERE = """
    abstract and any app arg args array as async await auto base bool boolean break byte bytes case catch cfg char class client
    cmd code config const context continue core ctx data def default defer del dict do double elif else end enum err error
    errors every except exception export extends fail failed failure false field fields final finally float fmt for foreach
    format from func function get global go handle handler has helper id if impl import in index info init input instance int
    integer interface internal into io is item items key keys lambda len let lib line list load log logger logging long main
    make map math message method mod model module msg mut name namespace new next nil no none not null num number obj object
    of on op open option options or out output override package param params pass path payload pkg print private property
    protected public range raise read ready ref req request require res resp response result return returned returning root
    row run runtime self server service services set setup short sleep src start state static status std str string struct
    super switch sys template test text then this throw time to true try tuple type types undefined unsigned update url use
    user using util utils val value values var vector version via void warn warning when where while with write yield http
    https svc api call called calling count details event level local node object parse process processed put received
    refactor reply route router send simple size step system tidy total unable unexpected v1 v2 www
"""
COMMON_WORDS = frozenset(stem for word in _EVERYWHERE.split() for stem in stems(word)) | frozenset(_EVERYWHERE.split())
"""Words of any program and any log: none of them is distinctive."""


def identifiers(text: str) -> list[str]:
    """The identifiers of one line, dotted names whole and each part alone."""
    names: list[str] = []
    for name in _IDENTIFIER.findall(text):
        parts = _PART.findall(name)
        names += parts if len(parts) == 1 else [*parts, name]
    return names


def counted_names(lines: Iterable[str]) -> Counter[str]:
    """How often each identifier stands on these lines."""
    return Counter(name for line in lines for name in identifiers(line))


def word_stems(text: str) -> frozenset[str]:
    """The distinctive words of a text as stems, CamelCase and snake_case split; numbers and words of any program left out."""
    return frozenset(
        word for word in stems(text) if len(word) >= MIN_LENGTH and not word.isdigit() and word not in COMMON_WORDS
    )


def is_distinctive(name: str) -> bool:
    """Whether an identifier is compound, so that it stands in a text as a whole by no chance."""
    return len(name) >= 6 and bool(_COMPOUND.search(name))


def contains_identifier(text: str, name: str) -> bool:
    """Whether the identifier stands in a text as a whole, upper and lower case alike."""
    return bool(re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text, re.I))
