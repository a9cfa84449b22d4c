"""The time by which things expire and may begin: it never runs backwards, and a jump of the machine's clock moves nothing.

A clock that is set back would let people approve what has expired; one that is set forward would let somebody act alone
whom the others had no time to answer.
"""

import operator
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

FOLLOWED = timedelta(seconds=1)
"""So far the machine's clock may be ahead and is followed at once: that is how it is kept right, not how it jumps."""
SLOWER = 0.9
"""How fast time goes while it is ahead of the machine's clock, until that has caught up."""


class Elapsed:
    """Seconds since the last question, by clocks that nobody sets; those in which the machine slept count."""

    def __init__(self, clocks: tuple[Callable[[], float], ...] = ()) -> None:
        self._clocks = clocks or tuple(filter(None, (time.monotonic, _with_sleep())))
        self._last = [clock() for clock in self._clocks]

    def __call__(self) -> timedelta:
        now = [clock() for clock in self._clocks]
        passed = max(map(operator.sub, now, self._last))
        self._last = now
        return timedelta(seconds=max(0.0, passed))


def _with_sleep() -> Callable[[], float] | None:
    """Linux' clock that goes on while the machine is suspended; None elsewhere."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else partial(time.clock_gettime, clock)


class SteadyClock:
    """The machine's clock for one process alone, as on SQLite: it is followed as long as it goes at the pace of time.

    A jump is not followed: it takes effect at the next start, or with `adopt` when nothing waits for a moment.
    """

    def __init__(self, wall: Clock, elapsed: Callable[[], timedelta] | None = None) -> None:
        self._wall, self._elapsed = wall, elapsed or Elapsed()
        self._now = wall()
        self._jumped = False

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        passed, wall = self._elapsed(), self._wall()
        steady = self._now + passed
        ahead = wall - steady
        if timedelta(0) <= ahead <= FOLLOWED:
            self._now = wall
        elif ahead < timedelta(0):
            # Never before what was said already, and slowly until the machine's clock has caught up.
            self._now = max(wall, self._now + passed * SLOWER)
        else:
            self._now = steady
        self._note(abs(ahead) > FOLLOWED, ahead)
        return self._now

    def at_least(self, moment: datetime) -> None:
        """Not before this moment, which was stored: the machine's clock may have been set back since."""
        self._now = max(self._now, moment)

    def adopt(self) -> None:
        """Follow a machine's clock that jumped forward: nothing waits now that it would let begin or expire too early."""
        self._now = max(self(), self._wall())

    def _note(self, jumped: bool, by: timedelta) -> None:
        if jumped and not self._jumped:
            log.warning(
                "the machine's clock jumped; what waits for a moment does not follow", seconds=round(by.total_seconds())
            )
        self._jumped = jumped


class DatabaseClock:
    """The clock of the database, which all replicas share: read with each transaction that decides, and steady in between."""

    def __init__(self, wall: Clock, elapsed: Callable[[], timedelta] | None = None) -> None:
        self._elapsed = elapsed or Elapsed()
        self._now, self._read = wall(), False

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        self._now += self._elapsed()
        return self._now

    def read(self, moment: datetime) -> None:
        """What the database says now. The first time it counts whatever this machine thought; later never backwards."""
        now = self()
        self._now = max(now, moment) if self._read else moment
        self._read = True

    def at_least(self, moment: datetime) -> None:
        """Not before this moment, which was stored."""
        self._now = max(self._now, moment)
