"""What a new group costs between its alert's commit and its card: statements, CPU and time, in this process alone."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event

from bot.core.alert import Alert
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.sorting.inbox import InboxReader
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.database import Database, async_url
from bot.store.migrate import ready
from tests.bench.load import quantile
from tests.bench.report import table

ALERTS, ROUNDS = 40, 5
AT_ONCE = (1, 10)
"""Alerts of one body."""


@dataclass
class _Cost:
    """Of one new group."""

    statements: float
    cpu_ms: float
    ms: float


async def _measure(folder: Path, body: int) -> list[_Cost]:
    ready(f"sqlite:///{folder / 'app.db'}")
    db = Database(async_url("", folder))
    writer = IntakeWriter(db, lambda: None)
    writer.start()
    inbox = InboxReader(db, Sorter(db, Config(default_channel="C0"), Catalogue()))
    seen: list[str] = []
    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    try:
        # The first round fills caches and is left out.
        return [await _round(writer, inbox, body, first * ALERTS, seen) for first in range(ROUNDS + 1)][1:]
    finally:
        await writer.stop()
        await db.close()


async def _round(writer: IntakeWriter, inbox: InboxReader, body: int, first: int, seen: list[str]) -> _Cost:
    seconds = cpu = 0.0
    statements = 0
    for start in range(first, first + ALERTS, body):
        await writer.put([_critical(number) for number in range(start, start + body)], [], datetime.now(UTC))
        began, before, known = time.perf_counter(), time.process_time(), len(seen)
        while await inbox.take(250):
            pass
        seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - before
        statements += len(seen) - known
    return _Cost(statements / ALERTS, cpu / ALERTS * 1000, seconds / ALERTS * 1000)


def _critical(number: int) -> Alert:
    return Alert(
        source="am",
        fingerprint=f"f{number}",
        status="firing",
        name="HighErrorRate",
        severity="critical",
        labels={"alertname": "HighErrorRate", "service": f"service-{number}"},
        annotations={"summary": "it fails"},
        starts_at=datetime.now(UTC),
    )


def report() -> None:
    """Measure and print."""
    rows = []
    for body in AT_ONCE:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            costs = asyncio.run(_measure(Path(name), body))
        medians = [quantile([getattr(cost, what) for cost in costs], 0.5) for what in ("statements", "cpu_ms", "ms")]
        rows.append([body, *medians])
    title = f"A new group from its committed alert to its wanted card; medians of {ROUNDS} rounds of {ALERTS}"
    table(title, ("alerts a body", "statements", "CPU ms", "ms"), rows)
