"""What a service manager does, and what fate does: starts the bot whenever it has died, and kills it at random."""

import random
import threading
import time
from dataclasses import dataclass, field

from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import answers

READY_SECONDS = PATIENCE


@dataclass
class Kept:
    """What happened to the process: moments in Unix seconds."""

    died_at: list[float] = field(default_factory=list)
    ready_at: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    """Restarts that did not come up."""


class Keeper:
    """`with Keeper(bot) as keeper:` - the bot is restarted inside; `kills` times it is killed at random moments."""

    def __init__(self, bot: Bot, *, kills: int = 0, rng: random.Random | None = None) -> None:
        self.bot, self.kept = bot, Kept()
        self.kills = kills
        self._rng = rng or random.Random(0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name=f"keeper of {bot.process.name}")

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(READY_SECONDS + 5)

    def _keep(self) -> None:
        next_kill = self._draw()
        while not self._ending.wait(0.02):
            if not self.bot.process.alive:
                self._restart()
                next_kill = self._draw()
            elif self.kills and time.monotonic() > next_kill:
                self.kills -= 1
                self.bot.process.kill()

    def _draw(self) -> float:
        # From the moment it is ready; now and then while it is still recovering.
        return time.monotonic() + self._rng.choice((self._rng.uniform(0.0, 0.5), self._rng.uniform(0.5, 5.0)))

    def _restart(self) -> None:
        self.kept.died_at.append(time.time())
        self.bot.process.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._ending.is_set() and self.bot.process.alive and time.monotonic() < deadline:
            if answers(f"{self.bot.url}/readyz"):
                self.kept.ready_at.append(time.time())
                return
            time.sleep(0.03)
        if self.bot.process.alive and not self._ending.is_set():
            self.kept.trouble.append(f"not ready {READY_SECONDS:g} s after a restart")
