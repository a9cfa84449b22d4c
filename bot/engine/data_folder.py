"""The journal in the data folder: one SQLite file, one process, which therefore leads.

Two processes on one file would both resume the same runs, so the folder is
locked. The kernel frees the lock with the process, also after kill -9.
"""

import asyncio
import fcntl
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from bot.core.errors import ConfigurationError
from bot.engine.journal_owner import JournalSettings, Leadership, Resume

JOURNAL, LOCK = "durable.db", "durable.lock"


class FullSync(sqlite3.Connection):
    """A connection that waits for the disk: what was acknowledged survives a power cut."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: SQLAlchemy passes what sqlite3.connect takes
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA synchronous=FULL")


class DataFolder:
    """This process owns `data_dir`. Its name never changes, so that the next start resumes its runs."""

    executor = "local"
    session_name = "tocsin"
    sqlite = True

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._lock: IO[str] | None = None

    def journal_settings(self) -> JournalSettings:
        url = f"sqlite:///{self.data_dir / JOURNAL}"
        return {"system_database_url": url, "db_engine_kwargs": {"connect_args": {"factory": FullSync}}}

    async def acquire(self, resume: Resume, leadership: Leadership) -> None:
        """Lock the folder and prepare the file. Raises ConfigurationError: another process has locked it, or it is damaged."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.data_dir)
        # The mode is stored in the file. DBOS leaves the default one, which is ten times slower on a busy machine.
        try:
            with closing(sqlite3.connect(self.data_dir / JOURNAL)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.DatabaseError as error:
            # What cannot be written now may be whole: a full or read-only disk, a lock.
            is_whole = isinstance(error, sqlite3.OperationalError)
            advice = (
                "make room and let it be written" if is_whole else "restore it and app.db from one backup (docs/running.md)"
            )
            problem = f"{self.data_dir / JOURNAL} cannot be used ({error}): {advice}"
            raise ConfigurationError(problem, key="TOCSIN_DATA_DIR") from None
        asyncio.get_running_loop().call_soon(leadership.acquire)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder while no bot may run on it. Raises ConfigurationError when one does."""
        with closing(_locked(self.data_dir)):
            yield

    async def permit(self) -> None:
        return None

    def lease_until(self) -> float:
        return math.inf

    async def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _locked(data_dir: Path) -> IO[str]:
    lock = (data_dir / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        problem = f"another tocsin runs on this data folder ({data_dir}); stop it, or give this one a folder of its own"
        raise ConfigurationError(problem, key="TOCSIN_DATA_DIR") from None
    return lock
