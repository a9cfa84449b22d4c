"""Which stored alert the bytes of a delivery are: a delivery that repeats them is stored as a number."""

from datetime import datetime, timedelta

from bot.core.memo import Memo

MAX_REMEMBERED = 200_000
"""Alerts remembered; of more than that some are stored anew each time."""
STORED_ANEW_AFTER = timedelta(minutes=30)
"""After at most twice this time a delivery is stored whole again: what is pruned meanwhile is never missed."""


class StoredAlerts:
    """Digest of an alert's bytes -> its number in `alerts`. Two halves, of which the older is dropped from time to time."""

    def __init__(self) -> None:
        self._young: Memo[bytes, int] = Memo(MAX_REMEMBERED)
        self._old: Memo[bytes, int] = Memo(MAX_REMEMBERED)
        self._since: datetime | None = None

    def find(self, digest: bytes) -> int | None:
        """The number of the alert that was stored of these bytes."""
        number = self._young.get(digest)
        return self._old.get(digest) if number is None else number

    def renew(self, now: datetime) -> None:
        """Drop what has been remembered for long. Called for every request: where nothing new comes, nothing else would."""
        if self._since is None:
            self._since = now
        elif now - self._since > STORED_ANEW_AFTER:
            old = self._young if now - self._since <= 2 * STORED_ANEW_AFTER else Memo[bytes, int](MAX_REMEMBERED)
            self._since, self._old, self._young = now, old, Memo(MAX_REMEMBERED)

    def put(self, digest: bytes, number: int, received_at: datetime) -> None:
        """Remember a committed alert."""
        self.renew(received_at)
        self._young.put(digest, number)
