"""`tocsin backup` and `tocsin restore`: tables and journal as they stood at one moment, also while the bot runs.

Copies of two moments may hold a step without its effects. A copy of one moment
is what a kill would leave, and every start goes on from that.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from bot.console.backups.postgres_dump import DUMP, dump, fill
from bot.console.incident_listing import expect_database, sqlite_file
from bot.core.errors import TocsinError
from bot.engine.data_folder import JOURNAL, DataFolder
from bot.settings import Secrets
from bot.store.migrate import refuse_newer, sync_url

_opened = partial(sqlite3.connect, timeout=10.0, isolation_level=None)


def back_up(secrets: Secrets, folder: Path) -> list[Path]:
    """Copy into a new folder, whole or not at all; the copies. Raises TocsinError, OSError."""
    expect_database(secrets)
    if folder.exists():
        raise TocsinError(f"{folder} exists; a backup takes a folder of its own")
    with _whole(folder) as unfinished:
        if secrets.postgres:
            dump(secrets.database_url, unfinished / DUMP)
        else:
            _copy([path for path in _databases(secrets) if path.exists()], unfinished)
    return sorted(folder.iterdir())


def restore(secrets: Secrets, folder: Path) -> list[str]:
    """Fill an empty data folder, or an empty database of PostgreSQL; what was filled. Raises TocsinError, OSError."""
    if secrets.postgres:
        if not (folder / DUMP).exists():
            raise TocsinError(f"{folder} holds no {DUMP}: it is no backup of PostgreSQL")
        sync_url(secrets.database_url)  # refuses what is no address
        fill(secrets.database_url, folder / DUMP)
        refuse_newer(secrets.database_url)
        return ["the database"]
    return [str(path) for path in _restore_files(secrets, folder)]


def _restore_files(secrets: Secrets, folder: Path) -> list[Path]:
    app, journal = _databases(secrets)
    copies = [path for path in (folder / app.name, folder / JOURNAL) if path.exists()]
    if folder / app.name not in copies:
        raise TocsinError(f"{folder} holds no {app.name}: it is no backup of SQLite")
    if existing := [path for path in (app, journal) if path.exists()]:
        raise TocsinError(f"{existing[0]} exists; stop the bot and move it away: a backup is never laid over what is there")
    app.parent.mkdir(parents=True, exist_ok=True)
    secrets.data_dir.mkdir(parents=True, exist_ok=True)
    # The tables last: with them there it is a database.
    targets = {copy: journal if copy.name == JOURNAL else app for copy in reversed(copies)}
    with DataFolder(secrets.data_dir).locked(), ExitStack() as stack:
        drafts = [(stack.enter_context(_draft(copy, target)), target) for copy, target in targets.items()]
        refuse_newer(f"sqlite:///{drafts[-1][0]}")
        for draft, target in drafts:
            draft.rename(target)
    return [app, *([journal] if folder / JOURNAL in copies else [])]


def _databases(secrets: Secrets) -> tuple[Path, Path]:
    """The file of the tables, and that of the journal."""
    return sqlite_file(secrets) or secrets.data_dir / "app.db", secrets.data_dir / JOURNAL


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside it that takes its name once everything is in it."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    if unfinished.exists():
        raise TocsinError(f"{unfinished} exists: another backup is at work, or one was cut off; then remove this folder")
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        yield unfinished
        unfinished.rename(folder)
    except sqlite3.Error as error:
        raise TocsinError(f"nothing was backed up: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _draft(source: Path, target: Path) -> Iterator[Path]:
    """A checked copy beside its place, gone unless it was renamed: SQLite opens nothing where it may not write."""
    draft, suffixes = target.with_name(f"{target.name}.unfinished"), ("", "-wal")
    try:
        for suffix in suffixes:
            if (part := Path(f"{source}{suffix}")).exists():
                shutil.copyfile(part, f"{draft}{suffix}")
        with closing(_opened(draft)) as copy:
            _check(copy, source.name)
        yield draft
    except sqlite3.Error as error:
        raise TocsinError(f"{source} cannot be restored: {error}") from error
    finally:
        for suffix in (*suffixes, "-shm"):
            Path(f"{draft}{suffix}").unlink(missing_ok=True)


def _check(copy: sqlite3.Connection, name: str) -> None:
    """Raise sqlite3.Error where a copy is not whole."""
    if (verdict := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(f"the copy of {name} is damaged: {verdict}")


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
            _check(copy, path.name)
