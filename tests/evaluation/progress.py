"""Tells on stderr how far long work has come; the figures on stdout stay as they are."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def shown(items: Sequence[Item], what: str, *, every: int = 10) -> Iterator[Item]:
    """The items, with a line each time that `every` of them are done."""
    began = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if done % every == 0 or done == len(items):
            print(f"{what}: {done} of {len(items)}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
