"""The verb line: what stands after `/incident` or after a mention, taken apart.

line     = [ verb ] { argument }
argument = reference | option | quoted | word
option   = key "=" ( word | quoted )
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.core.text.untrusted import TYPED_QUOTES

_TOKEN = re.compile(r'(?P<key>[A-Za-z][A-Za-z_]{0,30})="(?P<value>[^"]*)"|"(?P<quoted>[^"]*)"|(?P<word>\S+)')
_OPTION = re.compile(r"([A-Za-z][A-Za-z_]{0,30})=(\S*)")
_REFERENCE = re.compile(r"(?:INC|AL|AP|POL)-[0-9]{1,9}", re.IGNORECASE)
_MEANT = re.compile(r"(?:INC|AL|AP)(?:-\w*|_?[0-9]+)", re.IGNORECASE)
"""A word that was meant as a reference: `AL-x`, `INC3`, a number too long. Names such as `ap-south-1` are none."""
LIMIT = 3000


@dataclass(frozen=True)
class Line:
    """`verb` is lower case and empty for an empty line; `text` is what is neither the reference nor an option."""

    verb: str = ""
    text: str = ""
    ref: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    unread: int = 0
    """Characters beyond LIMIT: a line that was not read whole must not be carried out."""
    typed: str = field(default="", compare=False)
    """The whole line as it was typed."""
    rest: str = field(default="", compare=False)
    """What of it stands after the verb: for verbs that take speech, in which nothing is an option."""


def parse_line(line: str) -> Line:
    """Take one line apart. Never fails: what it cannot read is text. The first reference is the line's subject."""
    words: list[str] = []
    options: dict[str, str] = {}
    ref = ""
    tokens = list(_TOKEN.finditer(line.translate(TYPED_QUOTES)[:LIMIT]))
    verb, rest = "", line[:LIMIT]
    if tokens and tokens[0].group("word") and not _OPTION.fullmatch(tokens[0].group("word")):
        first = tokens[0].group("word")
        # `/incident AL-3` asks what AL-3 is.
        if _REFERENCE.fullmatch(first):
            verb = "show"
        else:
            # "note: we failed over": the colon is no part of the verb.
            verb, rest = first.lower().rstrip(":"), rest[tokens.pop(0).end() :]
    for token in tokens:
        word = token.group("word")
        if token.group("key"):
            options[token.group("key").lower()] = token.group("value")
        elif word is None:
            words.append(token.group("quoted"))
        elif option := _OPTION.fullmatch(word):
            options[option.group(1).lower()] = option.group(2)
        elif not ref and _REFERENCE.fullmatch(word):
            ref = word.upper()
        else:
            words.append(word)
    text, unread = " ".join(words).strip(), max(0, len(line) - LIMIT)
    typed = line[:LIMIT].strip()
    return Line(verb=verb, text=text, ref=ref, options=options, unread=unread, typed=typed, rest=rest.strip())


def typed_line(verb: str, ref: str, text: str, options: Mapping[str, str]) -> str:
    """The line that makes the same request of `ref`, for people to copy: what would be an option in its text is quoted."""
    words = [f'"{word}"' if _OPTION.fullmatch(word) or _REFERENCE.fullmatch(word) else word for word in text.split()]
    pairs = [f'{key}="{value}"' if not value or " " in value else f"{key}={value}" for key, value in options.items()]
    return " ".join([verb, ref, *words, *pairs])


def is_reference(word: str) -> bool:
    """Whether a word is `AL-3`, `INC-3` or `AP-3`, whatever its case."""
    return bool(_REFERENCE.fullmatch(word))


def mistyped_reference(text: str) -> str:
    """The first or last word of a text if it was meant as a reference and is none; else "". A typo is never "this one here"."""
    words = text.split()
    return next((word for word in (*words[:1], *words[-1:]) if _MEANT.fullmatch(word) and not _REFERENCE.fullmatch(word)), "")


def parse_value(value: str) -> tuple[str, int | None]:
    """A button's value, `AP-12:3` or `AL-3`, as reference and revision; ("", None) for anything else."""
    ref, _, revision = value.partition(":")
    if not _REFERENCE.fullmatch(ref) or (revision and not (revision.isascii() and revision.isdigit() and len(revision) < 10)):
        return "", None
    return ref.upper(), int(revision) if revision else None


def nearest(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The known words nearest to a mistyped one by edit distance, the nearest first; far ones are left out."""
    by_distance = sorted((distance(word.lower(), name), name) for name in set(names))
    return [name for steps, name in by_distance if steps <= max(2, len(word) // 2)][:most]


def distance(a: str, b: str) -> int:
    """Levenshtein's distance, with a swap of neighbours as one step."""
    rows = [list(range(len(b) + 1))]
    for i, char in enumerate(a[:40], 1):
        row = [i]
        for j, other in enumerate(b, 1):
            steps = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                steps = min(steps, rows[-2][j - 2] + 1)
            row.append(steps)
        rows.append(row)
    return rows[-1][-1]
