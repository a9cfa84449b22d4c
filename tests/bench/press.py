"""From a press on Approve to the request of the action: statements, processor time and time, in this process alone."""

import asyncio
import gc
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bot.plugins import HttpAnswer
from tests.bench.load import quantile
from tests.bench.report import table
from tests.unit.approvals_fixture import ApprovalsFixture, RecordedHttp, open_approvals

PRESSES, WARM_UP, OFFICES = 60, 5, 4


@dataclass
class _Cost:
    """Of one press; or how far the counters had come at one moment."""

    statements: float
    cpu_ms: float
    ms: float


class _Requests(RecordedHttp):
    """Notes how far the counters had come when a request goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.statements = 0
        self.noted: asyncio.Queue[_Cost] = asyncio.Queue()

    def count(self, *_statement: object) -> None:
        self.statements += 1

    def now(self) -> _Cost:
        return _Cost(self.statements, time.process_time() * 1000, time.perf_counter() * 1000)

    async def send(self, method: str, url: str, **more: Any) -> HttpAnswer:
        self.noted.put_nowait(self.now())
        return await super().send(method, url, **more)


async def _measure(folder: Path) -> list[_Cost]:
    fixture = await open_approvals(folder)
    http = fixture.executor.http = _Requests()
    event.listen(fixture.db.engine.sync_engine, "before_cursor_execute", http.count)
    # As the bot does once it is ready.
    gc.collect()
    gc.freeze()
    try:
        return [await _press(fixture, http, number) for number in range(PRESSES)][WARM_UP:]
    finally:
        gc.unfreeze()
        await fixture.close()


async def _press(fixture: ApprovalsFixture, http: _Requests, number: int) -> _Cost:
    proposal = await fixture.propose("restart", key=f"k{number}")
    began = http.now()
    await fixture.approve(proposal.ref)
    ended = await http.noted.get()
    await fixture.ended(proposal.ref, seconds=1)
    fixture.pass_time(minutes=61)
    return _Cost(ended.statements - began.statements, ended.cpu_ms - began.cpu_ms, ended.ms - began.ms)


def report() -> None:
    """Measure and print."""
    costs: list[_Cost] = []
    for _ in range(OFFICES):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            costs += asyncio.run(_measure(Path(name)))
    rows = [
        [what, *(quantile([getattr(cost, what) for cost in costs], share) for share in (0.5, 0.99))]
        for what in ("statements", "cpu_ms", "ms")
    ]
    table(f"From a press to the request of the action, {len(costs)} presses", ("", "median", "p99"), rows)
