"""Readable stand-ins for names, and back: for whoever may not learn what a team calls its services, pods and people.

A stand-in is `service-3`. `service-3c1` is the same name in other letters' case (the number after `c` says, in
hexadecimal, which letters), and what looks like a stand-in in the text itself travels as `service-x3`, so that nobody can
write a name by its number. What comes back is what went out, whatever the text was.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

Kind = Literal["service", "pod", "host", "namespace", "workload", "cluster", "component", "person"]


class Name(NamedTuple):
    """What something or somebody is called; the kind says which stand-in it gets."""

    kind: Kind
    text: str


MAX_NAME = 120
"""Longer texts are no names."""
_BORDER = r"(?:(?<![^\W_])|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))"
"""No letter or digit before. The letter of an escape in JSON (`\\ncart`) belongs to no name."""
_WORD = re.compile(rf"{_BORDER}(?=([^\W_]+))")
_STAND_IN = re.compile(rf"{_BORDER}({'|'.join(get_args(Kind))})-(x*)([0-9]+)(c[0-9a-f]+)?(?![^\W_])", re.I)
_FIRST_WORD = re.compile(r"[^\W_]+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_UNFIT = re.compile(r"[\\\"'`\n\r\t]")
_ADDRESS = re.compile(r"\d+(?:\.\d+){3}(?::\d+)?")


class Pseudonyms:
    """`masked(text)` and `unmasked(text)` for one list of names; the same list gives the same stand-ins."""

    def __init__(self, names: Iterable[Name]) -> None:
        """The order of the names numbers them. A name that came before, in whatever case, is not counted again."""
        self._of: dict[str, str] = {}
        self._name: dict[str, str] = {}
        counted: Counter[str] = Counter()
        by_word: defaultdict[str, list[str]] = defaultdict(list)
        for kind, text in names:
            name = _EDGES.sub("", text)
            if not _maskable(name) or name.lower() in self._of:
                continue
            counted[kind] += 1
            self._of[name.lower()] = stand_in = f"{kind}-{counted[kind]}"
            self._name[stand_in] = name
            by_word[_first_word(name)].append(name)
        self._by_word = {word: sorted(same, key=lambda name: (-len(name), name)) for word, same in by_word.items()}

    def masked(self, text: str) -> str:
        """Every name that stands between borders of words replaced, the longest first; upper and lower case alike."""
        parts, end = [], 0
        lookalikes = {match.start(): match for match in _STAND_IN.finditer(text)}
        for match in _WORD.finditer(text):
            start = match.start()
            if start < end:
                continue
            name = self._name_at(text, start, match[1])
            seeming = lookalikes.get(start)
            if seeming and len(seeming.group()) > len(name):
                parts += [text[end:start], _escaped(seeming)]
                end = seeming.end()
            elif name:
                parts += [text[end:start], self._stand_in_of(name, text[start : start + len(name)])]
                end = start + len(name)
        return "".join([*parts, text[end:]])

    def unmasked(self, text: str) -> str:
        """The names back in their places. A stand-in of nothing stays as it is."""
        return _STAND_IN.sub(self._original, text)

    def _name_at(self, text: str, start: int, word: str) -> str:
        """The longest name that begins here and ends at a border; "" if there is none."""
        for name in self._by_word.get(word.lower(), ()):
            end = start + len(name)
            written = text[start:end]
            ends = end >= len(text) or not text[end].isalnum()
            if ends and written.lower() == name.lower() and _in_case(name, _case(name, written)) == written:
                return name
        return ""

    def _stand_in_of(self, name: str, written: str) -> str:
        case = _case(name, written)
        return self._of[name.lower()] + (f"c{case:x}" if case else "")

    def _original(self, match: re.Match[str]) -> str:
        kind, escapes, number, case = match.groups()
        if escapes:
            return f"{kind}-{escapes[1:]}{number}{case or ''}"
        name = self._name.get(f"{kind.lower()}-{number}")
        return match.group() if name is None else _in_case(name, int(case[1:], 16) if case else 0)


def _maskable(name: str) -> bool:
    """Single letters and plain numbers would replace half of every text."""
    fits = 1 < len(name) <= MAX_NAME and not _UNFIT.search(name)
    return fits and (any(char.isalpha() for char in name) or bool(_ADDRESS.fullmatch(name)))


def _first_word(name: str) -> str:
    match = _FIRST_WORD.match(name)
    return match.group().lower() if match else ""


def _escaped(seeming: re.Match[str]) -> str:
    kind, escapes, number, case = seeming.groups()
    return f"{kind}-x{escapes}{number}{case or ''}"


def _case(name: str, written: str) -> int:
    """Which letters are written in the other case, as bits."""
    return sum(1 << index for index, (letter, other) in enumerate(zip(name, written, strict=False)) if letter != other)


def _in_case(name: str, case: int) -> str:
    return "".join(char.swapcase() if case >> index & 1 else char for index, char in enumerate(name))
