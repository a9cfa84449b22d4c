"""Costs that grow with what is open: of a new alert and a repeat, the first batch after a start, lists, memory; and the rest.

Costs of alerts, the first batch and lists are processor time in this process alone: read, redacted, stored and sorted,
without HTTP. Memory, statements and bytes are those of a running bot.
"""

import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.actor import Visibility
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig
from bot.core.service import Catalogue
from bot.plugins import SourceRequest
from bot.sources.alertmanager import alertmanager
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.alerts.reader import Alerts
from bot.store.alerts.sorting.inbox import InboxReader
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.answers import records
from bot.store.db.database import Database, async_url
from bot.store.incidents import overview
from bot.store.migrate import ready
from bot.store.oversight.auditor import alarms
from tests.bench import bodies, load
from tests.bench.counted_bot import Statements
from tests.bench.place import TOKEN, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import idle, memory_mb, written_bytes

FEW, MANY = 1_000, 100_000
"""Open alerts of 50 services."""
SAMPLE, ROUNDS, BATCH = 500, 5, 100
REST_SECONDS, TAKEOVER_SECONDS = 60.0, 70.0
"""How long a bot at rest is looked at, and how long after its start: for a minute it looks more often for what was cut off."""


@dataclass
class _Costs:
    """Processor time in microseconds an alert."""

    new: float
    repeat: float


class _IntakeAndInbox:
    """Intake and inbox over one database."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ready(f"sqlite:///{folder / 'app.db'}")
        self.db = Database(async_url("", folder))
        self.writer = IntakeWriter(self.db, lambda: None)
        self.writer.start()
        self.sorter = Sorter(self.db, Config(default_channel="C0"), Catalogue())
        self.inbox = InboxReader(self.db, self.sorter)
        self.open = 0

    async def more(self, count: int) -> float:
        """Take so many alerts that are new; processor microseconds of each."""
        first, self.open = self.open, self.open + count
        return await self._take(range(first, self.open))

    async def again(self, count: int) -> float:
        """Take the newest of them again, once they are known to come again; processor microseconds of each."""
        numbers = range(self.open - count, self.open)
        await self._take(numbers)
        return await self._take(numbers)

    async def _take(self, numbers: Sequence[int]) -> float:
        posts = [
            bodies.to_tocsin([bodies.alert(n) for n in numbers[start : start + BATCH]])
            for start in range(0, len(numbers), BATCH)
        ]
        began = time.process_time()
        for post in posts:
            await self._post(post)
        return (time.process_time() - began) / len(numbers) * 1e6

    async def _post(self, body: bytes) -> None:
        now, config = datetime.now(UTC), SourceConfig(kind="alertmanager")
        parsed = alertmanager.read(SourceRequest("am", body, {}, now, config, stored=self.writer.stored.find))
        again = {"repeats": parsed.repeats, "digests": parsed.digests}
        await self.writer.put(parsed.alerts, (), now, source="am", **again)  # type: ignore[arg-type]
        await self.caught_up()

    async def caught_up(self) -> None:
        while (result := await self.inbox.take(250)) is not None and result.more:
            continue

    async def costs(self) -> _Costs:
        return _Costs(await self.more(SAMPLE), await self.again(SAMPLE))

    async def close(self) -> None:
        await self.writer.stop()
        await self.db.close()

    async def first_after_a_start(self) -> float:
        """Seconds of processor time of the first batch whose inbox knows nothing."""
        self.sorter.reset()
        return await self.more(1) / 1e6

    async def longest_list(self) -> float:
        """The longest that one of the lists keeps the event loop from anything else, in seconds."""
        alerts, longest = Alerts(self.db), 0.0
        for read in (
            alerts.episodes(),
            alerts.episodes(state="firing"),
            alerts.count(state="firing"),
            alerts.earlier(datetime.now(UTC)),
            overview.groups(self.db, overview.ListCriteria([Visibility(channel) for channel in ("C1", "C0", "")])),
            records.record_of(self.db, "AL-1"),
            alarms(self.db, timedelta(minutes=1)),
        ):
            longest = max(longest, await _longest_turn(read))
        return longest


async def _longest_turn(work: Awaitable[object]) -> float:
    """The most processor time in seconds that the loop's thread took between two turns of another task."""
    longest, last = 0.0, time.thread_time()

    async def others() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    beating = asyncio.create_task(others())
    await work
    longest = max(longest, time.thread_time() - last)
    beating.cancel()
    return longest


async def _by_turns(*databases: _IntakeAndInbox) -> list[_Costs]:
    """The least of some rounds of each database: whatever else this machine does only adds to it."""
    rounds = [[await database.costs() for database in databases] for _ in range(ROUNDS)]
    return [_Costs(min(c.new for c in costs), min(c.repeat for c in costs)) for costs in zip(*rounds, strict=True)]


async def _measured(folder: Path) -> list[list[object]]:
    # As the server does once it is warm.
    gc.freeze()
    small, large = _IntakeAndInbox(folder / "few"), _IntakeAndInbox(folder / "many")
    try:
        await small.more(FEW)
        await large.more(MANY)
        few, many = await _by_turns(small, large)
        start, listed = await large.first_after_a_start(), await large.longest_list()
    finally:
        for database in (small, large):
            await database.close()
    new, repeat = many.new / few.new, many.repeat / few.repeat
    return [
        [
            f"a new alert at {MANY:,} open against {FEW:,}",
            f"{few.new:.0f} -> {many.new:.0f} us, {new:.2f} x",
            _goal(new, 1.2, "x"),
        ],
        [f"a repeat at {MANY:,} open", f"{few.repeat:.1f} -> {many.repeat:.1f} us, {repeat:.2f} x", _goal(repeat, 1.5, "x")],
        [f"first batch after a start with {MANY:,} open", f"{start:.2f} s", _goal(start, 0.3, "s")],
        [f"longest stall of the loop by a list of {MANY:,}", f"{listed:.2f} s", _goal(listed, 0.1, "s")],
    ]


def _goal(value: float, limit: float, unit: str) -> str:
    return f"<= {limit:g} {unit}: {reached(value, limit)}"


def _rest(folder: Path) -> list[list[object]]:
    """Statements of an idle bot in a minute, and bytes that it hands to the disk."""
    statements = Statements(f"bench-statements-{os.getpid()}")
    try:
        with running_bot(folder, {}, command=statements.command) as bot:
            time.sleep(TAKEOVER_SECONDS)
            idle(bot.pid)
            written, count = written_bytes(bot.pid), statements.count()
            time.sleep(REST_SECONDS)
            megabytes, count = (written_bytes(bot.pid) - written) / 1e6, statements.count() - count
    finally:
        statements.close()
    return [
        ["written to disk a minute at rest", f"{megabytes:.2f} MB", _goal(megabytes, 0.2, "MB")],
        ["statements a minute at rest", f"{count}", f"<= 200: {reached(count, 200)}"],
    ]


def _memory(folder: Path) -> list[list[object]]:
    """Of a bot without a model: at rest, with many open alerts, and after a restart with these."""
    with running_bot(folder, {}) as bot:
        idle(bot.pid)
        rest = memory_mb(bot.pid)
        posts = bodies.requests(bot.url, bodies.to_tocsin, BATCH, [bodies.alert(n) for n in range(MANY)], TOKEN)
        load.run(load.each_once(bot.url, posts, 4))
        bot.caught_up(1200)
        idle(bot.pid)
        full = memory_mb(bot.pid)
        bot.bot.process.stop()
        bot.bot.start()
        load.run(load.each_once(bot.url, posts[:10], 4))
        bot.caught_up()
        idle(bot.pid)
        again = memory_mb(bot.pid)
    return [
        ["memory at rest", f"{rest:.0f} MB", _goal(rest, 120, "MB")],
        [f"memory with {MANY:,} open", f"{full:.0f} MB", _goal(full, 250, "MB")],
        ["memory after a restart with these", f"{again:.0f} MB", _goal(again, 300, "MB")],
    ]


def report() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows = asyncio.run(_measured(Path(name)))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        rows += _memory(Path(name) / "full") + _rest(Path(name) / "idle")
    table("Costs that grow", ("what", "seen", "goal"), rows)
