"""What the agent costs around a model that takes no time: the openai client alone against Tocsin with its durable steps."""

import asyncio
import gc
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from bot.core.evidence import Case
from bot.engine.data_folder import FullSync
from bot.engine.durable import DurableEngine
from bot.ports import Run
from tests.bench.report import reached, table
from tests.contracts.agent_fixture import ANSWER, AgentFixture, database, fire
from tests.real.scripted_model import Script
from tests.real.stack import Model
from tests.unit.builders import NOW

SHORT, LONG = 4, 12
"""Model turns of the two runs: what a turn takes is their difference, what a run takes besides is the rest."""
ROUNDS = 20
TURN_LIMIT_MS, TOOL_LIMIT_MS = 8.0, 10.0
COMMITS = 2
"""Of a tool call: in the ledger and in the journal. Like the journal's of the turn, each waits for the disk."""


def turns(count: int, *, new_calls: bool) -> list[dict[str, Any]]:
    """One call of a tool each turn, then the answer. Without `new_calls` it is each time the same call, answered from memory.

    The calls are cheap ones: a tool's own work is not the agent's.
    """
    hours = range(1, count) if new_calls else [1] * (count - 1)
    return [*({"call": [["recent_changes", {"service": "checkout", "hours": back}]]} for back in hours), ANSWER]


@dataclass(frozen=True)
class Took:
    """Milliseconds: the bare client, Tocsin, and Tocsin in CPU time of this process."""

    bare: float
    tocsin: float
    cpu: float


def report() -> None:
    """Run both on the same scripted server and print milliseconds a model turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        turn, once = _a_turn(folder / "turn", new_calls=False)
        calling, _ = _a_turn(folder / "calling", new_calls=True)
        commit = _commit(folder)
    more, whole = turn.tocsin - turn.bare, calling.tocsin - calling.bare
    goals = _judged(more, TURN_LIMIT_MS), _judged(whole, TOOL_LIMIT_MS)
    rows: list[list[object]] = [
        ["openai client alone, the same requests", turn.bare, "", "", ""],
        ["Tocsin: langchain, its own code, the turn's durable step", turn.tocsin, more, turn.tocsin / turn.bare, goals[0]],
        ["  of it a commit that waits for this disk", commit, "", "", ""],
        ["  CPU of the process", turn.cpu, "", "", ""],
        ["with a tool call each turn: openai client alone", calling.bare, "", "", ""],
        [
            "  Tocsin: a tool, the ledger, a second durable step besides",
            calling.tocsin,
            whole,
            calling.tocsin / calling.bare,
            goals[1],
        ],
        [f"  of it {COMMITS} commits more", COMMITS * commit, "", "", ""],
        ["  CPU of the process", calling.cpu, "", "", ""],
        ["once a run: beginning, graph, answer", once, "", "", ""],
    ]
    title = f"Agent, ms a model turn, from runs of {SHORT} and {LONG} turns, medians of {ROUNDS}"
    table(title, ("what", "ms", "more ms", "ratio", "goal, ms more"), rows)


def _judged(more: float, limit: float) -> str:
    return f"<= {limit:.0f}: {reached(more, limit)}"


def _a_turn(folder: Path, *, new_calls: bool) -> tuple[Took, float]:
    """What a turn takes, and the milliseconds that a run of Tocsin takes besides its turns."""
    for part in (SHORT, LONG):
        (folder / str(part)).mkdir(parents=True)
    rounds = asyncio.run(_rounds(folder, new_calls=new_calls))
    turn = Took(*(_median(rounds, lambda short, long, one=one: (one(long) - one(short)) / (LONG - SHORT)) for one in _EACH))
    return turn, _median(rounds, lambda short, _long: short.tocsin) - SHORT * turn.tocsin


_EACH: tuple[Callable[[Took], float], ...] = (lambda took: took.bare, lambda took: took.tocsin, lambda took: took.cpu)


def _median(rounds: Sequence[tuple[Took, Took]], of: Callable[..., float]) -> float:
    return statistics.median(of(short, long) for short, long in rounds)


async def _rounds(folder: Path, *, new_calls: bool) -> list[tuple[Took, Took]]:
    """A short and a long run in turns, each by both: a machine that slows down does so for all of them.

    The first run of each pays for imports and is left out.
    """
    engine = DurableEngine(folder, clock=lambda: NOW)
    async with AsyncExitStack() as stack:
        runs = [await _runs(stack, engine, folder / str(count), turns(count, new_calls=new_calls)) for count in (SHORT, LONG)]
        await engine.launch()
        stack.push_async_callback(engine.stop, within=5)
        for run in runs:
            await run(0)
        gc.freeze()  # as the server does once it has imported all of it
        return [(await runs[0](number), await runs[1](number)) for number in range(1, ROUNDS + 1)]


async def _runs(
    stack: AsyncExitStack, engine: DurableEngine, folder: Path, script: list[dict[str, Any]]
) -> Callable[[int], Any]:
    """Make ready for runs of one script; each call makes one run and sends its requests again with the client alone."""
    model = stack.enter_context(Model(folder, script, by_history=True))
    url, name = f"{model.url}/v1", f"investigation of {len(script)}"
    agent_fixture = AgentFixture(await database(folder / "app.db"), Script(script), url, {})
    stack.push_async_callback(agent_fixture.db.close)
    client = await stack.enter_async_context(AsyncOpenAI(base_url=url, api_key="k", max_retries=0))
    ends: list[tuple[float, float]] = []

    async def workflow(run: Run, case: dict[str, Any]) -> Any:
        found = (await agent_fixture.agent.investigate(run, Case.model_validate(case))).model_dump(mode="json")
        # Here and not where the result is asked for: that is looked out for twenty times a second only.
        ends.append((time.perf_counter(), time.process_time()))
        return found

    engine.register(name, workflow)

    async def once(number: int) -> Took:
        # Each has a group of its own: what the runs before it recorded would stand in its opening message.
        group = number + 2
        await fire(agent_fixture.db, group)
        case = (await agent_fixture.triages.open(f"AL-{group}", 1, "", "")).model_dump(mode="json")
        began, used = time.perf_counter(), time.process_time()
        await engine.start(name, f"{name}:{number}", case)
        found = await engine.result(f"{name}:{number}")
        assert found["stop_reason"] == "answered", found
        ended, then = ends[-1]
        return Took(await _bare(client, model.requests()[-len(script) :]), (ended - began) * 1000, (then - used) * 1000)

    return once


async def _bare(client: AsyncOpenAI, bodies: Sequence[dict[str, Any]]) -> float:
    """Milliseconds for these requests with the client alone."""
    began = time.perf_counter()
    for body in bodies:
        async for _chunk in await client.chat.completions.create(**body):
            pass
    return (time.perf_counter() - began) * 1000


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
