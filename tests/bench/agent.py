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
COMMITS = 3
"""A turn's: the model's answer and the look in the journal, the look in the ledger. Each waits for the disk."""


def turns(count: int) -> list[dict[str, Any]]:
    """A look each turn, none of them twice and each one cheap, then the answer: a tool's own work is not the agent's."""
    return [*({"call": [["recent_changes", {"service": "checkout", "hours": hours}]]} for hours in range(1, count)), ANSWER]


@dataclass(frozen=True)
class Took:
    """Milliseconds of one run: the bare client, ours, and ours in CPU time of this process."""

    bare: float
    ours: float
    cpu: float


def report() -> None:
    """Run both on the same scripted server and print milliseconds a model turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        short, long = _took(Path(name) / "short", SHORT), _took(Path(name) / "long", LONG)
        waited = COMMITS * _commit(Path(name))
    bare, ours, cpu = ((getattr(long, what) - getattr(short, what)) / (LONG - SHORT) for what in ("bare", "ours", "cpu"))
    more = ours - bare
    rows: list[list[object]] = [
        ["openai client alone, the same requests", bare, "", "", ""],
        [
            "ours: client, langchain, look, ledger, durable steps",
            ours,
            more,
            ours / bare,
            f"<= {LIMIT_MS:.0f}: {reached(more, LIMIT_MS)}",
        ],
        [f"of it: {COMMITS} commits that wait for this disk", waited, "", "", ""],
        ["ours, CPU of the process", cpu, "", "", ""],
        ["once a run: beginning, graph, answer", short.ours - SHORT * ours, "", "", ""],
    ]
    title = f"Agent, ms a model turn with one look, from runs of {SHORT} and {LONG} turns, medians of {RUNS}"
    table(title, ("what", "ms", "more ms", "ratio", "goal, ms more"), rows)


def _took(folder: Path, count: int) -> Took:
    folder.mkdir()
    script = turns(count)
    with Model(folder, script, by_history=True) as model:
        ours, cpu = asyncio.run(_ours(folder, f"{model.url}/v1", script))
        bodies = list(model.requests())[-count:]
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
    case = await room.case()

    async def story(run: Run, number: int) -> Any:
        return (await room.agent.investigate(run, Case.model_validate(case))).model_dump(mode="json")

    engine.register("investigation", story)
    (folder / "journal").mkdir()
    await engine.launch()
    took, cpu = [], []
    for number in range(RUNS + 1):
        began, used = time.perf_counter(), time.process_time()
        await engine.start("investigation", f"investigation:{number}", number)
        found = await engine.result(f"investigation:{number}")
        assert found["stop_reason"] == "answered", found
        took.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    await engine.stop(within=5)
    await room.db.close()
    return statistics.median(took[1:]), statistics.median(cpu[1:])
