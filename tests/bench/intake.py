"""Intake: the webhook endpoint against Alertmanager's API, in turn, same alerts, same load.

Tocsin acknowledges after the durable commit, with the token checked and each alert read, redacted, stored and then sorted;
Alertmanager keeps alerts in memory. 1,000 alerts circulate, so that nearly all are repeats, as in normal work.
"""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench import bodies, load
from tests.bench.place import TOKEN, RunningAlertmanager, RunningBot, alertmanager, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import cpu_seconds, idle, memory_mb
from tests.real.processes import until

DISTINCT = 1000
BATCHES = (1, 10, 100)
CONNECTIONS = (1, 64)
RATIO = {1: 0.40, 10: 0.60, 100: 0.90}
CPU_US = {1: 120.0, 10: 40.0, 100: 20.0}
"""The goals, by batch: alerts a second in relation to Alertmanager's at 64 connections, and CPU microseconds an alert."""
RATE = 1000.0


@dataclass
class Target:
    """Who is posted to, and with which bodies."""

    name: str
    url: str
    pid: int
    body: bodies.Body
    token: str = ""
    bot: RunningBot | None = None

    def requests(self, batch: int) -> list[bytes]:
        alerts = [bodies.alert(number) for number in range(DISTINCT)]
        return bodies.requests(self.url, self.body, batch, alerts, self.token)


@dataclass
class Figures:
    """One run. `cpu` is microseconds an alert up to the last answer, `cpu_all` until the inbox had sorted all of them."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    cpu_all: float
    bad: int
    behind: float
    memory: float


def _measured(target: Target, batch: int, load_run: object) -> Figures:
    before = cpu_seconds(target.pid)
    result = load.run(load_run)  # type: ignore[arg-type]
    at_last_answer = cpu_seconds(target.pid)
    behind = target.bot.caught_up() if target.bot else 0.0
    alerts = len(result.milliseconds) * batch
    return Figures(
        per_second=alerts / result.seconds,
        p50=result.at(0.5),
        p99=result.at(0.99),
        cpu=(at_last_answer - before) / alerts * 1e6,
        cpu_all=(cpu_seconds(target.pid) - before) / alerts * 1e6,
        bad=result.bad,
        behind=behind,
        memory=memory_mb(target.pid),
    )


def _median(runs: list[Figures]) -> Figures:
    names = Figures.__dataclass_fields__
    return Figures(**{name: statistics.median(getattr(run, name) for run in runs) for name in names})


def report(*, seconds: float = 3.0, rounds: int = 3) -> None:
    """Run the whole matrix and print it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with alertmanager(folder / "alertmanager") as other, running_bot(folder / "bot", {}) as bot:
            targets = _targets(other, bot)
            for target in targets:
                # The first time each alert is news: groups and cards come of it. What is measured is the rest of its life.
                load.run(load.each_once(target.url, target.requests(100), 4))
                if target.bot:
                    target.bot.caught_up()
            # Their triages are no part of intake.
            until(lambda: bot.count("triages WHERE state = 'done'") >= bot.count("groups"), 120, "the first triages")
            idle(bot.pid)
            _matrix(targets, seconds, rounds)
            _steady(targets, seconds)


def _targets(other: RunningAlertmanager | None, bot: RunningBot) -> list[Target]:
    tocsin = Target("Tocsin", bot.url, bot.pid, bodies.to_tocsin, TOKEN, bot)
    return [tocsin] if other is None else [Target("Alertmanager", other.url, other.pid, bodies.to_alertmanager), tocsin]


def _matrix(targets: list[Target], seconds: float, rounds: int) -> None:
    rows: list[list[object]] = []
    for batch in BATCHES:
        for wide in CONNECTIONS:
            by_target: dict[str, list[Figures]] = {target.name: [] for target in targets}
            for _ in range(rounds):
                for target in targets:
                    load_run = load.closed_loop(target.url, target.requests(batch), wide, seconds)
                    by_target[target.name].append(_measured(target, batch, load_run))
            rows += _rows(batch, wide, {name: _median(runs) for name, runs in by_target.items()})
    head = (
        "batch", "conns", "target", "alerts/s", "ratio", "goal", "p50 ms", "p99 ms",
        "CPU us/alert", "with sorting", "goal", "MB", "sorted s later", "not 2xx",
    )  # fmt: skip
    table("Intake, closed loop", head, rows)


def _rows(batch: int, wide: int, by_target: dict[str, Figures]) -> list[list[object]]:
    other = by_target.get("Alertmanager")
    rows: list[list[object]] = []
    for name, f in by_target.items():
        ratio = f.per_second / other.per_second if other else float("nan")
        is_tocsin = name == "Tocsin"
        goal = f">= {RATIO[batch]} {reached(ratio, RATIO[batch], least=True)}" if is_tocsin and wide == 64 and other else ""
        cpu_goal = f"<= {CPU_US[batch]:.0f} {reached(f.cpu, CPU_US[batch])}" if is_tocsin and wide == 64 else ""
        rows.append([batch, wide, name, f.per_second, ratio, goal, f.p50, f.p99])
        rows[-1] += [f.cpu, f.cpu_all, cpu_goal, f.memory, f.behind, f.bad]
    return rows


def _steady(targets: list[Target], seconds: float) -> None:
    rows: list[list[object]] = []
    for target in targets:
        load_run = load.open_loop(target.url, target.requests(1), 32, RATE, max(5.0, seconds))
        f = _measured(target, 1, load_run)
        goal = f"<= 2 / 15: {reached(f.p50, 2)} / {reached(f.p99, 15)}" if target.bot else ""
        rows.append([target.name, f.p50, f.p99, goal, f.cpu, f.cpu_all, f.behind, f.bad])
    head = ("target", "p50 ms", "p99 ms", "goal", "CPU us/alert", "with sorting", "sorted s later", "not 2xx")
    table(f"Intake, open loop: {RATE:.0f} posts a second, one alert each", head, rows)
