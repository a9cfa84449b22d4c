"""A backup holds both databases as they stood at one moment, or nothing at all."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.console.backups.backup import back_up, restore
from bot.core.errors import TocsinError
from bot.settings import Secrets

BOTH = ("app.db", "durable.db")
COPIES = 30
"""Enough that copies of two moments would be caught: each is about one chance in ten."""


class BackupFixture:
    """A data folder whose two databases each hold one number, written as the bot does: the effect, then its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.databases = [sqlite3.connect(folder / name, check_same_thread=False, isolation_level=None) for name in BOTH]
        for database in self.databases:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")
            database.execute("CREATE TABLE done (step INTEGER)")
            database.execute("INSERT INTO done VALUES (0)")

    def secrets(self, **values: str) -> Secrets:
        return Secrets(data_dir=self.folder, **{"database_url": "", **values})

    def write_until(self, enough: threading.Event) -> None:
        """Bursts with pauses between them: who writes without any lets nobody else have the lock."""
        step = 0
        while not enough.wait(0.001):
            for _ in range(20):
                step += 1
                for database in self.databases:
                    database.execute("UPDATE done SET step = ?", (step,))

    def close(self) -> None:
        for database in self.databases:
            database.close()


@pytest.fixture
def fixture(tmp_path: Path) -> Iterator[BackupFixture]:
    fixture = BackupFixture(tmp_path / "data")
    yield fixture
    fixture.close()


def steps(folder: Path) -> list[int]:
    found = []
    for name in BOTH:
        with closing(sqlite3.connect(folder / name)) as database:
            found.append(database.execute("SELECT step FROM done").fetchone()[0])
    return found


def test_it_holds_what_is_committed_also_where_no_file_has_it_yet(fixture: BackupFixture, tmp_path: Path) -> None:
    for database in fixture.databases:
        database.execute("UPDATE done SET step = 7")

    copies = back_up(fixture.secrets(), tmp_path / "copy")

    assert copies == [tmp_path / "copy" / name for name in BOTH]
    assert steps(tmp_path / "copy") == [7, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "data"]


def test_both_copies_are_of_one_moment_while_the_bot_writes(fixture: BackupFixture, tmp_path: Path) -> None:
    enough = threading.Event()
    bot = threading.Thread(target=fixture.write_until, args=[enough])
    bot.start()
    try:
        for number in range(COPIES):
            back_up(fixture.secrets(), tmp_path / f"copy-{number}")
    finally:
        enough.set()
        bot.join()

    ahead = [app - journal for app, journal in (steps(tmp_path / f"copy-{number}") for number in range(COPIES))]
    assert set(ahead) <= {0, 1}
    assert steps(tmp_path / f"copy-{COPIES - 1}")[0] > steps(tmp_path / "copy-0")[0]


def test_what_is_there_is_never_overwritten(fixture: BackupFixture, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()

    with pytest.raises(TocsinError, match="exists; a backup takes a folder of its own"):
        back_up(fixture.secrets(), tmp_path / "copy")


def test_a_damaged_database_leaves_nothing_behind(fixture: BackupFixture, tmp_path: Path) -> None:
    fixture.close()
    (fixture.folder / "durable.db").write_text("not a database at all, but long enough to be read as one" * 20)

    with pytest.raises(TocsinError, match="nothing was backed up: file is not a database"):
        back_up(fixture.secrets(), tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_empty_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="no database in"):
        back_up(Secrets(data_dir=tmp_path / "none", database_url=""), tmp_path / "copy")


def test_a_backup_is_restored_into_an_empty_folder_alone(fixture: BackupFixture, tmp_path: Path) -> None:
    back_up(fixture.secrets(), tmp_path / "copy")
    fresh = Secrets(data_dir=tmp_path / "fresh", database_url="")

    assert restore(fresh, tmp_path / "copy") == [str(tmp_path / "fresh" / name) for name in BOTH]
    assert steps(tmp_path / "fresh") == steps(fixture.folder)
    with pytest.raises(TocsinError, match="never laid over what is there"):
        restore(fresh, tmp_path / "copy")


def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(TocsinError, match=r"holds no app\.db"):
        restore(Secrets(data_dir=tmp_path / "fresh", database_url=""), tmp_path / "empty")


def test_a_damaged_copy_leaves_nothing_behind(fixture: BackupFixture, tmp_path: Path) -> None:
    back_up(fixture.secrets(), tmp_path / "copy")
    (tmp_path / "copy" / "durable.db").write_text("not a database at all, but long enough to be read as one" * 20)

    with pytest.raises(TocsinError, match="cannot be restored: file is not a database"):
        restore(Secrets(data_dir=tmp_path / "fresh", database_url=""), tmp_path / "copy")
    assert not (tmp_path / "fresh" / "durable.db").exists()


def test_the_command_says_what_it_wrote_and_what_it_left_out(
    fixture: BackupFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(fixture.folder))
    monkeypatch.delenv("TOCSIN_DATABASE_URL", raising=False)

    done = CliRunner().invoke(app, ["backup", str(tmp_path / "copy")])

    assert done.exit_code == 0 and f"and {tmp_path / 'copy' / 'durable.db'}" in done.output and "audit.key" in done.output
