"""Which stored alert the bytes of a delivery are: a delivery that repeats them is stored as a number."""

from datetime import datetime, timedelta

from bot.core.memo import Memo

MOST = 200_000
"""Alerts remembered; of more than that some are stored anew each time."""
ANEW = timedelta(minutes=30)
"""After at most twice this time a delivery is stored whole again: what is pruned meanwhile is never missed."""


class StoredAlerts:
    """Digest of an alert's bytes -> its number in `alerts`. Two halves, of which the older is dropped from time to time."""

    def __init__(self) -> None:
        self._young: Memo[bytes, int] = Memo(MOST)
        self._old: Memo[bytes, int] = Memo(MOST)
        self._since: datetime | None = None

    def find(self, digest: bytes) -> int | None:
        """The number of the alert that was stored of these bytes."""
        number = self._young.get(digest)
        return self._old.get(digest) if number is None else number

    def put(self, digest: bytes, number: int, received_at: datetime) -> None:
        """Remember a committed alert."""
        if self._since is None or received_at - self._since > ANEW:
            self._since, self._old, self._young = received_at, self._young, Memo(MOST)
        self._young.put(digest, number)
