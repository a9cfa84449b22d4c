"""Brings the database to the schema of this code: alembic, without an ini file, and loaded only where something is missing.

All of an upgrade is one transaction, also on SQLite: a kill in the middle leaves the old schema whole.
`python -m bot.store.migrate "what changes"` writes a migration from the difference between bot/store/tables and the newest one.
"""

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from bot.core.errors import ConfigurationError
from bot.core.text.untrusted import one_line
from bot.store import tables  # noqa: F401 - fills the metadata
from bot.store.db import locks
from bot.store.db.database import DatabaseUnavailable, DatabaseUnreadable, unreadable

if TYPE_CHECKING:
    from alembic.config import Config

_BUSY_SECONDS = 30
_MIGRATIONS = Path(__file__).with_name("migrations")


def sync_url(url: str) -> str:
    """Any accepted address (`sqlite:///path`, `postgres://...`, with or without a driver) for a plain connection.

    Raises ConfigurationError for what is no address.
    """
    scheme, _, rest = url.partition("://")
    if scheme.startswith("postgres"):
        _require_readable(f"postgresql://{rest}")
        return f"postgresql+psycopg://{rest}"
    if scheme.startswith("sqlite"):
        return f"sqlite://{rest}"
    raise ConfigurationError("must begin with postgresql:// or sqlite:///", key="TOCSIN_DATABASE_URL")


def _require_readable(address: str) -> None:
    """Raise ConfigurationError unless PostgreSQL's own library, which the journal and pg_dump use, reads what SQLAlchemy reads.

    The libraries' words are not repeated: they quote a password that was taken for a host or a port.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        fields, parsed = conninfo_to_dict(address), make_url(address)
    except (ProgrammingError, ArgumentError, ValueError):
        alike = False
    else:
        password = parsed.query.get("password", parsed.password)
        alike = (fields.get("password") or "") == (password or "") and "@" not in (parsed.host or "")
    if not alike:
        problem = "cannot be read as postgresql://user:password@host:5432/name, with options of PostgreSQL alone behind a ?"
        advice = "write what is neither letter nor digit in the password as %XX (@ is %40, / %2F, # %23, ? %3F, % %25)"
        raise ConfigurationError(f"{problem}; {advice}", key="TOCSIN_DATABASE_URL")


def ready(url: str) -> None:
    """Before a start: SQLite is upgraded, the old file copied beside it; PostgreSQL must be. Raises ConfigurationError."""
    refuse_newer(url)
    if current(url) == head():
        return
    if not sync_url(url).startswith("sqlite"):
        raise ConfigurationError("the database has another schema: run `tocsin db upgrade` once", key="TOCSIN_DATABASE_URL")
    _copy_aside(url)
    upgrade(url)


def upgrade(url: str, *, to: str = "head") -> None:
    """Run what is missing up to a revision, all in one transaction.

    Raises ConfigurationError for a database that is newer than this code.
    """
    refuse_newer(url)
    with _connection(url) as connection:
        from alembic import command

        if connection.dialect.name == "postgresql":
            connection.execute(locks.take(locks.MIGRATION))
        command.upgrade(_config(connection), to)


def current(url: str) -> str:
    """The database's revision; "" for an empty database."""
    with _connection(url) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def head() -> str:
    """The revision of this code."""
    return max(_revisions())


def _revisions() -> set[str]:
    """Those that this code knows: the names of the files begin with them."""
    return {path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")}


def refuse_newer(url: str) -> None:
    """Raise ConfigurationError if the database is at a revision that this code does not know."""
    revision, revisions = current(url), _revisions()
    if revision and revision not in revisions:
        raise ConfigurationError(
            f"the database is at revision {revision}, which this version does not know (its own is {head()}): "
            "start the newer version, or restore the copy made before its upgrade",
            key="TOCSIN_DATABASE_URL",
        )


def draft(message: str) -> None:
    """Write the next migration; read it before use: a new NOT NULL column needs a `server_default`."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        from alembic import command

        upgrade(url)
        with _connection(url) as connection:
            command.revision(_config(connection), message=message, autogenerate=True)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """A connection in a transaction that is committed at the end."""
    address = sync_url(url)
    if address.startswith("sqlite"):
        engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _disable_implicit_begin)
        event.listen(engine, "begin", _begin_at_once)
    else:
        engine = create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except InterfaceError as error:
        raise DatabaseUnavailable(f"the database does not answer: {type(error).__name__}") from error
    except OperationalError as error:
        raise DatabaseUnavailable(f"the database does not answer: {one_line(str(error.orig), 300)}") from error
    except DatabaseError as error:
        raise DatabaseUnreadable(unreadable(error)) from error
    finally:
        engine.dispose()


def _disable_implicit_begin(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin only before INSERT and the like, so that DDL ran outside any transaction.
    connection.isolation_level = None


def _begin_at_once(connection: Connection) -> None:
    # IMMEDIATE also keeps two starting processes apart: the second waits, then finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _copy_aside(url: str) -> None:
    """Copy an SQLite file that has content beside itself before it is changed."""
    path = make_url(sync_url(url)).database
    if not path or not Path(path).exists() or not (revision := current(url)):
        return
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(f"{path}.before-{revision}")) as copy:
        old.backup(copy)


if __name__ == "__main__":
    draft(sys.argv[1])
