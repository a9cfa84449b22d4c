"""A process with an engine and a few workflows, to be killed, paused and restarted by tests.

    python -m tests.real.workflow_process <folder> <name> [<PostgreSQL address>]

Commands come as lines on standard input (`start <workflow> <id>`, `wake <id> <topic> <key>`);
the end of input stops the engine. What happens is written to `<folder>/events`, one line each,
as `<name> <what>`. Workflows hold still while a file they name does not exist in the folder.
"""

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.core.errors import ConfigurationError
from bot.engine.durable import DurableEngine
from bot.ports import Run
from tests.real import PATIENCE, wait_until


class RecordedWorkflows:
    """The workflows of one process; each writes down what it does."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def write(self, what: str) -> None:
        with (self.folder / "events").open("a") as events:
            events.write(f"{self.name} {what}\n")

    async def record(self, what: str) -> str:
        self.write(what)
        return what

    async def gate(self, what: str, file: str) -> str:
        await self.record(what)
        await wait_until((self.folder / file).exists, 10 * PATIENCE)
        return what

    async def five(self, run: Run) -> Any:
        """Five steps; the fourth holds until `go` exists."""
        done = [await run.step(f"step {n}", self.record, f"{run.id}/{n}") for n in (1, 2, 3)]
        done.append(await run.step("step 4", self.gate, f"{run.id}/4", "go"))
        done.append(await run.step("step 5", self.record, f"{run.id}/5"))
        return done

    async def wait(self, run: Run) -> Any:
        """One step, one wait of ten minutes, one step. It tells that it waits when the first step is recorded."""
        until = (await run.now() + timedelta(minutes=10)).isoformat()
        await run.step("ask", self.record, f"{run.id}/asked")
        await self.record(f"{run.id}/waits")
        woken = await run.wait_for("answer", until=until)
        await run.step("end", self.record, f"{run.id}/woken={woken}")

    async def changing(self, run: Run) -> Any:
        """A workflow whose first step has another name once `changed` exists."""
        name = "new" if (self.folder / "changed").exists() else "old"
        with suppress(Exception):  # A mismatch must pass through a workflow's own handlers.
            await run.step(name, self.record, f"{run.id}/{name}")
        await run.step("hold", self.gate, f"{run.id}/hold", "go")

    async def mismatch(self, workflow: str, id: str, why: str) -> None:
        await self.record(f"mismatch {workflow} {id} {why}")

    async def took_over(self) -> None:
        await self.record("took over")

    def led(self) -> None:
        self.write("leads")


async def main(folder: Path, name: str, url: str) -> None:
    workflows = RecordedWorkflows(folder, name)
    engine = DurableEngine(
        folder, url, clock=lambda: datetime.now(UTC), on_mismatch=workflows.mismatch, on_takeover=workflows.took_over
    )
    for workflow in ("five", "wait", "changing"):
        engine.register(workflow, getattr(workflows, workflow))
    engine.lead(workflows.led)
    await engine.launch()
    await workflows.record(f"up {os.getpid()}")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().split():
        if line[0] == "start":
            await engine.start(line[1], line[2])
        else:
            await engine.wake(line[1], line[2], key=line[3])
    await engine.stop(within=5)
    await workflows.record("down")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""))
    except ConfigurationError as error:
        sys.exit(str(error))
