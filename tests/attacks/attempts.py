"""Plays one item so that whatever it raises is that item's failure: the items and kinds behind it are played all the same."""

from collections.abc import Awaitable, Callable, Sequence

from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played


async def attempted(item: Item, playing: Awaitable[list[str]], *, twin: bool = False) -> Outcome:
    """What came of it; `playing` answers why it failed."""
    try:
        return Outcome(item, await playing, twin=twin)
    except Exception as error:  # noqa: BLE001 - one item that cannot be played must not end the others
        return Outcome(item, [unplayable(error)], twin=twin)


async def attempted_both(item: Item, playing: Awaitable[list[Outcome]]) -> list[Outcome]:
    """What came of an item and its twin that have a bot of their own."""
    try:
        return await playing
    except Exception as error:  # noqa: BLE001 - as above
        return failed(item, error)


def all_of(kind: str, play: Callable[[Sequence[Item]], Played], items: Sequence[Item]) -> Played:
    """Play a kind. Where its stage cannot even be set, each of its items has failed."""
    try:
        return play(items)
    except Exception as error:  # noqa: BLE001 - one kind that cannot be played must not end the others
        return Played({kind: [outcome for item in items for outcome in failed(item, error)]})


def failed(item: Item, error: Exception) -> list[Outcome]:
    """An item and its twin of which nothing is known."""
    return [Outcome(item, [unplayable(error)], twin=twin) for twin in (False, True)]


def unplayable(error: Exception) -> str:
    """Why nothing is known of an item."""
    return f"could not be played: {type(error).__name__}: {error}"
