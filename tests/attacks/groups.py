"""Plays the kinds of the stage in groups, each in a world and a process of its own, two at a time.

So the memory of a run stays that of a few small worlds, however many items it has, and no judge reads what all of them said.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from bot.memory import share_one_heap
from tests.attacks.attempts import failed
from tests.attacks.items import Item
from tests.attacks.planting import STORMS
from tests.attacks.roster import KINDS
from tests.attacks.scene import Outcome, Played, play_in_one_world

SIZE = 10
"""Items in a world: it starts in a few seconds, and what it holds stays small."""
AT_A_TIME = 2
"""Worlds at a time: each holds its core busy."""

_SHARED = ("tests.attacks.groups", "bot.llm.agent", "matplotlib.backends.backend_agg", "matplotlib.figure", "alembic.command")
"""Modules that every world needs: read once, their memory is that of one process."""


@dataclass
class Group:
    """Items of one world by their kind, and the kinds whose twins are played there."""

    items: dict[str, list[Item]] = field(default_factory=dict)
    twins: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(map(len, self.items.values()))


def play_all(names: Sequence[str], chosen: Mapping[str, Sequence[Item]]) -> Played:
    """Play every chosen item of these kinds, and each kind's twins once."""
    began, groups = time.monotonic(), list(grouped({name: chosen[name] for name in names}))
    played = Played({name: [] for name in names})
    total, done = sum(group.size for group in groups), 0
    with _processes() as pool:
        running = {pool.submit(play_group, group): group for group in groups}
        for future in as_completed(running):
            error, group = future.exception(), running[future]
            for name, outcomes in (_not_played(group, error) if error else future.result()).items():
                played.outcomes[name] += outcomes
            done += group.size
            print(f"played {done} of {total}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    played.seconds = time.monotonic() - began
    return played


def grouped(chosen: Mapping[str, Sequence[Item]]) -> Iterator[Group]:
    """Every item in one group of at most `SIZE`; storms, which last longest, are spread over all groups."""
    items = [item for items_of_kind in chosen.values() for item in items_of_kind]
    items.sort(key=lambda item: item.rule.get("rule") not in STORMS)
    # As many worlds as fit side by side, so that none plays alone at the end.
    count, met = min(len(items), AT_A_TIME * -(-len(items) // (AT_A_TIME * SIZE))), set[str]()
    for start in range(count):
        group = Group()
        for item in items[start::count]:
            group.items.setdefault(item.category, []).append(item)
        group.twins = [name for name in group.items if name not in met]
        met.update(group.twins)
        yield group


def play_group(group: Group) -> dict[str, list[Outcome]]:
    """Play one group; it runs in a process of its own, which gives back what it frees as the server does."""
    share_one_heap()
    return play_in_one_world([KINDS[name] for name in group.items], group.items, group.twins).outcomes


def _processes() -> Executor:
    # Each world in a fresh process: what one leaves behind is gone with it. What all of them import is there once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_SHARED))
    return ProcessPoolExecutor(min(AT_A_TIME, os.cpu_count() or 1), mp_context=context, max_tasks_per_child=1)


def _not_played(group: Group, error: BaseException) -> dict[str, list[Outcome]]:
    why = error if isinstance(error, Exception) else RuntimeError(str(error))
    return {name: [outcome for item in items for outcome in failed(item, why)] for name, items in group.items.items()}
