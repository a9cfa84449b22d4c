"""Log files are read from their ends."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.errors import QueryFailed
from bot.monitoring.logs.files import FileLogs
from tests.unit.builders import NOW

WINDOW = {"start": NOW - timedelta(minutes=30), "end": NOW, "limit": 100}


def written(path: Path, *lines: str) -> FileLogs:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    return FileLogs({"checkout": str(path.parent / "*.log")})


def stamped(minutes_before: float, text: str) -> str:
    return f"{NOW - timedelta(minutes=minutes_before):%Y-%m-%dT%H:%M:%SZ} {text}"


async def test_lines_of_the_window_that_hold_the_text_come_newest_first(tmp_path: Path) -> None:
    logs = written(
        tmp_path / "a.log", stamped(40, "ERROR old"), stamped(20, "Error one"), stamped(10, "fine"), stamped(5, "ERROR two")
    )

    assert [line.text[21:] for line in await logs.search("checkout", "error", **WINDOW)] == ["ERROR two", "Error one"]


async def test_a_stack_trace_belongs_to_the_line_above_it(tmp_path: Path) -> None:
    logs = written(tmp_path / "a.log", stamped(5, "ERROR failed"), "  at Pool.get", "  at Main", stamped(4, "fine"))

    (line,) = await logs.search("checkout", "pool.get", **WINDOW)

    assert line.text.endswith("ERROR failed\n  at Pool.get\n  at Main")


async def test_a_line_longer_than_a_block_and_lines_across_blocks_are_whole(tmp_path: Path) -> None:
    logs = written(
        tmp_path / "a.log", *(stamped(5, f"line {n} " + "x" * (n % 700)) for n in range(1000)), stamped(4, "y" * 200_000)
    )

    lines = await logs.search("checkout", "", **{**WINDOW, "limit": 5_000})

    assert len(lines) == 1001 and lines[-1].text.startswith(stamped(5, "line 0")[:20])


async def test_files_of_several_processes_are_merged_and_the_limit_holds(tmp_path: Path) -> None:
    written(tmp_path / "a.log", stamped(3, "a"), stamped(1, "a"))
    logs = written(tmp_path / "b.log", stamped(2, "b"))

    assert [line.text[-1] for line in await logs.search("checkout", "", **{**WINDOW, "limit": 2})] == ["a", "b"]


async def test_a_service_without_files_could_not_be_looked_at(tmp_path: Path) -> None:
    logs = FileLogs({"checkout": str(tmp_path / "*.log")})

    with pytest.raises(QueryFailed, match="no log files are configured"):
        await logs.search("../../etc", "", **WINDOW)
    with pytest.raises(QueryFailed, match="no file matches"):
        await logs.search("checkout", "", **WINDOW)


async def test_a_line_comes_without_the_secrets_in_it(tmp_path: Path) -> None:
    logs = written(tmp_path / "a.log", stamped(5, "ERROR connect postgres://app:FAKEpw99@db/x failed"))

    (line,) = await logs.search("checkout", "", **WINDOW)

    assert line.text.endswith("ERROR connect postgres://app:[secret]@db/x failed")
