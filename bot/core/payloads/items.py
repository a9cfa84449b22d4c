"""Several alerts in one document: a list of objects that each have a title of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bot.core.payloads.leaves import Leaf, leaves_of, word_set, words_of
from bot.core.payloads.names import AlertField, worth_of

_LISTS = word_set("alert incident event problem issue notification item record alarm firing message result violation data")
"""What a list of alerts is called."""
MAX_AROUND = 64
"""Values beside a list that tell something of each of its alerts; they are rated for each of them again."""
STRONG = 7.5
"""How well a name must fit a title to make an object of a list an alert."""


@dataclass(frozen=True)
class Item:
    """One alert's own part of a document, where it stands, and what the document says around it."""

    document: object
    dotted_path: str
    around: tuple[Leaf, ...] = ()


def items_of(document: object, path: str = "") -> list[Item]:
    """Each alert of a document; the document itself where it holds no list of them. `path`: where the list stands."""
    if path:
        items = _at(document, path)
        return _items(document, path, items) if isinstance(items, list) else [Item(document, "")]
    if isinstance(document, list):
        return [item for number, part in enumerate(document) for item in _items_of_part(part, str(number))]
    return _items_of_part(document, "")


def _items_of_part(document: object, position: str) -> list[Item]:
    """Those of a document, or of one part of a list: a relay wraps each body that it passes on, with all alerts in it."""
    path, items = next(_lists(document), ("", []))
    if not items:
        return [Item(document, position)]
    return [replace(item, dotted_path=f"{position}.{item.dotted_path}".lstrip(".")) for item in _items(document, path, items)]


def _at(document: object, path: str) -> object:
    for part in path.removeprefix("$.").split("."):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _items(document: object, path: str, items: Sequence[object]) -> list[Item]:
    outside = (leaf for leaf in leaves_of(document) if not leaf.dotted_path.startswith(f"{path}."))
    around = tuple(islice(outside, MAX_AROUND))
    return [Item(item, f"{path}.{number}", around) for number, item in enumerate(items)]


def _lists(document: object, above: str = "", depth: int = 3) -> Iterator[tuple[str, list[object]]]:
    """Lists of alerts, the outermost first."""
    if not isinstance(document, dict) or depth == 0:
        return
    for key, value in document.items():
        if isinstance(value, list) and value and _LISTS & set(words_of(str(key))[-1:]) and all(map(_has_title, value[:50])):
            yield f"{above}{key}", value
    for key, value in document.items():
        yield from _lists(value, f"{above}{key}.", depth - 1)


def _has_title(item: object) -> bool:
    """Whether an object names an alert within its first two levels."""
    if not isinstance(item, dict):
        return False
    inner = [item, *(value for value in item.values() if isinstance(value, dict))]
    return any(
        isinstance(value, str) and value.strip() and worth_of(AlertField.NAME, words_of(str(key))) >= STRONG
        for part in inner
        for key, value in part.items()
    )
