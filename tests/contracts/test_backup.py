"""A backup that was made while the bot works is a state from which a bot goes on: restored, on both databases."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.console.backups.backup import back_up, restore
from bot.core.errors import TocsinError
from bot.engine.durable import DurableEngine
from bot.ports import Run
from bot.settings import Secrets
from bot.store import audit
from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.tables import AlertRow
from tests.real.postgres import Server, binaries
from tests.unit.store.databases import Clock, SortingFixture, alert

Place = Callable[[str], Secrets]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Settings with an empty database of their own, by name."""
    server: Server | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    if server is not None:
        monkeypatch.setenv("PATH", f"{binaries()}{os.pathsep}{os.environ['PATH']}")

    def make(name: str) -> Secrets:
        return Secrets(data_dir=tmp_path / name, database_url=server.create_database() if server else "")

    return make


async def sorting_of(secrets: Secrets) -> SortingFixture:
    await asyncio.to_thread(secrets.data_dir.mkdir, exist_ok=True)
    await asyncio.to_thread(upgrade, secrets.database_url or f"sqlite:///{secrets.data_dir / 'app.db'}")
    clock = Clock()
    return SortingFixture(Database(async_url(secrets.database_url, secrets.data_dir), audit_key=b"key", clock=clock), clock)


async def played(
    secrets: Secrets, workflow: Callable[[Run], Awaitable[Any]], act: Callable[[DurableEngine], Awaitable[Any]]
) -> Any:
    """Launch an engine on these settings, act, stop it as a kill would leave it; what `act` gave."""
    engine = DurableEngine(secrets.data_dir, secrets.database_url, clock=lambda: datetime.now(UTC))
    engine.register("work", workflow)
    await engine.launch()
    try:
        return await act(engine)
    finally:
        await engine.stop(within=1)


async def test_what_was_stored_is_there_again_with_its_audit(place: Place, tmp_path: Path) -> None:
    lost, fresh = place("lost"), place("fresh")
    sorting = await sorting_of(lost)
    await sorting.connect()
    await sorting.receive(alert("a", start=-5))
    await asyncio.to_thread(back_up, lost, tmp_path / "copy")
    await sorting.receive(alert("later"))
    await sorting.db.close()

    await asyncio.to_thread(restore, fresh, tmp_path / "copy")

    again = await sorting_of(fresh)
    assert [row.fingerprint for row in await again.rows(AlertRow)] == ["first", "a"]
    assert [group.title for group in await again.groups()] and await audit.verify(again.db) is None
    await again.db.close()


async def test_a_workflow_of_the_backup_goes_on_with_its_recorded_steps(place: Place, tmp_path: Path) -> None:
    lost, fresh = place("lost"), place("fresh")
    runs: list[str] = []

    async def effect() -> str:
        runs.append("effect")
        return "done"

    async def work(run: Run) -> Any:
        first = await run.step("effect", effect)
        await run.wait_for("go", until=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
        return await run.step("after the wait", said, first)

    async def said(text: str) -> str:
        return f"{text}, and went on"

    async def begin(engine: DurableEngine) -> None:
        await engine.start("work", "work:1")
        while "effect" not in await engine.journal("work:1"):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(back_up, lost, tmp_path / "copy")

    async def go_on(engine: DurableEngine) -> object:
        await engine.wake("work:1", "go", key="1")
        return await engine.result("work:1")

    await (await sorting_of(lost)).db.close()
    await played(lost, work, begin)
    await asyncio.to_thread(restore, fresh, tmp_path / "copy")

    assert await played(fresh, work, go_on) == "done, and went on" and runs == ["effect"]


async def test_a_backup_that_may_only_be_read_is_restored(tmp_path: Path) -> None:
    lost, fresh = (Secrets(data_dir=tmp_path / name) for name in ("lost", "fresh"))
    sorting = await sorting_of(lost)
    await sorting.connect()
    await sorting.db.close()
    copy = await asyncio.to_thread(_read_only_backup, lost, tmp_path)

    done = await asyncio.to_thread(_without_a_right_to_write, "restore", str(copy), TOCSIN_DATA_DIR=str(fresh.data_dir))

    again = await sorting_of(fresh)
    assert done == 0 and [row.fingerprint for row in await again.rows(AlertRow)] == ["first"]
    assert sorted(path.name for path in copy.iterdir()) == ["app.db"]
    await again.db.close()


def _read_only_backup(secrets: Secrets, folder: Path) -> Path:
    back_up(secrets, folder / "copy")
    for path in (folder / "copy" / "app.db", folder / "copy"):
        path.chmod(path.stat().st_mode & 0o555)
    return folder / "copy"


def _without_a_right_to_write(*command: str, **variables: str) -> int:
    """The exit code of `tocsin ...`, which even as root gets past no mode of a file."""
    bare = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    environment = {**os.environ, **variables}
    return subprocess.run([*bare, sys.executable, "-m", "bot.cli", *command], env=environment, check=False).returncode


@pytest.mark.parametrize("password", ["hunter2", "hunter?2", "hunter#2", "hunter%402"])
def test_the_databases_password_is_no_part_of_a_command_line(
    password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/line\necho "$PGPASSWORD" > {tmp_path}/password\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    back_up(Secrets(database_url=f"postgresql://tocsin:{password}@db.example.com:5433/tocsin"), tmp_path / "copy")

    line = (tmp_path / "line").read_text()
    assert "host=db.example.com" in line and "port=5433" in line and "hunter" not in line
    assert (tmp_path / "password").read_text().strip() == password.replace("%40", "@")


def test_a_backup_that_was_cut_off_is_told_to_whoever_makes_the_next(tmp_path: Path) -> None:
    secrets = Secrets(data_dir=tmp_path)
    upgrade(f"sqlite:///{tmp_path / 'app.db'}")
    (tmp_path / "copy.unfinished").mkdir()

    with pytest.raises(TocsinError, match="or one was cut off; then remove this folder"):
        back_up(secrets, tmp_path / "copy")


async def test_nothing_is_restored_over_what_is_there(place: Place, tmp_path: Path) -> None:
    secrets = place("one")
    await (await sorting_of(secrets)).db.close()
    await asyncio.to_thread(back_up, secrets, tmp_path / "copy")

    with pytest.raises(TocsinError, match=r"has tables already|never laid over"):
        await asyncio.to_thread(restore, secrets, tmp_path / "copy")


async def test_deliveries_that_come_meanwhile_are_in_the_backup_or_not_but_never_half(place: Place, tmp_path: Path) -> None:
    lost, fresh = place("lost"), place("fresh")
    sorting = await sorting_of(lost)
    await sorting.connect()
    many, enough = asyncio.Event(), asyncio.Event()

    async def keep_coming() -> None:
        number = 0
        while not enough.is_set():
            number += 1
            await sorting.receive(alert(f"left-{number}", start=-5), alert(f"right-{number}", start=-5))
            if number == 5:
                many.set()

    coming = asyncio.create_task(keep_coming())
    await many.wait()
    await asyncio.to_thread(back_up, lost, tmp_path / "copy")
    enough.set()
    await coming
    await sorting.db.close()
    await asyncio.to_thread(restore, fresh, tmp_path / "copy")

    again = await sorting_of(fresh)
    sides: dict[str, set[str]] = {"first": set(), "left": set(), "right": set()}
    for row in await again.rows(AlertRow):
        side, _, number = row.fingerprint.partition("-")
        sides[side].add(number)
    assert sides["left"] == sides["right"] >= {"1", "2", "3", "4"}
    assert await audit.verify(again.db) is None
    await again.db.close()
