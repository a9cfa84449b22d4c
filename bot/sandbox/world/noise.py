"""Noise that depends on the seed, a name and the place on the grid alone, however the grid is cut into blocks."""

from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCK = 1024


def stable_hash(*parts: object) -> int:
    """A 32-bit number that is the same in every process (Python's own `hash` is not)."""
    return crc32("\x1f".join(str(part) for part in parts).encode())


@lru_cache(maxsize=4096)
def _block(seed: int, name: str, block: int) -> Floats:
    return np.random.default_rng([seed, stable_hash(name), block]).standard_normal(BLOCK)


def normal(seed: int, name: str, first: int, count: int) -> Floats:
    """`count` standard normal numbers for the grid points from `first` on; shape (count,)."""
    pieces = []
    index, end = first, first + count
    while index < end:
        block, start = divmod(index, BLOCK)
        stop = min(BLOCK, start + end - index)
        pieces.append(_block(seed, name, block)[start:stop])
        index += stop - start
    return np.concatenate(pieces) if pieces else np.empty(0)


def smooth(seed: int, name: str, first: int, count: int, width: int = 8) -> Floats:
    """Like `normal`, but neighbouring points resemble each other (moving mean over `width`), unit variance."""
    raw = normal(seed, name, first, count + width - 1)
    total = np.concatenate(([0.0], np.cumsum(raw)))
    return np.asarray((total[width:] - total[:-width]) / np.sqrt(width))
