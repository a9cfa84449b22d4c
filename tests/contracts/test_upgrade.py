"""A database of the last release becomes one of this version, on SQLite and on PostgreSQL, and nothing in it is lost.

What runs in it goes on in tests/contracts/test_older_database.py.
"""

import asyncio
import io
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import JSON, Boolean, DateTime, MetaData, NullPool, Table, create_engine, func, inspect, select, text

from bot.adapters import refuse_derivable_key
from bot.console.incident_listing import print_incident
from bot.console.trail.auditing import BadTrail, rekey
from bot.core.errors import ConfigurationError
from bot.settings import Secrets
from bot.store import audit
from bot.store.db.database import Database, async_url
from bot.store.migrate import current, head, ready, sync_url, upgrade
from bot.store.rekeying import BrokenTrail, key_of_address
from bot.store.rekeying import rekey as rekey_rows
from tests.recorded.replaying import Recording
from tests.unit.store.schema import differences

RECORDING = Recording("713a39c")


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Secrets:
    """Settings that name a database as that release left it."""
    RECORDING.restore(tmp_path)
    key = SecretStr(RECORDING.facts["audit_key"])
    if request.param == "sqlite":
        return Secrets(data_dir=tmp_path, database_url="", audit_key=key)
    url = str(request.getfixturevalue("postgres_url"))
    upgrade(url, to=current(f"sqlite:///{tmp_path / 'app.db'}"))
    move(tmp_path / "app.db", url)
    return Secrets(data_dir=tmp_path, database_url=url, audit_key=key)


def url_of(secrets: Secrets) -> str:
    return secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}"


def move(file: Path, url: str) -> None:
    """Every row of a SQLite database into the same tables on PostgreSQL."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    metadata = MetaData()
    with closing(sqlite3.connect(file)) as source, engine.begin() as target:
        source.row_factory = sqlite3.Row
        metadata.reflect(target)
        for table in metadata.tables.values():
            rows = [converted(table, dict(row)) for row in source.execute(f'SELECT * FROM "{table.name}"')]
            if rows and table.name != "alembic_version":
                target.execute(table.insert(), rows)
        target.execute(text("SELECT setval(pg_get_serial_sequence('audit', 'seq'), max(seq)) FROM audit"))


def converted(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: value_for(column.type, row[column.name]) for column in table.columns}


def value_for(kind: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return bool(value) if isinstance(kind, Boolean) else value


def shape(url: str) -> dict[str, tuple[set[str], int]]:
    """Each table with its columns and how many rows it has."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    metadata = MetaData()
    with engine.begin() as connection:
        metadata.reflect(connection)
        own = [table for name, table in metadata.tables.items() if name != "alembic_version"]
        rows = {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in own}
        return {table.name: ({column.name for column in table.columns}, rows[table.name]) for table in own}


def test_every_row_of_the_last_release_is_there_after_the_upgrade(old: Secrets) -> None:
    before = shape(url_of(old))
    upgrade(url_of(old))
    after = shape(url_of(old))

    assert (current(url_of(old)), differences(url_of(old))) == (head(), [])
    assert {name: rows for name, (_, rows) in before.items()} == {name: after[name][1] for name in before}
    assert sum(rows for _, rows in before.values()) > 200


async def test_people_read_the_incident_of_then_and_its_audit_is_whole(old: Secrets) -> None:
    await asyncio.to_thread(upgrade, url_of(old))
    printed = io.StringIO()
    await asyncio.to_thread(print_incident, old, "INC-1", Console(file=printed, width=200))
    key = old.audit_key.get_secret_value().encode()
    db = Database(async_url(old.database_url, old.data_dir), audit_key=key)
    broken = await audit.verify(db)
    await db.close()

    assert broken is None and "INC-1  RESOLVED  SEV2  checkout" in printed.getvalue()
    assert "a deploy of checkout broke it" in printed.getvalue() and "## Impact" in printed.getvalue()


async def test_a_trail_whose_key_followed_from_the_database_s_address_gets_one_of_its_own(old: Secrets) -> None:
    await asyncio.to_thread(upgrade, url_of(old))
    if not old.postgres:
        with pytest.raises(BadTrail, match="only a trail on PostgreSQL"):
            rekey(old, "")
        return
    derivable, own = key_of_address(old.database_url), old.audit_key.get_secret_value().encode()
    before = Database(async_url(old.database_url, old.data_dir), audit_key=own)
    as_then = Database(async_url(old.database_url, old.data_dir), audit_key=derivable)
    await rekey_rows(as_then, own)
    await as_then.close()
    with pytest.raises(ConfigurationError, match="run `tocsin audit rekey` once"):
        await refuse_derivable_key(old, before)

    told = await asyncio.to_thread(rekey, old, "")

    await refuse_derivable_key(old, before)
    assert await audit.verify(before) is None and f"the new one: {await audit.head(before)}" in told
    await before.close()


async def test_a_changed_trail_is_not_blessed_with_a_new_key(old: Secrets) -> None:
    await asyncio.to_thread(upgrade, url_of(old))
    engine = create_engine(sync_url(url_of(old)), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET who = 'mallory' WHERE seq = 2"))
    db = Database(async_url(old.database_url, old.data_dir), audit_key=b"a new one")

    with pytest.raises(BrokenTrail, match="row 2 was changed"):
        await rekey_rows(db, old.audit_key.get_secret_value().encode())

    db.audit_key = old.audit_key.get_secret_value().encode()
    assert await audit.verify(db) == 2
    await db.close()


def test_a_start_upgrades_sqlite_with_a_copy_beside_it_and_refuses_postgresql(old: Secrets) -> None:
    revision = current(url_of(old))
    if old.postgres:
        with pytest.raises(ConfigurationError, match="run `tocsin db upgrade` once"):
            ready(url_of(old))
        return

    ready(url_of(old))

    assert current(f"sqlite:///{old.data_dir / f'app.db.before-{revision}'}") == revision


def test_a_process_of_the_last_release_that_still_runs_can_go_on_writing(old: Secrets) -> None:
    """It names the columns that it knows: none of them is gone, and every new one has a value of its own."""
    before = shape(url_of(old))
    upgrade(url_of(old))
    engine = create_engine(sync_url(url_of(old)), poolclass=NullPool)
    with engine.connect() as connection:
        columns = {name: inspect(connection).get_columns(name) for name in before}

    gone = {name: sorted(known - {column["name"] for column in columns[name]}) for name, (known, _) in before.items()}
    demanded = {
        name: [c["name"] for c in columns[name] if c["name"] not in known and not c["nullable"] and c["default"] is None]
        for name, (known, _) in before.items()
    }
    assert {name: names for name, names in gone.items() if names} == {}
    assert {name: names for name, names in demanded.items() if names} == {}
