"""Where the journal lives and who works on it: alone on a data folder, or as one of several replicas."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Callback = Callable[[], None]
Resume = Callable[[str], Awaitable[None]]
"""`await resume(executor)`: put the unfinished runs of a dead process up again."""


class JournalOwner(Protocol):
    """`bot.engine.alone` (SQLite) and `bot.engine.takeover` (PostgreSQL)."""

    executor: str
    """The name under which this process's runs are recorded."""

    session_name: str
    """What the database shows of every connection of this process."""

    sqlite: bool

    def journal_settings(self) -> dict[str, Any]:
        """What DBOS is told about the database."""

    async def take(self, resume: Resume, leading: "Leading") -> None:
        """Become known, just before the journal opens. Neither argument is used before the loop is free again."""

    async def permit(self) -> None:
        """Return when this process may start an effect."""

    def acts_until(self) -> float:
        """The `time.monotonic()` until which this process may act without asking again."""

    async def give_back(self) -> None:
        """Leave; what is unfinished is somebody else's, or the next start's."""


class Leading:
    """Whether this process leads, and what it does then. Leadership ends with the process only."""

    def __init__(self) -> None:
        self.is_leader = False
        self._callbacks: list[Callback] = []

    def when(self, callback: Callback) -> None:
        """Call back once, when this process leads: now, later or never."""
        if self.is_leader:
            callback()
        else:
            self._callbacks.append(callback)

    def become(self) -> None:
        """In the loop: this process leads from now on."""
        self.is_leader = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
