"""When a trouble that lasts is worth a line: when it begins or changes, once a minute, and when it is over."""

from dataclasses import dataclass, field

EVERY_SECONDS = 60.0
MOST = 1000
"""Troubles remembered at once."""


@dataclass
class _Trouble:
    since: float = 0.0
    times: int = 0
    """Since it began; 0 when it is over."""
    told: bool = False
    """A line said that it stands, and none that it is over."""
    said_at: dict[str, float] = field(default_factory=dict)
    unsaid: dict[str, int] = field(default_factory=dict)


class FailureTracker:
    """Counts troubles by key (what it is about) and kind (how it fails); moments are monotonic seconds, passed in.

    A trouble that flickers gets no more lines than one that stands: at most one a minute for each kind, and one end each.
    """

    def __init__(self, every: float = EVERY_SECONDS, most: int = MOST) -> None:
        self.every, self.most = every, most
        self._troubles: dict[str, _Trouble] = {}

    def __len__(self) -> int:
        return len(self._troubles)

    def met(self, key: str, kind: str, now: float) -> dict[str, int] | None:
        """Count one; what a line about it should tell (times since the last line, seconds it lasts), None for no line now."""
        trouble = self._troubles.pop(key, None) or _Trouble()
        self._forget()
        self._troubles[key] = trouble
        trouble.since = trouble.since if trouble.times else now
        trouble.times += 1
        unsaid = trouble.unsaid.pop(kind, 0) + 1
        if now - trouble.said_at.get(kind, now - self.every) < self.every:
            trouble.unsaid[kind] = unsaid
            return None
        trouble.said_at[kind], trouble.told = now, True
        return {"times": unsaid, "seconds": round(now - trouble.since)}

    def over(self, key: str, now: float) -> dict[str, int] | None:
        """It works again: how often and how long it did not; None if no line ever said so."""
        trouble = self._troubles.get(key)
        if trouble is None or not trouble.told:
            return None
        ended = {"times": trouble.times, "seconds": round(now - trouble.since)}
        trouble.times, trouble.told, trouble.unsaid = 0, False, {}
        return ended

    def _forget(self) -> None:
        """The one longest without trouble gives way."""
        if len(self._troubles) >= self.most:
            del self._troubles[next(iter(self._troubles))]
