"""Migrations: they make what the tables say, once, and keep their hands off a newer database and other people's tables."""

import importlib
import pkgutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from bot.core.errors import ConfigurationError
from bot.store import tables
from bot.store.db.database import Database, async_url
from bot.store.migrate import current, head, ready, refuse_newer, sync_url, upgrade
from bot.store.migrations import versions
from bot.store.tables import MessageRow, PostmortemRow, TriageRow
from tests.real.postgres import postgres_server, postgres_url
from tests.unit.store.schema import differences, downgrade

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'app.db'}"


def execute(url: str, statement: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement)
        connection.commit()


def test_an_upgraded_empty_database_is_exactly_what_the_tables_say(url: str) -> None:
    upgrade(url)

    assert (current(url), differences(url)) == (head(), [])


def test_the_files_of_the_migrations_are_named_by_one_chain_of_revisions() -> None:
    modules = sorted(one.name for one in pkgutil.iter_modules(versions.__path__))
    chain = [importlib.import_module(f"{versions.__name__}.{name}") for name in modules]

    assert [one.revision for one in chain] == [name.partition("_")[0] for name in modules]
    assert [one.down_revision for one in chain] == [None, *(one.revision for one in chain[:-1])]
    assert chain[-1].revision == head()


def test_a_start_on_a_database_that_is_up_to_date_does_not_load_what_upgrades_it(url: str) -> None:
    upgrade(url)
    program = f"import sys; from bot.store.migrate import ready; ready({url!r}); sys.exit('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_whoever_imports_one_table_has_all_of_them() -> None:
    modules = [pkgutil.resolve_name(f"bot.store.tables.{one.name}") for one in pkgutil.iter_modules(tables.__path__)]
    names = {name for module in modules for name in vars(module) if name.endswith("Row")}

    assert names == set(tables.__all__)


def test_a_missing_column_is_seen_as_a_difference(url: str) -> None:
    upgrade(url)
    execute(url, "ALTER TABLE groups DROP COLUMN reopened")

    assert len(differences(url)) == 1


def test_upgrading_twice_changes_nothing(url: str) -> None:
    ready(url)
    execute(url, "INSERT INTO cursors VALUES ('inbox', 7)")

    ready(url)

    assert differences(url) == []


def test_the_refusal_of_a_newer_database_names_both_revisions_and_what_to_do(url: str) -> None:
    upgrade(url)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ConfigurationError, match=f"revision 9999, .*its own is {head()}.*: start the newer .*restore the copy"):
        refuse_newer(url)


def test_tables_of_others_are_left_alone(url: str) -> None:
    execute(url, "CREATE TABLE workflow_status (id TEXT PRIMARY KEY)")

    upgrade(url)

    assert differences(url) == []


def test_an_upgrade_that_fails_half_way_leaves_nothing_behind(url: str) -> None:
    execute(url, "CREATE TABLE triages (id INTEGER)")  # one of the last tables: the upgrade stumbles over it

    with pytest.raises(Exception, match="triages"):
        upgrade(url)

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["triages"]


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="postgresql://"):
        sync_url("mysql://db/app")


@pytest.mark.parametrize(
    "place", ["u:p/w@h/db", "u:p@w@h/db", "u:50%@h/db", "u:p w@h/db", "u:p@h:port/db", "u:p@[::1/db", "u:p@h/db?a=b"]
)
def test_an_address_that_two_libraries_would_read_differently_is_refused(place: str) -> None:
    with pytest.raises(ConfigurationError, match="TOCSIN_DATABASE_URL: cannot be read"):
        sync_url(f"postgresql://{place}")


@pytest.mark.parametrize(
    "place", ["u:p%2Fw@h/db", "u:p#w?@h/db", "u@[::1]:5432/db", "/db?host=/run", "u:p@h/db?sslmode=require"]
)
def test_an_address_that_both_read_alike_is_taken(place: str) -> None:
    assert sync_url(f"postgres://{place}") == f"postgresql+psycopg://{place}"


def test_postgresql_gets_the_same_tables_but_not_by_itself(postgres_url: str) -> None:
    with pytest.raises(ConfigurationError, match="tocsin db upgrade"):
        ready(postgres_url)

    upgrade(postgres_url)
    ready(postgres_url)

    assert differences(postgres_url) == []


FIRST_ROWS = (
    "INSERT INTO triages (id, group_id, attempt, state, started_at, question, requester, facts, findings, progress, usd)"
    " VALUES (1, 1, 1, 'done', '2026-03-01 03:00:00', 'why?', 'alice', '{}', '{}', '[]', 0.5)",
    "INSERT INTO postmortems (id, incident_id, n, state, sections, markdown, at)"
    " VALUES (1, 1, 1, 'draft', '[]', '# INC-1', '2026-03-01 04:00:00')",
    "INSERT INTO messages (key, channel, thread_key, kind, subject, wanted_rev, sent_rev, ts, posted_channel, failures,"
    " undelivered, created_at, changed_at, edits) VALUES ('line:1', 'C1', '', 'line', 'hello', 2, 1, '1.0', '', 0, '',"
    " '2026-03-01 03:00:00', '2026-03-01 03:00:00', 0)",
)
"""As version 0001 wrote them."""
OLD = (
    "SELECT state, question, requester, usd FROM triages",
    "SELECT n, state, markdown FROM postmortems",
    "SELECT subject, wanted_rev, sent_rev FROM messages",
)
KEPT = [[("done", "why?", "alice", 0.5)], [(1, "draft", "# INC-1")], [("hello", 2, 1)]]


def answers(url: str, *questions: str) -> list[list[tuple[Any, ...]]]:
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        results = [connection.execute(text(question)) for question in questions]
        return [[tuple(row) for row in result] if result.returns_rows else [] for result in results]


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("url" if request.param == "sqlite" else "postgres_url"))


def test_a_database_of_the_first_schema_keeps_its_rows_on_the_way_up_and_on_the_way_down(any_url: str) -> None:
    upgrade(any_url, to="0001")
    answers(any_url, *FIRST_ROWS)

    upgrade(any_url)
    up = answers(any_url, *OLD)
    downgrade(any_url, to="0001")

    assert (up, answers(any_url, *OLD), current(any_url)) == (KEPT, KEPT, "0001")
    upgrade(any_url)
    assert differences(any_url) == []


async def test_what_the_first_schema_wrote_is_read_with_the_new_columns_empty(any_url: str) -> None:
    upgrade(any_url, to="0001")
    answers(any_url, *FIRST_ROWS)
    upgrade(any_url)

    db = Database(async_url(any_url if "postgresql" in any_url else "", Path(any_url.removeprefix("sqlite:///")).parent))
    async with db.read() as session:
        triage, draft = await session.get(TriageRow, 1), await session.get(PostmortemRow, 1)
        message = await session.get(MessageRow, "line:1")
    await db.close()

    assert triage is not None and draft is not None and message is not None
    assert (triage.no_proposal, triage.late_changes, draft.proposal_states, message.mentions) == ("", [], None, [])


def test_causes_told_before_they_were_rows_are_kept_with_who_resolved_the_incident(url: str) -> None:
    upgrade(url, to="0002")
    named = (
        "(title, severity, service, state, channel, lead, deputies, declared_by, declared_at, resolved_by, resolved_at, "
        "cause, stopped, rev)"
    )
    moments = "'2026-03-01 03:00:00.000000', 'alice', '2026-03-01 04:00:00.000000'"
    for cause in ("bad deploy", ""):
        values = f"('Errors', 'SEV2', 'checkout', 'RESOLVED', 'C1', '', '[]', 'policy', {moments}, '{cause}', 0, 1)"
        execute(url, f"INSERT INTO incidents {named} VALUES {values}")

    upgrade(url)

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT incident_id, text, said_by FROM causes").fetchall() == [(1, "bad deploy", "alice")]
