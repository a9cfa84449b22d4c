"""Facts of many groups at once: when those of each stand, of 40, and of a storm of 200 with one origin.

There is nothing to measure behind the bot: what is timed is its own work, the alerts, changes and incidents that it looks up.
"""

import tempfile
import time
from pathlib import Path

import httpx

from tests.bench import bodies
from tests.bench.load import quantile
from tests.bench.place import TOKEN, RunningBot, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import cpu_seconds, idle

ORIGIN = "svc-origin"
PATIENCE = 300.0
_STAND = "SELECT group_concat(group_id) FROM triages WHERE facts != '{}'"


def report() -> None:
    """Measure and print."""
    head = ("groups at once", "with facts", "p50 s", "p99 s", "goal", "the origin's s", "CPU ms a group")
    table("Facts of many groups", head, [_facts(40, 10.0), _facts(200, 60.0)])


def _facts(groups: int, within: float) -> list[object]:
    names = [f"svc-{number:03d}" for number in range(groups - 1)]
    services = {ORIGIN: {}, **{name: {"depends_on": [ORIGIN]} for name in names}}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_bot(Path(folder) / "bot", {"services": services}) as bot,
    ):
        idle(bot.pid)
        before, began = cpu_seconds(bot.pid), time.monotonic()
        _post(bot, [*names, ORIGIN])
        stands = _until_facts(bot, groups, began)
        origin = stands.get(str(bot.ask(f"SELECT id FROM groups WHERE service = '{ORIGIN}'")), float("nan"))
        idle(bot.pid)
        cost = (cpu_seconds(bot.pid) - before) / groups * 1000
    seconds, last = list(stands.values()), quantile(list(stands.values()), 0.99)
    all_stand = len(stands) == groups
    goal = f"<= {within:g} {reached(last, within) if all_stand else 'no'}"
    return [groups, len(stands), quantile(seconds, 0.5), last, goal, origin, cost]


def _post(bot: RunningBot, services: list[str]) -> None:
    """One critical alert of each; of clusters of their own, or what depends on one service would be one group."""
    alerts = [bodies.alert(number, severity="critical") for number in range(len(services))]
    for alert, service in zip(alerts, services, strict=True):
        alert["labels"] |= {"service": service, "cluster": service}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    httpx.post(bot.url, content=bodies.to_tocsin(alerts), headers=headers, trust_env=False, timeout=30).raise_for_status()


def _until_facts(bot: RunningBot, groups: int, began: float) -> dict[str, float]:
    """By number of the group when its facts stood, in seconds."""
    stands: dict[str, float] = {}
    while len(stands) < groups and time.monotonic() - began < PATIENCE:
        for number in filter(None, str(bot.ask(_STAND) or "").split(",")):
            stands.setdefault(number, time.monotonic() - began)
        time.sleep(0.1)
    return stands
