"""What the agent costs around a model that takes no time: the openai client alone against ours with its durable steps."""

import asyncio
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bot.core.evidence import Case
from bot.engine.durable import DurableEngine
from bot.ports import Run
from tests.bench.report import reached, table
from tests.contracts.model_room import ANSWER, CHANGES, HEALTH, Room, database
from tests.real.scripted_model import Script
from tests.real.stack import Model
from tests.unit.builders import NOW

TURNS: list[dict[str, Any]] = [
    {"call": [HEALTH]},
    {"call": [CHANGES]},
    {"call": [["dependencies", {"service": "checkout"}]]},
    ANSWER,
]
RUNS = 10
LIMIT_MS = 10.0


def report() -> None:
    """Run both on the same scripted server and print milliseconds a model turn."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as ending:
        folder = Path(name)
        model = ending.enter_context(Model(folder, TURNS, by_history=True))
        bare = _bare(f"{model.url}/v1", model.requests)
        ours, cpu = asyncio.run(_ours(folder, f"{model.url}/v1"))
    rows: list[list[object]] = [
        ["openai client alone", bare, "", ""],
        [
            "our agent, tool calls and durable steps included",
            ours,
            ours - bare,
            f"<= {LIMIT_MS:.0f} ms more: {reached(ours - bare, LIMIT_MS)}",
        ],
        ["the same, CPU", cpu, "", ""],
    ]
    table(f"Agent overhead, {len(TURNS)} model turns a run, median of {RUNS} runs", ("what", "ms a turn", "more", "goal"), rows)


def _bare(url: str, requests: Any) -> float:
    """The same conversation with the client alone; the tools answer at once with nothing."""
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key="k", max_retries=0)
    took = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        _converse(client)
        took.append((time.perf_counter() - began) * 1000 / len(TURNS))
    return statistics.median(took[1:])


def _converse(client: Any) -> None:
    messages: list[Any] = [{"role": "system", "content": "Triage." * 300}, {"role": "user", "content": "Why?"}]
    for _ in TURNS:
        message = client.chat.completions.create(model="scripted", messages=messages, tools=_TOOLS).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls or ():
            messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps({"id": "E1"})})


_TOOLS = [
    {
        "type": "function",
        "function": {"name": f"tool_{n}", "parameters": {"type": "object", "properties": {"service": {"type": "string"}}}},
    }
    for n in range(10)
]


async def _ours(folder: Path, url: str) -> tuple[float, float]:
    """Milliseconds a turn, by the clock and by the process's CPU; the first run pays for imports and is left out."""
    engine = DurableEngine(folder / "journal", clock=lambda: NOW)
    room = Room(await database(folder / "app.db"), Script(TURNS), url, {})
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
        took.append((time.perf_counter() - began) * 1000 / len(TURNS))
        cpu.append((time.process_time() - used) * 1000 / len(TURNS))
    await engine.stop(within=5)
    await room.db.close()
    return statistics.median(took[1:]), statistics.median(cpu[1:])
