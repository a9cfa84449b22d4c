"""How much room the database takes, by table; its indexes count with it. Read while the bot runs, changes nothing."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from bot.store.migrate import sync_url

_LARGEST = 1 << 30
"""Bytes of a SQLite file up to which its pages are counted: all of them are read for it."""
_PAGES = """
    SELECT coalesce(tbl_name, name), sum(pgsize) FROM dbstat LEFT JOIN sqlite_master USING (name)
    WHERE aggregate = TRUE GROUP BY 1 ORDER BY 2 DESC, 1
"""
_RELATIONS = """
    SELECT n.nspname, c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 3 DESC, 2
"""
JOURNAL = "journal"


@dataclass(frozen=True)
class Size:
    """One table; all tables of the journal of workflows count as one."""

    table: str
    size: int
    """Bytes."""


def sizes(url: str, journal: Path | None = None) -> list[Size]:
    """The tables of a database, largest first. `journal`: the journal's own file, with SQLite.

    Without the tables (a SQLite file that is too large to count, or a library without dbstat) the file as a whole.
    """
    address = sync_url(url)
    if not address.startswith("sqlite"):
        return _of_postgres(address)
    files = [*_of_file(Path(address.removeprefix("sqlite:///"))), *([Size(JOURNAL, _bytes(journal))] if journal else [])]
    return sorted(files, key=lambda size: -size.size)


def _of_file(path: Path) -> Sequence[Size]:
    whole = [Size(path.name, _bytes(path))]
    if whole[0].size > _LARGEST:
        return whole
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return [Size(name, size) for name, size in connection.execute(_PAGES)]
        except sqlite3.OperationalError:
            return whole


def _bytes(path: Path) -> int:
    """A file with what SQLite has beside it."""
    return sum(one.stat().st_size for one in (path, Path(f"{path}-wal")) if one.exists())


def _of_postgres(address: str) -> list[Size]:
    engine = create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(_RELATIONS)).all()
    finally:
        engine.dispose()
    journal = sum(size for schema, _, size in rows if schema == "dbos")
    own = [Size(name, size) for schema, name, size in rows if schema != "dbos"]
    return sorted([*own, *([Size(JOURNAL, journal)] if journal else [])], key=lambda size: -size.size)


def in_words(size: int) -> str:
    """Bytes for people: `812 KB`, `4.1 MB`."""
    value = size / 1_000
    for unit in ("KB", "MB"):
        if value < 1_000:
            return f"{value:.3g} {unit}"
        value /= 1_000
    return f"{value:.3g} GB"
