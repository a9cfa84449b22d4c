"""Which process owns the runs of a journal: one alone on its data folder, or one of several replicas."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

Callback = Callable[[], None]
Resume = Callable[[str], Awaitable[None]]
"""`await resume(executor)`: put the unfinished runs of a dead process up again."""
JournalSettings = Mapping[str, object]
"""Keys of DBOS' configuration that say where its database is."""


class JournalOwner(Protocol):
    """`bot.engine.data_folder` (SQLite) and `bot.engine.replica` (PostgreSQL)."""

    executor: str
    """The name under which this process's runs are recorded."""

    session_name: str
    """What the database shows of every connection of this process."""

    sqlite: bool

    def journal_settings(self) -> JournalSettings:
        """The part of DBOS' configuration that concerns the database."""

    async def acquire(self, resume: Resume, leadership: "Leadership") -> None:
        """Register this process, just before the journal opens. Neither argument is used before the loop is free again."""

    async def permit(self) -> None:
        """Return when this process may start an effect."""

    def lease_until(self) -> float:
        """The `time.monotonic()` until which this process may act without asking again."""

    async def release(self) -> None:
        """Leave; unfinished runs are resumed by another process or at the next start."""


class Leadership:
    """Whether this process leads, and what it does then. Leadership ends with the process only."""

    def __init__(self) -> None:
        self.is_leader = False
        self._callbacks: list[Callback] = []

    def on_acquired(self, callback: Callback) -> None:
        """Call back once, when this process leads: now, later or never."""
        if self.is_leader:
            callback()
        else:
            self._callbacks.append(callback)

    def acquire(self) -> None:
        """In the loop: this process leads from now on."""
        self.is_leader = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
