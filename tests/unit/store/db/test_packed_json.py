"""Long JSON is compressed in SQLite, and read back also where it was written before it was."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from bot.core.actor import Visibility
from bot.core.evidence import Evidence
from bot.store.db.columns import PackedJson
from bot.store.migrate import upgrade
from bot.store.triage.gaps import failed_checks
from bot.store.triage.triage import Triages
from tests.unit.builders import at
from tests.unit.store.databases import SortingFixture, alert
from tests.unit.store.schema import downgrade

LONG = Evidence(summary="errors", query="up", details=tuple(f"line {n} of a log: ü" for n in range(100)))
FAILED = Evidence(summary="no Loki", query="q", ok=False)
PARTLY = Evidence(summary="part", query="q", unseen=("pods",))


def query(path: Path, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(statement, values).fetchall()
        connection.commit()
        return rows


def insert(path: Path, evidence: object) -> None:
    """One row of evidence as version 0008 wrote it."""
    columns = "group_id, n, key, attempt, tool, arguments, at, evidence"
    values = "1, 1, 'k', 0, 'search_logs', '{}', '2026-03-01 03:00:00', ?"
    query(path, f"INSERT INTO evidence ({columns}) VALUES ({values})", evidence)


async def test_what_is_long_is_stored_packed_and_read_whole(sorting: SortingFixture, tmp_path: Path) -> None:
    await sorting.receive(alert("a"))
    triages = Triages(sorting.db)
    await triages.ledger.record("AL-1", "search_logs", {}, "1", LONG)
    await triages.ledger.record("AL-1", "search_logs", {}, "2", FAILED)

    ((kind, size), _) = query(tmp_path / "app.db", "SELECT typeof(evidence), length(evidence) FROM evidence ORDER BY n")
    assert kind == "blob" and size < len(LONG.model_dump_json()) / 3
    assert [entry.evidence.details for entry in await triages.ledger.entries("AL-1")] == [LONG.details, ()]


async def test_what_was_written_as_text_is_read_too(sorting: SortingFixture, tmp_path: Path) -> None:
    await sorting.receive(alert("a"))
    triages = Triages(sorting.db)
    await triages.ledger.record("AL-1", "search_logs", {}, "1", FAILED)
    query(tmp_path / "app.db", "UPDATE evidence SET evidence = ?", LONG.model_dump_json())

    assert [entry.evidence.details for entry in await triages.ledger.entries("AL-1")] == [LONG.details]


@pytest.mark.parametrize(("evidence", "blind"), [(LONG, 0), (FAILED, 1), (PARTLY, 1)])
def test_the_migration_marks_what_could_not_be_checked(tmp_path: Path, evidence: Evidence, blind: int) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'app.db'}", to="0008")
    insert(tmp_path / "app.db", evidence.model_dump_json())

    upgrade(url)

    assert query(tmp_path / "app.db", "SELECT blind FROM evidence") == [(blind,)]


def test_the_way_down_unpacks_what_the_older_version_could_not_read(tmp_path: Path) -> None:
    pack = PackedJson().bind_processor(sqlite.dialect())
    assert pack is not None
    upgrade(url := f"sqlite:///{tmp_path / 'old.db'}")
    insert(tmp_path / "old.db", pack(LONG.model_dump(mode="json")))

    downgrade(url, to="0008")

    ((text,),) = query(tmp_path / "old.db", "SELECT evidence FROM evidence")
    assert Evidence.model_validate_json(text).details == LONG.details


async def test_gaps_are_those_that_could_not_be_checked(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"))
    triages = Triages(sorting.db)
    for call, evidence in enumerate((LONG, FAILED, PARTLY)):
        await triages.ledger.record("AL-1", "search_logs", {}, str(call), evidence)

    assert sorted(gap.summary for gap in await failed_checks(sorting.db, at(-60), {Visibility("C1")})) == ["no Loki", "pods"]
