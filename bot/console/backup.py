"""`tocsin backup`: the two SQLite databases as they stood at one moment, also while the bot runs.

Copies of two moments may hold a step without its effects. A copy of one moment
is what a kill would leave, and every start goes on from that.
"""

import shutil
import sqlite3
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from bot.console.reading import expect_database
from bot.core.errors import ConfigurationError, TocsinError
from bot.engine.data_folder import JOURNAL
from bot.settings import Secrets
from bot.store.migrate import sync_url

_opened = partial(sqlite3.connect, timeout=10.0, isolation_level=None)


def back_up(secrets: Secrets, folder: Path) -> list[Path]:
    """Copy into a new folder, whole or not at all; the copies. Raises TocsinError, OSError."""
    if secrets.postgres:
        raise ConfigurationError('is PostgreSQL: pg_dump -Fc "$TOCSIN_DATABASE_URL" holds all', key="TOCSIN_DATABASE_URL")
    expect_database(secrets)
    if folder.exists():
        raise TocsinError(f"{folder} exists; a backup takes a folder of its own")
    app = secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}"
    both = (Path(sync_url(app).removeprefix("sqlite:///")), secrets.data_dir / JOURNAL)
    databases = [path for path in both if path.exists()]
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        _copy(databases, unfinished)
        unfinished.rename(folder)
    except sqlite3.Error as error:
        raise TocsinError(f"nothing was backed up: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return [folder / path.name for path in databases]


def _copy(databases: list[Path], folder: Path) -> None:
    with ExitStack() as stack:
        writers, readers = ([stack.enter_context(closing(_opened(path))) for path in databases] for _ in range(2))
        # While nobody can write, every reader begins on what is committed; then the bot writes on, and they stay there.
        for writer in writers:
            writer.execute("BEGIN IMMEDIATE")
        for reader in readers:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for writer in writers:
            writer.execute("ROLLBACK")
        for path, reader in zip(databases, readers, strict=True):
            copy = stack.enter_context(closing(_opened(folder / path.name)))
            reader.backup(copy)
            if (verdict := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(f"the copy of {path.name} is damaged: {verdict}")
