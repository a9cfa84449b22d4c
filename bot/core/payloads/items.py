"""Several alerts in one document: a list of objects that each have a title of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bot.core.payloads.leaves import Leaf, leaves_of, word_set, words_of
from bot.core.payloads.names import AlertField, worth_of
from bot.core.payloads.values import State, state_of

_LISTS = word_set(
    "alert incident event problem issue notification item record alarm firing resolved recovered message result violation data"
)
"""What a list of alerts is called."""
_STATES = word_set(
    "new current ongoing firing triggered active open pending acknowledged recovered resolved inactive closed cleared ended"
)
"""Words by which lists of one body differ."""
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
        return _items(document, {path: items}) if isinstance(items, list) else [Item(document, "")]
    if isinstance(document, list):
        return [item for number, part in enumerate(document) for item in _items_of_part(part, str(number))]
    return _items_of_part(document, "")


def _items_of_part(document: object, position: str) -> list[Item]:
    """Those of a document, or of one part of a list: a relay wraps each body that it passes on, with all alerts in it."""
    lists = list(_lists(document))
    if not lists:
        return [Item(document, position)]
    alike = [(path, items) for path, items in lists if _kind(path) == _kind(lists[0][0])]
    items = _items(document, dict(alike))
    return [replace(item, dotted_path=f"{position}.{item.dotted_path}".lstrip(".")) for item in items]


def _kind(path: str) -> tuple[str, ...]:
    """What a list is called, without the state of what is in it: `new_alerts` and `recovered_alerts` are of one kind."""
    words = (word for name in path.split(".") for word in words_of(name))
    return tuple(word for word in words if word not in _STATES)


def _at(document: object, path: str) -> object:
    for part in path.removeprefix("$.").split("."):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _items(document: object, lists: Mapping[str, Sequence[object]]) -> list[Item]:
    """Each alert of lists by their paths."""
    inside = tuple(f"{path}." for path in lists)
    around = tuple(islice((leaf for leaf in leaves_of(document) if not leaf.dotted_path.startswith(inside)), MAX_AROUND))
    return [
        Item(item, f"{path}.{number}", (*around, *_state(path)))
        for path, items in lists.items()
        for number, item in enumerate(items)
    ]


def _state(path: str) -> Sequence[Leaf]:
    """That what is in a list is over, where the list is called so."""
    words = (word for name in path.split(".") for word in words_of(name))
    over = next((word for word in words if state_of(word) is State.RESOLVED), "")
    return [Leaf(tuple(path.split(".")), over, ("status",))] if over else []


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
