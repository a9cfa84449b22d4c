"""PostgreSQL: what one bot acknowledges and sorts, and what two do, with alerts at one endpoint and at both.

The server runs without fsync, beside the bots and the load on the same cores; the alerts are all new, ten a body.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import yaml

from tests.bench import bodies, load
from tests.bench.place import SOURCE, TOKEN
from tests.bench.report import reached, table
from tests.bench.usage import cpu_seconds, idle
from tests.real.bot import Bot
from tests.real.postgres import Server, serving
from tests.real.processes import until
from tests.real.slack import Slack

ALERTS, BATCH, CONNECTIONS = 5_000, 10, 32
PATIENCE = 300.0
_SORTED = "SELECT count(*) FROM episodes"


@dataclass
class _Figures:
    """Of one run: alerts a second that were acknowledged and sorted, and the bots' processor time in microseconds an alert."""

    acknowledged: float
    sorted: float
    cpu: float
    bad: int


def report(*, alerts: int = ALERTS) -> None:
    """One bot; two with one endpoint; two with both endpoints: a fresh database each, printed."""
    with serving() as server:
        figures = [(name, _run(server, bots, endpoints, alerts)) for name, bots, endpoints in _PLACES]
    one = figures[0][1]
    rows = [_row(name, run, one, endpoints) for (name, run), (_, _, endpoints) in zip(figures, _PLACES, strict=True)]
    head = ("bots", "acked/s", "of one", "goal", "sorted/s", "of one", "goal", "CPU us/alert", "not 2xx")
    table(f"PostgreSQL: {alerts:,} new alerts, {BATCH} a body", head, rows)


_PLACES = (("one", 1, 1), ("two, one endpoint", 2, 1), ("two, both endpoints", 2, 2))


def _row(name: str, run: _Figures, one: _Figures, endpoints: int) -> list[object]:
    acked, sorted_ = run.acknowledged / one.acknowledged, run.sorted / one.sorted
    goals = ("", "")
    if run is not one:
        least = 1.6 if endpoints > 1 else 1.0
        goals = (f">= {least} {reached(acked, least, least=True)}", f">= 1.0 {reached(sorted_, 1.0, least=True)}")
    return [name, run.acknowledged, acked, goals[0], run.sorted, sorted_, goals[1], run.cpu, run.bad]


def _run(server: Server, bots: int, endpoints: int, alerts: int) -> _Figures:
    database = server.create_database()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _running(Path(folder), database, bots) as running:
        for bot in running:
            idle(bot.process.pid)
        before, began = _cpu(running), time.monotonic()
        result = load.run(_load(running[:endpoints], alerts))
        with psycopg.connect(database) as connection:
            until(lambda: _count(connection) >= alerts, PATIENCE, "all alerts are sorted")
        seconds = time.monotonic() - began
        cpu = (_cpu(running) - before) / alerts * 1e6
    server.drop_database(database)
    return _Figures(alerts / result.seconds, alerts / seconds, cpu, result.bad)


def _cpu(bots: Sequence[Bot]) -> float:
    return sum(cpu_seconds(bot.process.pid) for bot in bots)


def _count(connection: "psycopg.Connection[tuple[int]]") -> int:
    found = connection.execute(_SORTED).fetchone()
    connection.rollback()
    return found[0] if found else 0


async def _load(endpoints: Sequence[Bot], alerts: int) -> load.Result:
    """Each endpoint gets its part of the alerts, at the same time."""
    news = [bodies.alert(number) for number in range(alerts)]
    parts = [news[place :: len(endpoints)] for place in range(len(endpoints))]
    loads = [
        load.each_once(url, bodies.requests(url, bodies.to_tocsin, BATCH, part, TOKEN), CONNECTIONS // len(endpoints))
        for url, part in zip((f"{bot.url}/alerts/{SOURCE}" for bot in endpoints), parts, strict=True)
    ]
    results = await asyncio.gather(*loads)
    whole = load.Result(seconds=max(result.seconds for result in results), bad=sum(result.bad for result in results))
    whole.milliseconds = [latency for result in results for latency in result.milliseconds]
    return whole


@contextmanager
def _running(folder: Path, database: str, count: int) -> Iterator[list[Bot]]:
    """So many bots on one database and one Slack."""
    path = folder / "tocsin.yaml"
    config = {"sources": {SOURCE: {"kind": "alertmanager"}}, "default_channel": "C0"}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with ExitStack() as ending:
        slack = Slack(folder, "--no-world").start()
        ending.callback(slack.stop)
        bots = []
        for number in range(count):
            name, environment = f"bot-{number}", {f"TOCSIN_TOKEN_{SOURCE.upper()}": TOKEN}
            bot = Bot(folder / name, slack, path, database_url=database, environment=environment, name=name)
            ending.callback(bot.stop)
            bot.start()
            bots.append(bot)
        yield bots
