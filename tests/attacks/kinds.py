"""The kinds of attack that are played on the stage; each has a module of its own."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.attacks.items import Item
from tests.attacks.judging import Seen

if TYPE_CHECKING:
    from tests.attacks.world import World

Check = Callable[[Seen], Iterable[str]]
Twins = Callable[["World", str], Awaitable[list[tuple[Item, list[str]]]]]


@dataclass(frozen=True)
class Kind:
    """One kind: what is checked beyond an item's codes, and the legitimate twin that must pass."""

    name: str
    checks: tuple[Check, ...]
    twin: Twins
