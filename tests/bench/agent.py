"""What the agent costs around a model that takes no time: the openai client alone against ours with its durable steps."""

import asyncio
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.evidence import Case
from bot.engine.alone import FullSync
from bot.engine.durable import DurableEngine
from bot.ports import Run
from tests.bench.report import reached, table
from tests.contracts.model_room import ANSWER, Room, database
from tests.real.scripted_model import Script
from tests.real.stack import Model
from tests.unit.builders import NOW

SHORT, LONG = 4, 12
"""Model turns of the two runs: what a turn takes is their difference, what a run takes besides is the rest."""
RUNS = 10
LIMIT_MS = 10.0
COMMITS = 2
"""Of a look: in the ledger and in the journal. Like the journal's of the turn, each waits for the disk."""


def turns(count: int, *, looks: bool) -> list[dict[str, Any]]:
    """One call of a tool each turn, then the answer. Without `looks` it is each time the same call, answered from memory.

    The looks are cheap ones: a tool's own work is not the agent's.
    """
    hours = range(1, count) if looks else [1] * (count - 1)
    return [*({"call": [["recent_changes", {"service": "checkout", "hours": back}]]} for back in hours), ANSWER]


@dataclass(frozen=True)
class Took:
    """Milliseconds of one run: the bare client, ours, and ours in CPU time of this process."""

    bare: float
    ours: float
    cpu: float

    def a_turn_less(self, short: "Took") -> "Took":
        """What each turn took by which this run is longer than `short`."""
        each = (getattr(self, what) - getattr(short, what) for what in ("bare", "ours", "cpu"))
        return Took(*(took / (LONG - SHORT) for took in each))


def report() -> None:
    """Run both on the same scripted server and print milliseconds a model turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        turn, once = _a_turn(folder / "turn", looks=False)
        look, _ = _a_turn(folder / "look", looks=True)
        commit = _commit(folder)
    more, whole = turn.ours - turn.bare, look.ours - look.bare
    rows: list[list[object]] = [
        ["openai client alone, the same requests", turn.bare, "", "", ""],
        ["ours: langchain, our code, the turn's durable step", turn.ours, more, turn.ours / turn.bare, _judged(more)],
        ["  of it a commit that waits for this disk", commit, "", "", ""],
        ["  CPU of the process", turn.cpu, "", "", ""],
        ["with a look each turn: openai client alone", look.bare, "", "", ""],
        ["  ours: a tool, the ledger, a second durable step besides", look.ours, whole, look.ours / look.bare, _judged(whole)],
        [f"  of it {COMMITS} commits more", COMMITS * commit, "", "", ""],
        ["  CPU of the process", look.cpu, "", "", ""],
        ["once a run: beginning, graph, answer", once, "", "", ""],
    ]
    title = f"Agent, ms a model turn, from runs of {SHORT} and {LONG} turns, medians of {RUNS}"
    table(title, ("what", "ms", "more ms", "ratio", "goal, ms more"), rows)


def _judged(more: float) -> str:
    return f"<= {LIMIT_MS:.0f}: {reached(more, LIMIT_MS)}"


def _a_turn(folder: Path, *, looks: bool) -> tuple[Took, float]:
    """What a turn takes, and the milliseconds that a run of ours takes besides its turns."""
    short, long = (_took(folder / str(count), turns(count, looks=looks)) for count in (SHORT, LONG))
    turn = long.a_turn_less(short)
    return turn, short.ours - SHORT * turn.ours


def _took(folder: Path, script: list[dict[str, Any]]) -> Took:
    folder.mkdir(parents=True)
    with Model(folder, script, by_history=True) as model:
        ours, cpu = asyncio.run(_ours(folder, f"{model.url}/v1", script))
        bodies = list(model.requests())[-len(script) :]
        return Took(asyncio.run(_bare(f"{model.url}/v1", bodies)), ours, cpu)


def _commit(folder: Path) -> float:
    """Milliseconds of one commit that waits for the disk, as the journal does it."""
    took = []
    with closing(sqlite3.connect(folder / "disk.db", factory=FullSync)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE kept (text TEXT)")
        for _ in range(100):
            began = time.perf_counter()
            connection.execute("INSERT INTO kept VALUES (?)", ("x" * 1000,))
            connection.commit()
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def _bare(url: str, bodies: list[dict[str, Any]]) -> float:
    """Milliseconds for the requests of one of our runs, asked again with the client alone."""
    from openai import AsyncOpenAI

    took = []
    async with AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
        for _ in range(RUNS + 1):
            began = time.perf_counter()
            for body in bodies:
                await client.chat.completions.create(**body)
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took[1:])


async def _ours(folder: Path, url: str, script: list[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds a run, by the clock and by the process's CPU; the first run pays for imports and is left out."""
    engine = DurableEngine(folder / "journal", clock=lambda: NOW)
    room = Room(await database(folder / "app.db"), Script(script), url, {})

    ends: list[tuple[float, float]] = []

    async def story(run: Run, case: dict[str, Any]) -> Any:
        found = (await room.agent.investigate(run, Case.model_validate(case))).model_dump(mode="json")
        # Here and not where the result is asked for: that is looked out for twenty times a second only.
        ends.append((time.perf_counter(), time.process_time()))
        return found

    engine.register("investigation", story)
    (folder / "journal").mkdir()
    await engine.launch()
    took, cpu = [], []
    for number in range(RUNS + 1):
        case = (await room.triages.open("AL-1", number, "", "")).model_dump(mode="json")
        began, used = time.perf_counter(), time.process_time()
        await engine.start("investigation", f"investigation:{number}", case)
        found = await engine.result(f"investigation:{number}")
        assert found["stop_reason"] == "answered", found
        took.append((ends[-1][0] - began) * 1000)
        cpu.append((ends[-1][1] - used) * 1000)
    await engine.stop(within=5)
    await room.db.close()
    return statistics.median(took[1:]), statistics.median(cpu[1:])
