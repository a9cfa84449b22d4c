"""Real processes, killed and paused: workflows go on where they were, elsewhere if need be."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.engine.replica import REPLACED_EXIT_CODE
from tests.real import wait_until


class Process:
    """One `tests.real.workflow_process`, and what all of them have written."""

    def __init__(self, folder: Path, name: str, url: str) -> None:
        self.folder, self.name = folder, name
        command = [sys.executable, "-m", "tests.real.workflow_process", str(folder), name, *([url] if url else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def events(self) -> list[str]:
        file = self.folder / "events"
        return file.read_text().splitlines() if file.exists() else []

    async def sees(self, event: str) -> None:
        """Wait until a line is there, from this process."""
        await wait_until(lambda: any(line.startswith(f"{self.name} {event}") for line in self.events()))

    def says(self, command: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def exit_code(self) -> int:
        await wait_until(lambda: self.process.poll() is not None)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe:
                pipe.close()
        self.process.wait()


Spawn = Callable[[str], Process]


def spawner(folder: Path, url: str) -> Iterator[Spawn]:
    processes: list[Process] = []

    def spawn(name: str) -> Process:
        processes.append(Process(folder, name, url))
        return processes[-1]

    yield spawn
    for process in processes:
        process.close()


@pytest.fixture(params=["sqlite", "postgres"])
def spawn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spawn]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    yield from spawner(tmp_path, url)


@pytest.fixture
def spawn_alone(tmp_path: Path) -> Iterator[Spawn]:
    yield from spawner(tmp_path, "")


@pytest.fixture
def spawn_replica(tmp_path: Path, postgres_url: str) -> Iterator[Spawn]:
    yield from spawner(tmp_path, postgres_url)


async def test_after_kill_9_a_workflow_goes_on_at_the_step_that_was_running(spawn: Spawn, tmp_path: Path) -> None:
    first = spawn("first")
    await first.sees("up")
    first.says("start five five:1")
    await first.sees("five:1/4")
    first.kill()
    (tmp_path / "go").touch()

    second = spawn("second")
    await second.sees("five:1/5")

    steps = [line for line in second.events() if "five:1/" in line]
    assert steps == [*(f"first five:1/{n}" for n in (1, 2, 3, 4)), "second five:1/4", "second five:1/5"]


async def test_a_waiting_workflow_survives_kill_9(spawn: Spawn) -> None:
    first = spawn("first")
    await first.sees("up")
    first.says("start wait wait:1")
    await first.sees("wait:1/waits")
    first.kill()

    second = spawn("second")
    await second.sees("up")
    second.says("wake wait:1 answer 1")

    await second.sees("wait:1/woken=True")
    assert "second wait:1/asked" not in second.events()


async def test_a_journal_that_no_longer_fits_is_told_and_ended(spawn: Spawn, tmp_path: Path) -> None:
    first = spawn("first")
    await first.sees("up")
    first.says("start changing changing:1")
    await first.sees("changing:1/hold")
    first.kill()
    (tmp_path / "changed").touch()

    second = spawn("second")

    await second.sees("mismatch changing changing:1 ")
    assert "function old was recorded when new was expected" in "\n".join(second.events())
    assert "second changing:1/hold" not in second.events()


async def test_a_clean_stop_leaves_the_waiting_workflow_to_the_next_start(spawn: Spawn) -> None:
    first = spawn("first")
    await first.sees("up")
    first.says("start wait wait:1")
    await first.sees("wait:1/waits")
    assert first.process.stdin
    first.process.stdin.close()
    await first.sees("down")

    second = spawn("second")
    await second.sees("up")
    second.says("wake wait:1 answer 1")

    await second.sees("wait:1/woken=True")


async def test_a_second_process_on_the_same_data_folder_is_refused(spawn_alone: Spawn) -> None:
    await spawn_alone("first").sees("up")

    second = spawn_alone("second")

    assert await second.exit_code() == 1
    assert second.process.stderr
    assert "another tocsin runs on this data folder" in second.process.stderr.read()


async def two_replicas(spawn: Spawn) -> tuple[Process, Process]:
    """Two that are up; the first leads and runs a workflow of five steps and one that waits."""
    first = spawn("first")
    await first.sees("leads")
    second = spawn("second")
    await second.sees("up")
    first.says("start wait wait:1")
    first.says("start five five:1")
    await first.sees("five:1/4")
    await first.sees("wait:1/waits")
    return first, second


async def test_a_killed_replica_is_taken_over_without_a_restart(spawn_replica: Spawn, tmp_path: Path) -> None:
    first, second = await two_replicas(spawn_replica)
    (tmp_path / "go").touch()
    first.kill()

    await second.sees("five:1/5")
    await second.sees("took over")
    await second.sees("leads")
    second.says("wake wait:1 answer 1")
    await second.sees("wait:1/woken=True")
    assert not {f"second five:1/{n}" for n in (1, 2, 3)} & set(second.events())


async def test_a_paused_replica_is_fenced_and_exits_when_it_wakes(spawn_replica: Spawn, tmp_path: Path) -> None:
    first, second = await two_replicas(spawn_replica)
    first.process.send_signal(signal.SIGSTOP)

    await second.sees("five:1/4")
    await second.sees("leads")
    (tmp_path / "go").touch()
    await second.sees("five:1/5")
    first.process.send_signal(signal.SIGCONT)

    assert await first.exit_code() == REPLACED_EXIT_CODE
    assert "first five:1/5" not in first.events()
    assert second.events().count("second five:1/5") == 1


async def test_a_stopping_replica_hands_its_runs_to_the_other(spawn_replica: Spawn) -> None:
    first, second = await two_replicas(spawn_replica)
    assert first.process.stdin
    first.process.stdin.close()
    await first.sees("down")

    second.says("wake wait:1 answer 1")

    await second.sees("wait:1/woken=True")
    await second.sees("five:1/4")
