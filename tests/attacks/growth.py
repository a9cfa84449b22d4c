"""What untrusted input makes grow: memory, disk and rows, by floods of what is each time another.

Each flood is played against the bot that is really served, while another source sends valid alerts, and what it left is counted
in its database, in its data folder, in /metrics and in its memory. The limits are those that the product promises, whatever is
seen: 64 MiB of memory, valid alerts accepted within a second, a row for each alert that is accepted, and for everything else no
more than the quotas let through. The twin: whoever legitimately comes afterwards is served as ever.
"""

import asyncio
import json
import math
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.core.config.alerts import GROUPS_A_MINUTE
from bot.slack.command_router import MAX_OF_PERSON, WINDOW
from bot.store.alerts.intake.unreadable import MAX_BYTES, MAX_ROWS
from tests.attacks.attempts import attempted
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import alert, now
from tests.attacks.served import SOURCES, Watch, bearer, resident, served, settled, watched
from tests.real.bot import Bot

MOST_MEMORY = 64 << 20
"""At its highest, whoever floods and whatever is accepted of it."""
MOST_SECONDS = 1.0
"""Within which 99 of 100 valid alerts of another source are acknowledged meanwhile, beyond what they take before the flood."""
MOST_METRICS = 40
"""Lines: each of the few sources and kinds of refusal may have its own, nothing that a sender names."""
SERVICE_SECONDS = 10.0
"""Within which a legitimate alert has its card after a flood, and a person an answer: the slowest of 100 first cards."""
OWN_ROWS = 50
"""Of a table, that come with time alone or with the legitimate sender's group: its card, its triage, its timeline."""
A_GROUP = 4
"""Rows of timeline and messages that a group may have: opened, its card, its line, its triage."""
A_BODY = 100
SHOPS = 40
"""Services of which each alerts once: what fires on one that alerts already joins its card. Each has a channel of its own:
the sixth card of one source in a channel within a minute is a storm's, and short floods end that soon after each other."""
CONFIG: dict[str, Any] = {
    "default_channel": "C1",
    "sources": SOURCES,
    "services": {"kiosk": {"channel": "C1"}, **{f"shop-{number}": {"channel": f"C3{number:02}"} for number in range(SHOPS)}},
}
TABLES = (
    "alerts",
    "repeats",
    "episodes",
    "groups",
    "incidents",
    "unreadable",
    "audit",
    "messages",
    "seen",
    "timeline",
    "pages",
)

OF_FLOOD = (
    "SELECT count(*) FROM episodes WHERE source = 'prod'",
    "SELECT count(*) FROM repeats",
    "SELECT count(*) FROM groups",
    "SELECT count(*) FROM unreadable",
)


@dataclass(frozen=True)
class Size:
    """What the bot takes: bytes of memory and disk, rows by table, and lines of /metrics."""

    memory: int
    disk: int
    rows: dict[str, int]
    metrics: int


@dataclass
class Flood:
    """What it came to: alerts that may stand as rows, bytes that were accepted, and how long it took."""

    alerts: int = 0
    bytes: int = 0
    calm: float = 0.0
    """p99 of valid alerts before it, in seconds."""
    seconds: float = 0.0

    @property
    def minutes(self) -> int:
        """Windows of a minute that it touched."""
        return math.ceil(self.seconds / 60) + 1


def play(items: Sequence[Item]) -> Played:
    """Play them all against one bot."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    async with served(CONFIG) as bot:
        members = ["U0GUEST001", "U0MEMBER01"]
        people = ({"name": "guest", "is_guest": True}, {"name": "member"})
        bot.slack.post("people", [{"id": user, **person} for user, person in zip(members, people, strict=True)])
        for channel in ("C1", "C2", *(f"C3{number:02}" for number in range(SHOPS))):
            bot.slack.post("channels", [{"id": channel, "name": channel.lower(), "members": members, "bot": True}])
        async with httpx.AsyncClient(base_url=bot.url, trust_env=False, timeout=60) as client:
            for number, item in enumerate(items):
                outcomes.append(await attempted(item, _flooded(bot, client, item)))
                outcomes.append(await attempted(item, _served_after(bot, client, number), twin=True))
    return Played({"growth": outcomes}, time.monotonic() - began)


async def _flooded(bot: Bot, client: httpx.AsyncClient, item: Item) -> list[str]:
    """Play one, and say what grew beyond its limit."""
    await settled(bot.process.pid)
    async with watched(bot, "kiosk", "second") as calm:
        pass
    before, began, flood = await _size(bot, client), time.monotonic(), Flood(calm=calm.p99)
    async with watched(bot, "kiosk", "second") as watch:
        await FLOODS[item.rule["rule"]](bot, client, item, flood)
        await _sorted(bot)
    flood.seconds = time.monotonic() - began
    flood.alerts += len(watch.seconds) + 1
    return _judged(item, before, await _size(bot, client), watch, flood)


def most_rows(flood: Flood) -> dict[str, int]:
    """By table, what the product promises to keep at most of such a flood."""
    groups = GROUPS_A_MINUTE * flood.minutes if flood.alerts > GROUPS_A_MINUTE else flood.alerts
    commands = MAX_OF_PERSON * math.ceil(flood.seconds / WINDOW.total_seconds() + 1)
    of_groups = dict.fromkeys(("messages", "timeline"), A_GROUP * groups)
    of_alerts = dict.fromkeys(("alerts", "episodes", "repeats"), flood.alerts)
    return {**of_alerts, "groups": groups, **of_groups, "unreadable": MAX_ROWS, "seen": commands, "audit": commands}


def _judged(item: Item, before: Size, after: Size, watch: Watch, flood: Flood) -> list[str]:
    rows = {table: after.rows[table] - before.rows[table] for table in TABLES}
    grown = {table: count for table, count in rows.items() if count}
    memory, disk = (watch.peak - before.memory) / (1 << 20), (after.disk - before.disk) / (1 << 20)
    most_disk = (3 * flood.bytes + 2 * MAX_BYTES) / (1 << 20)
    print(
        f"{item.id} {item.technique}: memory +{memory:.0f} MiB at most, disk +{disk:.1f} of {most_disk:.1f} MiB, "
        f"metrics +{after.metrics - before.metrics} lines, p99 {flood.calm:.2f} s, then {watch.p99:.2f} s, rows {grown}",
        file=sys.stderr,
        flush=True,
    )
    why = [f"BOUNDED: memory grew by {memory:.0f} MiB"] if memory > MOST_MEMORY / (1 << 20) else []
    if disk > most_disk:
        why.append(f"BOUNDED: the data folder grew by {disk:.1f} MiB, not {most_disk:.1f}")
    if (more := after.metrics - before.metrics) > MOST_METRICS:
        why.append(f"BOUNDED: /metrics grew by {more} lines")
    if watch.refused or not watch.seconds:
        why.append(f"BOUNDED: {len(watch.refused)} valid alerts were refused: {watch.refused[:1]}")
    if watch.p99 > flood.calm + MOST_SECONDS:
        why.append(f"BOUNDED: p99 of valid alerts was {watch.p99:.2f} s, {flood.calm:.2f} s before")
    most = most_rows(flood)
    return why + [f"BOUNDED: {table} grew by {n} rows" for table, n in rows.items() if n > most.get(table, 0) + OWN_ROWS]


async def _size(bot: Bot, client: httpx.AsyncClient) -> Size:
    folder = Path(bot.environment["TOCSIN_DATA_DIR"])
    with closing(sqlite3.connect(folder / "app.db", timeout=30)) as database:
        rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    metrics = (await client.get("/metrics")).text.count("\n")
    return Size(resident(bot.process.pid), _disk(folder), rows, metrics)


def _disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-wal"))


async def _sorted(bot: Bot) -> None:
    """Until everything that was accepted of the flood is in its group; the legitimate sender goes on."""
    folder, deadline = Path(bot.environment["TOCSIN_DATA_DIR"]), time.monotonic() + 120
    counted: list[tuple[int, ...]] = []
    while time.monotonic() < deadline and (len(counted) < 4 or len(set(counted[-4:])) > 1):
        await asyncio.sleep(0.5)
        with closing(sqlite3.connect(folder / "app.db", timeout=30)) as database:
            counted.append(tuple(database.execute(query).fetchone()[0] for query in OF_FLOOD))


async def _served_after(bot: Bot, client: httpx.AsyncClient, number: int) -> list[str]:
    began, word = time.monotonic(), f"genuine-{number}"
    before = len(bot.slack.get("ephemerals", user="U0MEMBER01")["ephemerals"])
    labels = {"alertname": word, "service": f"shop-{number % SHOPS}", "severity": "critical"}
    body = {"alerts": [{"status": "firing", "labels": labels, "startsAt": now()}]}
    answer = await client.post("/alerts/second", json=body, headers=bearer("second"))
    if answer.status_code != 202:
        return [f"a genuine alert is answered {answer.status_code}"]
    command = {"command": "/incident", "text": "list", "channel": "C2"}
    await asyncio.to_thread(lambda: bot.slack.act("U0MEMBER01", command=command))
    missing = {"card", "answer"}
    while missing and time.monotonic() - began < SERVICE_SECONDS:
        messages = await asyncio.to_thread(bot.slack.messages)
        if any(word in message["words"] for message in messages):
            missing.discard("card")
        if len(bot.slack.get("ephemerals", user="U0MEMBER01")["ephemerals"]) > before:
            missing.discard("answer")
        await asyncio.sleep(0.2)
    return [f"no {what} of a genuine one within {SERVICE_SECONDS:.0f} s" for what in sorted(missing)]


# ---------------------------------------------------------------- floods


def _labels(item: Item, number: int) -> dict[str, str]:
    """Each time another one, in the way that the item says."""
    rule = item.rule
    more = {f"label_{number}_{n}": "v" * int(rule.get("value", 10)) for n in range(int(rule.get("labels", 0)))}
    name = f"Rule{number}" if rule.get("names") else "Rule"
    service = f"svc-{number}" if rule.get("services") else "flood"
    return {"alertname": name, "service": service, "instance": f"i-{number}", "severity": "warning", **more}


async def alerts(_bot: Bot, client: httpx.AsyncClient, item: Item, flood: Flood) -> None:
    """Alerts that are accepted, no two alike."""
    for start in range(0, int(item.rule["count"]), size := int(item.rule.get("a_body", A_BODY))):
        several = [{"status": "firing", "labels": _labels(item, n), "startsAt": now()} for n in range(start, start + size)]
        body = json.dumps({"alerts": several}).encode()
        answer = await client.post("/alerts/prod", content=body, headers=bearer("prod"))
        if answer.status_code == 202:
            flood.alerts, flood.bytes = flood.alerts + size, flood.bytes + len(body)


async def same(_bot: Bot, client: httpx.AsyncClient, item: Item, flood: Flood) -> None:
    """One alert again and again."""
    body = alert("flood", 0)
    flood.alerts, flood.bytes = 1, len(body)
    for _ in range(int(item.rule["count"])):
        await client.post("/alerts/prod", content=body, headers=bearer("prod"))


async def paths(_bot: Bot, client: httpx.AsyncClient, item: Item, _flood: Flood) -> None:
    """Requests for sources and pages that there are not."""
    gate = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with gate:
            path = item.rule["path"].replace("{i}", str(number))
            await client.post(path, content=b"{}", headers={"authorization": f"Bearer {number}", "x-request-id": str(number)})

    await asyncio.gather(*map(one, range(int(item.rule["count"]))))


async def unreadable(_bot: Bot, client: httpx.AsyncClient, item: Item, _flood: Flood) -> None:
    """Bodies of a source that nobody can read."""
    for number in range(int(item.rule["count"])):
        body = f"{number}:".encode() + b"\xff{" * (int(item.rule["bytes"]) // 2)
        await client.post("/alerts/prod", content=body, headers=bearer("prod"))


async def commands(bot: Bot, _client: httpx.AsyncClient, item: Item, _flood: Flood) -> None:
    """One person types, each time something else, and may nothing of it."""
    for number in range(int(item.rule["count"])):
        text = item.rule["text"].replace("{i}", str(number))
        command = {"command": "/incident", "text": text, "channel": "C1"}
        await asyncio.to_thread(lambda said: bot.slack.act("U0GUEST001", command=said), command)


FLOODS: dict[str, Callable[[Bot, httpx.AsyncClient, Item, Flood], Awaitable[None]]] = {
    flood.__name__: flood for flood in (alerts, same, paths, unreadable, commands)
}
