"""When a failure that lasts is worth a log line: when it begins or changes, once a minute, and when it is over."""

from dataclasses import dataclass, field

EVERY_SECONDS = 60.0
MAX_FAILURES = 1000
"""Failures remembered at once."""


@dataclass
class _Failure:
    since: float = 0.0
    times: int = 0
    """Since it began; 0 when it is over."""
    logged: bool = False
    """A line said that it lasts, and none that it is over."""
    logged_at: dict[str, float] = field(default_factory=dict)
    unlogged: dict[str, int] = field(default_factory=dict)


class FailureTracker:
    """Counts failures by key (what fails) and kind (how it fails); moments are monotonic seconds, passed in.

    A failure that flickers gets no more lines than one that lasts: at most one a minute for each kind, and one end each.
    """

    def __init__(self, every: float = EVERY_SECONDS, most: int = MAX_FAILURES) -> None:
        self.every, self.most = every, most
        self._failures: dict[str, _Failure] = {}

    def __len__(self) -> int:
        return len(self._failures)

    def record(self, key: str, kind: str, now: float) -> dict[str, int] | None:
        """Count one. Returns the figures for a line (times since the last line, seconds it lasts), None for no line now."""
        failure = self._failures.pop(key, None) or _Failure()
        self._forget()
        self._failures[key] = failure
        failure.since = failure.since if failure.times else now
        failure.times += 1
        unlogged = failure.unlogged.pop(kind, 0) + 1
        if now - failure.logged_at.get(kind, now - self.every) < self.every:
            failure.unlogged[kind] = unlogged
            return None
        failure.logged_at[kind], failure.logged = now, True
        return {"times": unlogged, "seconds": round(now - failure.since)}

    def recovered(self, key: str, now: float) -> dict[str, int] | None:
        """It works again. Returns how often and how long it did not; None if no line ever said so."""
        failure = self._failures.get(key)
        if failure is None or not failure.logged:
            return None
        figures = {"times": failure.times, "seconds": round(now - failure.since)}
        failure.times, failure.logged, failure.unlogged = 0, False, {}
        return figures

    def _forget(self) -> None:
        """Make room: the key without a failure for the longest time goes."""
        if len(self._failures) >= self.most:
            del self._failures[next(iter(self._failures))]
