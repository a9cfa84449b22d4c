"""A memory of bounded size that forgets a little at a time: one entry more than it holds costs one entry, not all of them."""

import random
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """At most `size` entries. A full one forgets an entry at random for each new one.

    What is used in turn and does not quite fit would never be found again if the oldest went, or everything at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: dict[K, V] = {}
        self._keys: list[K] = []
        """Of the entries from which one is drawn, once there have been too many."""
        self._dice = random.Random(0)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, if it is remembered."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember a value, in place of an older one of this key."""
        if key not in self._values:
            self._evict(key)
        self._values[key] = value

    def pop(self, key: K) -> V | None:
        """Forget one; its value, if there was one."""
        # Its place among the keys is taken by the next entry that has to evict one.
        return self._values.pop(key, None)

    def _evict(self, key: K) -> None:
        if not self._keys:
            if len(self._values) < self.size:
                return
            self._keys = list(self._values)
        # A third of what `randrange` takes, and dice need not be quite fair.
        index = int(self._dice.random() * self.size)
        self._values.pop(self._keys[index], None)
        self._keys[index] = key
