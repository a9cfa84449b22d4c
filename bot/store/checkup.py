"""Asks the database whether it answers, has this code's schema, and how large it is; changes nothing."""

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, col, select

from bot.core.alerts.heartbeat import Rhythm
from bot.core.check import Check, failed, ok
from bot.core.config.retention import Retention
from bot.core.errors import ConfigurationError
from bot.core.text.untrusted import one_line
from bot.store.db.database import DatabaseUnavailable, DatabaseUnreadable
from bot.store.migrate import current, head, refuse_newer, sync_url
from bot.store.retention.sizes import in_words, sizes
from bot.store.tables import EpisodeRow, HeartbeatRow

MIN_FREE = 100_000_000
"""Bytes: less than a storm of an hour takes."""
MAX_COMPARED = 5_000
"""Alerts of one source, the newest, that its rules are compared with."""


_REPAIR = {
    "sqlite": "put a backup in its place, or name another with TOCSIN_DATA_DIR",
    "postgresql": "repair what it says; the role of TOCSIN_DATABASE_URL must own what `tocsin db upgrade` made",
}
_REACH = {
    "sqlite": "the bot's user must be able to write to file and folder, the disk have room, and no other program hold it",
    "postgresql": "check TOCSIN_DATABASE_URL and that the server runs",
}
"""What to do about a database that cannot be read or reached, by kind."""


def check_database(url: str) -> Check:
    """Reachable, and at which revision. `url` as `bot.store.migrate` takes it."""
    try:
        parsed = make_url(sync_url(url))
        kind = parsed.get_backend_name()
        revision = current(url)
    except ConfigurationError as error:
        return failed(
            "Database", str(error), "TOCSIN_DATABASE_URL is postgresql://user:password@host/name, or empty for SQLite"
        )
    except DatabaseUnreadable as error:
        return failed("Database", str(error), _REPAIR[kind])
    except DatabaseUnavailable as error:
        # The driver's text names host and user; the address with its password is not in it.
        return failed("Database", one_line(str(error), 200), _REACH[kind])
    try:
        refuse_newer(url)
    except ConfigurationError as error:
        return failed("Database", error.problem, "the start refuses it; docs/upgrade.md says how to go back")
    if revision == head():
        return ok("Database", f"{kind}, revision {revision}")
    if kind == "sqlite":
        return ok("Database", f"{kind}, revision {revision or 'none yet'}", "upgraded by itself at the next start")
    return failed("Database", f"{kind}, revision {revision or 'none'}, wanted {head()}", "run `tocsin db upgrade` once")


def heartbeats(url: str) -> list[tuple[str, Rhythm]]:
    """Every heartbeat that arrived, `<source>:<rule>`; none where the database cannot be read, which another check says."""
    try:
        engine = create_engine(sync_url(url), poolclass=NullPool)
        with Session(engine) as session:
            return [(row.key, row.rhythm) for row in session.exec(select(HeartbeatRow).order_by(col(HeartbeatRow.key)))]
    except (ConfigurationError, SQLAlchemyError):
        return []


def newest_labels(url: str, source: str) -> list[dict[str, str]]:
    """The labels of a source's newest alerts, with their names as `alertname`; none where the database cannot be read."""
    read = select(EpisodeRow.name, EpisodeRow.labels).where(EpisodeRow.source == source)
    try:
        engine = create_engine(sync_url(url), poolclass=NullPool)
        with Session(engine) as session:
            rows = session.exec(read.order_by(col(EpisodeRow.id).desc()).limit(MAX_COMPARED)).all()
            return [{"alertname": name, **labels} for name, labels in rows]
    except (ConfigurationError, SQLAlchemyError):
        return []


def check_sizes(url: str, journal: Path | None, retention: Retention, *, min_free: int = MIN_FREE) -> list[Check]:
    """How much room the database takes and the largest tables; none for one that cannot be read, which another check says.

    Failed where a SQLite file has less than `min_free` bytes to grow.
    """
    try:
        tables = sizes(url, journal)
    except (ConfigurationError, DatabaseError, sqlite3.Error, OSError):
        return []
    if (full := _full_disk(url, min_free)) is not None:
        return [full]
    largest = ", ".join(f"{one.table} {in_words(one.size)}" for one in tables[:5])
    days = ", ".join(f"{name} {age.days}d" for name, age in retention)
    return [ok("Disk", f"{in_words(sum(one.size for one in tables))}: {largest}", f"kept (`retention`): {days}")]


def _full_disk(url: str, min_free: int) -> Check | None:
    """A failed check where a SQLite file has hardly any room to grow; of PostgreSQL's disk nothing is known here."""
    parsed = make_url(sync_url(url))
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    folder = Path(parsed.database).absolute().parent
    if (free := shutil.disk_usage(folder).free) >= min_free:
        return None
    advice = "make room, or move the data folder: without room nothing is stored, and senders are answered 503"
    return failed("Disk", f"{in_words(free)} free on the disk of {folder}", advice)
