"""How long deleting what is old holds up the event loop, and how fast it goes: old alerts in old, resolved groups on SQLite."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bot.core.config import Config
from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.retention.pruning import Pruning
from bot.store.tables import AlertRow, CursorRow, EpisodeRow, GroupRow
from tests.bench.report import table

ALERTS, MEMBERS = 30_000, 100
THEN = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {"alertname": "HighErrorRate", "service": "checkout", "pod": "checkout-7d9f8b6c5d-x2x4z"}
TEXTS = {"summary": "checkout: 19.2 % of requests fail", "runbook_url": "https://runbooks.example.com/HighErrorRate"}


def report(*, alerts: int = ALERTS) -> None:
    """Rounds until nothing old is left, printed."""
    with tempfile.TemporaryDirectory(prefix="retention-") as folder:
        upgrade(f"sqlite:///{folder}/app.db")
        asyncio.run(_measure(Path(folder), alerts))


async def _measure(folder: Path, alerts: int) -> None:
    db = Database(async_url("", folder), clock=lambda: THEN + timedelta(days=500))
    await _fill(db, alerts)
    held: list[float] = []
    watching = asyncio.create_task(_watch(held))
    began, deleted, rounds = time.monotonic(), Counter[str](), 0
    pruning = Pruning(db, Config())
    while one := await pruning():
        deleted, rounds = deleted + one, rounds + 1
    seconds = time.monotonic() - began
    watching.cancel()
    await db.close()
    held.sort()
    row = [deleted.total(), rounds, seconds, deleted.total() / seconds, held[int(len(held) * 0.99)], held[-1]]
    head = ("rows deleted", "rounds", "seconds", "rows/s", "loop held, p99 ms", "at most ms")
    table("Retention: processor time that the event loop spends without a turn for others", head, [row])


async def _watch(held: list[float]) -> None:
    """What the loop's own thread worked from one turn to the next, in milliseconds: other programs count for nothing in it."""
    while True:
        before = time.thread_time()
        await asyncio.sleep(0)
        held.append((time.thread_time() - before) * 1000)
        await asyncio.sleep(0.003)


async def _fill(db: Database, alerts: int) -> None:
    groups = alerts // MEMBERS
    async with db.write() as session:
        connection = await session.connection()
        for row, rows in (
            (AlertRow, [_alert(number) for number in range(alerts)]),
            (EpisodeRow, [_episode(number, groups) for number in range(alerts)]),
            (GroupRow, [_group(number) for number in range(groups)]),
            (CursorRow, [{"name": "inbox", "seq": alerts}]),
        ):
            await connection.execute(insert(row), _complete(row, rows))


def _complete(row: Any, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the table's own defaults, which an insert of many rows does not fill in."""
    defaults = {name: field.default for name, field in row.model_fields.items() if not field.is_required() and name != "id"}
    plain = {name: value for name, value in defaults.items() if isinstance(value, str | int | float | bool | None)}
    return [{**{name: value for name, value in plain.items() if name != "seq"}, **one} for one in rows]


def _alert(number: int) -> dict[str, Any]:
    texts = {"labels": LABELS, "annotations": TEXTS}
    identity = {"source": "prod", "fingerprint": f"{number:016x}", "name": "HighErrorRate", "severity": "critical"}
    return {**identity, **texts, "status": "firing", "starts_at": THEN, "received_at": THEN}


def _episode(number: int, groups: int) -> dict[str, Any]:
    moments = {"starts_at": THEN, "first_seen_at": THEN, "last_seen_at": THEN}
    identity = {"source": "prod", "fingerprint": f"{number:016x}", "name": "HighErrorRate", "service": "checkout"}
    state = {"severity": "SEV2", "status": "resolved", "group_id": 1 + number % groups}
    return {**identity, **moments, **state, "labels": LABELS, "annotations": TEXTS}


def _group(number: int) -> dict[str, Any]:
    state = {"severity": "SEV2", "state": "RESOLVED", "channel": "C1", "opened_at": THEN, "last_alert_at": THEN}
    return {"key": f"k{number}", "title": "HighErrorRate", "service": "checkout", **state}
