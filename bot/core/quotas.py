"""How often somebody may do something: so many times within a window; the first one too many has a result of its own."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MAX_KEYS = 4096


class QuotaResult(StrEnum):
    """What becomes of one more attempt."""

    ALLOWED = "allowed"
    FIRST_REFUSED = "first refused"
    """The first beyond the quota of this window: the one that is answered, logged or recorded."""
    REFUSED = "refused"


@dataclass(slots=True)
class _Window:
    since: datetime
    uses: int = 0


class Quotas:
    """At most `most` uses of each key within `window`, which begins with the first use."""

    def __init__(self, most: int, window: timedelta) -> None:
        self._most, self._window = most, window
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def take(self, key: str, now: datetime) -> QuotaResult:
        """Use it once more. A clock that was set back begins a new window."""
        window = self._windows.get(key)
        if window is None or not timedelta() <= now - window.since < self._window:
            window = self._windows[key] = _Window(now)
        self._windows.move_to_end(key)
        if len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        window.uses += 1
        if window.uses <= self._most:
            return QuotaResult.ALLOWED
        return QuotaResult.FIRST_REFUSED if window.uses == self._most + 1 else QuotaResult.REFUSED
