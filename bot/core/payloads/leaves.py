"""A JSON document as its leaves: each single value with its path and the words of its name.

Strings that hold JSON are opened. Rows such as `{"key": ..., "value": ...}`, pairs and texts such as `team:shop, env:prod`
are labels, and wrappers that only tell a value's type are taken off.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

MAX_LEAVES = 2_000
MAX_DEPTH = 10
LONGEST_NUMBER = 4096
"""Bits."""
OPENED = 64 * 1024
"""Longer strings are not looked into."""

Scalar = str | int | float | bool
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMES = ("key", "name", "tag", "label", "field", "dimension", "title", "k")
_VALUES = ("value", "val", "v", "content")
_LONGEST_ROW, _LONGEST_TAG = 4, 8
"""Keys of such a row; a tag may have ids, a colour and more beside them."""
_TYPES = frozenset(("type", "datatype", "data_type", "kind", "unit"))
_TYPED = frozenset(("stringvalue", "intvalue", "doublevalue", "boolvalue", "numbervalue", "s", "n"))
LABEL_WORDS = frozenset(("label", "tag", "dimension", "attribute", "property"))
_PAIR = re.compile(r"\s*([A-Za-z_][\w./-]{0,63})\s*[:=]\s*(\S[^,;]{0,255}?)\s*")
_RUN_TOGETHER = {
    f"{thing}{short}": (thing, word)
    for thing in ("host", "service")
    for short, word in (
        ("state", "state"),
        ("output", "output"),
        ("alias", "alias"),
        ("address", "address"),
        ("desc", "description"),
    )
} | {"notificationtype": ("notification", "type"), "desc": ("description",)}
_RUN_TOGETHER |= {
    f"{thing}{part}": (thing, part)
    for thing in ("monitor", "check", "node", "device", "server", "service", "sensor")
    for part in ("name", "type", "id", "url", "status")
} | {f"alert{part}": ("alert", part) for part in ("status", "state", "type", "id", "level", "severity")}
"""Macros of Nagios, which every system of its family sends on, and other names that are written without any gap."""
_RESOURCE = frozenset(("id", "type", "attributes", "relationships", "links", "meta"))
"""What a resource of JSON:API consists of: what it calls attributes are its fields and no labels."""
_PLURAL = re.compile(r"(?<=[a-z]{3})(?<![suia])s$")


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


GENERAL = word_set("name value display text label string full short raw current id title summary slug key new")
"""Words that say nothing without the name above them: `service: {name: ...}`."""


@dataclass(frozen=True)
class Leaf:
    """One single value of a document."""

    path: tuple[str, ...]
    """Keys and positions from the top."""
    value: Scalar
    words: tuple[str, ...] = ()
    """Of its name, singular and in small letters."""
    parent: tuple[str, ...] = ()
    """Words of the name above it."""
    around: frozenset[str] = field(default_factory=frozenset)
    """Words of all names above it."""
    label: bool = False
    """Whether it stands among labels, tags or dimensions."""

    @property
    def name(self) -> str:
        """Its last key."""
        return next((part for part in reversed(self.path) if not part.isdigit()), "")

    @property
    def dotted_path(self) -> str:
        """The path as people write it: `alert.labels.team`."""
        return ".".join(self.path)


@dataclass(frozen=True)
class _Node:
    path: tuple[str, ...]
    value: object
    names: tuple[str, ...] = ()
    """The keys above and its own, without positions."""
    label: bool = False


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """`newStateValue`, `new_state_value` and `New State Value` are the same three words; plurals become singular."""
    words = (word.lower() for word in _WORD.findall(name[:128]))
    return tuple(part for word in words for part in _RUN_TOGETHER.get(word, (_singular(word),)))


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if len(word) > 4 and word.endswith("ies") else _PLURAL.sub("", word)


def leaves_of(document: object) -> list[Leaf]:
    """Every single value, those near the top first; at most 2,000, from at most 10 levels."""
    leaves: list[Leaf] = []
    waiting = deque([_Node((), document)])
    while waiting and len(leaves) < MAX_LEAVES:
        node = waiting.popleft()
        inner = _opened(node.value)
        if isinstance(inner, dict | list):
            if len(node.path) < MAX_DEPTH:
                waiting.extend(_children(node, inner))
        elif inner is not None and inner != "":
            leaves.extend(_leaves(node, inner))
    return leaves[:MAX_LEAVES]


def _opened(value: object) -> object:
    """A string that holds an object or a list as that; everything else as it is."""
    if not isinstance(value, str) or len(value) > OPENED or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        inner = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return inner if isinstance(inner, dict | list) else value


def _children(node: _Node, value: Mapping[object, object] | Sequence[object]) -> Iterator[_Node]:
    if isinstance(value, Mapping):
        yield from _entries(node, {str(key): inner for key, inner in value.items()})
        return
    for position, item in enumerate(value[:MAX_LEAVES]):
        path = (*node.path, str(position))
        if pair := _pair(item):
            yield _Node((*path, pair[0]), pair[1], (*node.names, pair[0]), label=True)
        else:
            yield _Node(path, item, node.names, node.label)


def _entries(node: _Node, value: Mapping[str, object]) -> Iterator[_Node]:
    labels = node.label or bool(node.names and LABEL_WORDS & set(words_of(node.names[-1])[-1:]))
    if row := _row(value, _LONGEST_TAG if labels else _LONGEST_ROW):
        yield _Node((*node.path, row[0]), row[1], (*node.names, row[0]), label=True)
    elif wrapped := _unwrapped(value):
        yield _Node((*node.path, wrapped), value[wrapped], node.names, node.label)
    else:
        for key, inner in value.items():
            if key == "attributes" and isinstance(inner, Mapping) and _RESOURCE >= value.keys() >= {"type", key}:
                yield from _entries(_Node((*node.path, key), inner, node.names), inner)
            else:
                yield _Node((*node.path, key), inner, (*node.names, key), labels and not isinstance(inner, dict | list))


def _row(value: Mapping[str, object], longest: int) -> tuple[str, object] | None:
    """Name and value of `{"key": "team", "value": "shop"}`; None for any other object, and for one of more keys."""
    if not 2 <= len(value) <= longest:
        return None
    lower = {key.lower(): inner for key, inner in value.items()}
    name = next((lower[key] for key in _NAMES if isinstance(lower.get(key), str) and lower[key]), None)
    value_key = next((key for key in _VALUES if key in lower and not isinstance(lower[key], dict | list)), None)
    return (str(name)[:128], lower[value_key]) if name and value_key and len(str(name)) <= 64 else None


def _unwrapped(value: Mapping[str, object]) -> str | None:
    """The key under which a wrapper holds its value: `{"type": "string", "value": "x"}`, `{"stringValue": "x"}`."""
    holding = [key for key in value if key.lower() in (*_VALUES, *_TYPED)]
    others = [key for key in value if key not in holding and key.lower() not in _TYPES]
    return holding[0] if len(holding) == 1 and not others else None


def _pair(item: object) -> tuple[str, object] | None:
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str) or not 0 < len(item[0]) <= 64:
        return None
    return None if isinstance(item[1], dict | list) else (item[0], item[1])


def _leaves(node: _Node, value: object) -> Iterator[Leaf]:
    # Python refuses to print numbers of more than 4,300 digits.
    if not isinstance(value, str | int | float | bool) or (isinstance(value, int) and value.bit_length() > LONGEST_NUMBER):
        return
    own = words_of(node.names[-1]) if node.names else ()
    if isinstance(value, str) and LABEL_WORDS & set(own[-1:]) and (pairs := label_pairs(value)):
        for name, text in pairs:
            yield _leaf(_Node((*node.path, name), text, (*node.names, name), label=True), text)
        return
    yield _leaf(node, value)


def label_pairs(text: str) -> list[tuple[str, str]]:
    """`env:prod, team:shop` as pairs; single words between them are tags without a value. Empty for any other text."""
    parts = [part.strip() for part in re.split(r"[,;]", text[:8192]) if part.strip()][:128]
    matches = {part: _PAIR.fullmatch(part) for part in parts}
    if any(match is None and len(part.split()) > 1 for part, match in matches.items()):
        return []
    return [(match[1], match[2]) for match in matches.values() if match]


def _leaf(node: _Node, value: Scalar) -> Leaf:
    above = [words_of(name) for name in node.names[:-1]]
    if above[1:] and above[-1] == ("metadata",):
        # As in Kubernetes: the name in `check: {metadata: {name: ...}}` is that of the check.
        above.pop()
    return Leaf(
        path=node.path,
        value=value,
        words=words_of(node.names[-1]) if node.names else (),
        parent=above[-1] if above else (),
        around=frozenset(word for words in above for word in words),
        label=node.label,
    )
