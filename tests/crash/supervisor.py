"""What a service manager does, and what fate does: starts the bot whenever it has died, and kills it at random."""

import math
import random
import signal
import threading
import time
from dataclasses import dataclass, field

from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import answers, until

READY_SECONDS = 5 * PATIENCE
"""For a start that no kill cuts short. On an idle machine it takes two."""
DURING_START = 0.25
"""The share of the random kills that fall into a start; the others strike once the bot was ready."""


@dataclass
class ProcessHistory:
    """What happened to the process: moments in Unix seconds."""

    died_at: list[float] = field(default_factory=list)
    ready_at: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Starts that did not come up, and ends that nobody brought about."""

    def restarts(self) -> list[float]:
        """Seconds from the last death to each readiness that followed one."""
        deaths = [(ready, [died for died in self.died_at if died <= ready]) for ready in self.ready_at]
        return [ready - max(before) for ready, before in deaths if before]


class Supervisor:
    """`with Supervisor(bot) as supervisor:` - inside, the bot runs and is restarted; `kills` times it is killed at random.

    A kill may strike at any moment, also before the bot was ready for the first time: nobody else may wait for that.
    """

    def __init__(self, bot: Bot, *, kills: int = 0, rng: random.Random | None = None) -> None:
        self.bot, self.history = bot, ProcessHistory()
        self.kills = kills
        self._rng = rng or random.Random(0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True, name=f"supervisor of {bot.process.name}")
        self._ready, self._began_at, self._next_kill = False, 0.0, math.inf

    def __enter__(self) -> "Supervisor":
        self.bot.prepare()
        # One that runs already is ready: whoever started it has waited for that.
        self._ready = self.bot.process.alive
        if self._ready:
            self._draw_after_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(PATIENCE)

    def calm(self) -> None:
        """No kill from now on; returns when the bot is ready."""
        self.kills = 0
        until(lambda: (self._ready and self.bot.process.alive) or self.history.failures, READY_SECONDS, "a bot that is ready")

    def _supervise(self) -> None:
        while not self._ending.wait(0.02):
            if not self.bot.process.alive:
                self._start()
            elif self.kills and time.monotonic() > self._next_kill:
                self.kills -= 1
                self.bot.process.kill()
            elif not self._ready:
                self._look()

    def _start(self) -> None:
        if self.bot.process.starts:
            self.history.died_at.append(time.time())
            if self.bot.process.exit_code != -signal.SIGKILL:
                self.history.failures.append(f"the bot ended with {self.bot.process.exit_code}:\n{self.bot.process.tail()}")
                self._ending.set()
                return
        self.bot.process.start()
        self._ready, self._began_at, self._next_kill = False, time.monotonic(), math.inf
        if self._rng.random() < DURING_START:
            self._next_kill = self._began_at + self._rng.uniform(0.0, 2.0)

    def _look(self) -> None:
        if answers(f"{self.bot.url}/readyz"):
            self._ready = True
            self.history.ready_at.append(time.time())
            if math.isinf(self._next_kill):
                self._draw_after_start()
        elif time.monotonic() - self._began_at > READY_SECONDS:
            self.history.failures.append(f"not ready {READY_SECONDS:g} s after a start:\n{self.bot.process.tail()}")
            self._ending.set()

    def _draw_after_start(self) -> None:
        # Now and then while it is still recovering.
        self._next_kill = time.monotonic() + self._rng.choice((self._rng.uniform(0.0, 0.5), self._rng.uniform(0.5, 5.0)))
