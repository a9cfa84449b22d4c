"""What untrusted input makes grow: memory, disk and rows, by floods of what is each time another.

Each flood is played against the bot that is really served, and what it left is counted in its database, in its data folder, in
/metrics and in its memory. The twin: whoever legitimately comes afterwards is served as ever.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import alert, now
from tests.attacks.served import SOURCES, bearer, resident, served, settled
from tests.real.bot import Bot

MOST_MEMORY = 128 << 20
"""Of a source with a token, whose alerts are kept for their repeats."""
SERVICE_SECONDS = 15.0
"""Within which a legitimate alert has its card after a flood, and a person an answer."""
A_BODY = 100
CONFIG: dict[str, Any] = {"default_channel": "C1", "sources": SOURCES, "services": {"shop": {"channel": "C2"}}}
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


@dataclass(frozen=True)
class Size:
    """What the bot takes: bytes of memory and disk, rows by table, and lines of /metrics."""

    memory: int
    disk: int
    rows: dict[str, int]
    metrics: int


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
        for channel in ("C1", "C2"):
            bot.slack.post("channels", [{"id": channel, "name": channel.lower(), "members": members, "bot": True}])
        async with httpx.AsyncClient(base_url=bot.url, trust_env=False, timeout=60) as client:
            for number, item in enumerate(items):
                await settled(bot.process.pid)
                before = await _size(bot, client)
                await FLOODS[item.rule["rule"]](bot, client, item)
                await _sorted(bot)
                after = await _size(bot, client)
                outcomes.append(Outcome(item, _judged(item, before, after)))
                outcomes.append(Outcome(item, await _served_after(bot, client, number), twin=True))
    return Played({"growth": outcomes}, time.monotonic() - began)


def _judged(item: Item, before: Size, after: Size) -> list[str]:
    rows = {table: after.rows[table] - before.rows[table] for table in TABLES}
    grown = {table: count for table, count in rows.items() if count}
    memory, disk = after.memory - before.memory, after.disk - before.disk
    print(
        f"{item.id} {item.technique}: memory +{memory / (1 << 20):.0f} MiB, disk +{disk / (1 << 20):.1f} MiB, "
        f"metrics +{after.metrics - before.metrics} lines, rows {grown}",
        file=sys.stderr,
        flush=True,
    )
    why = [f"BOUNDED: memory grew by {memory / (1 << 20):.0f} MiB"] if memory > MOST_MEMORY else []
    if disk > (most := float(item.rule["most_mib"]) * (1 << 20)):
        why.append(f"BOUNDED: the data folder grew by {disk / (1 << 20):.1f} MiB, not {most / (1 << 20):.1f}")
    if after.metrics - before.metrics > int(item.rule.get("most_metrics", 40)):
        why.append(f"BOUNDED: /metrics grew by {after.metrics - before.metrics} lines")
    most_rows = item.rule["most_rows"]
    return why + [f"BOUNDED: {table} grew by {n} rows" for table, n in rows.items() if n > most_rows.get(table, most_rows["*"])]


async def _size(bot: Bot, client: httpx.AsyncClient) -> Size:
    folder = Path(bot.environment["TOCSIN_DATA_DIR"])
    with closing(sqlite3.connect(folder / "app.db", timeout=30)) as database:
        rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    metrics = (await client.get("/metrics")).text.count("\n")
    return Size(resident(bot.process.pid), _disk(folder), rows, metrics)


def _disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-wal"))


async def _sorted(bot: Bot) -> None:
    """Until everything that was accepted is in its group, and what that brought about has been sent."""
    folder, deadline = Path(bot.environment["TOCSIN_DATA_DIR"]), time.monotonic() + 120
    counted: list[int] = []
    while time.monotonic() < deadline and (len(counted) < 4 or len(set(counted[-4:])) > 1):
        await asyncio.sleep(0.5)
        with closing(sqlite3.connect(folder / "app.db", timeout=30)) as database:
            counted.append(sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES))


async def _served_after(bot: Bot, client: httpx.AsyncClient, number: int) -> list[str]:
    began, word = time.monotonic(), f"genuine-{number}"
    labels = {"alertname": word, "service": "shop", "severity": "critical"}
    body = {"alerts": [{"status": "firing", "labels": labels, "startsAt": now()}]}
    answer = await client.post("/alerts/second", json=body, headers=bearer("second"))
    if answer.status_code != 202:
        return [f"a genuine alert is answered {answer.status_code}"]
    command = {"command": "/incident", "text": "list", "channel": "C2"}
    await asyncio.to_thread(lambda: bot.slack.act("U0MEMBER01", command=command))
    while time.monotonic() - began < SERVICE_SECONDS:
        messages = await asyncio.to_thread(bot.slack.messages)
        told = bot.slack.get("ephemerals", user="U0MEMBER01")["ephemerals"]
        if any(word in message["words"] for message in messages) and len(told) > number:
            return []
        await asyncio.sleep(0.2)
    return [f"a genuine alert had no card, or a person no answer, within {SERVICE_SECONDS:.0f} s"]


# ---------------------------------------------------------------- floods


def _labels(item: Item, number: int) -> dict[str, str]:
    """Each time another one, in the way that the item says."""
    rule = item.rule
    more = {f"label_{number}_{n}": "v" * int(rule.get("value", 10)) for n in range(int(rule.get("labels", 0)))}
    name = f"Rule{number}" if rule.get("names") else "Rule"
    service = f"svc-{number}" if rule.get("services") else "flood"
    return {"alertname": name, "service": service, "instance": f"i-{number}", "severity": "warning", **more}


async def alerts(_bot: Bot, client: httpx.AsyncClient, item: Item) -> None:
    """Alerts that are accepted, no two alike."""
    for start in range(0, int(item.rule["count"]), size := int(item.rule.get("a_body", A_BODY))):
        several = [{"status": "firing", "labels": _labels(item, n), "startsAt": now()} for n in range(start, start + size)]
        await client.post("/alerts/prod", content=json.dumps({"alerts": several}).encode(), headers=bearer("prod"))


async def same(_bot: Bot, client: httpx.AsyncClient, item: Item) -> None:
    """One alert again and again."""
    body = alert("flood", 0)
    for _ in range(int(item.rule["count"])):
        await client.post("/alerts/prod", content=body, headers=bearer("prod"))


async def paths(_bot: Bot, client: httpx.AsyncClient, item: Item) -> None:
    """Requests for sources and pages that there are not."""
    gate = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with gate:
            path = item.rule["path"].replace("{i}", str(number))
            await client.post(path, content=b"{}", headers={"authorization": f"Bearer {number}", "x-request-id": str(number)})

    await asyncio.gather(*map(one, range(int(item.rule["count"]))))


async def unreadable(_bot: Bot, client: httpx.AsyncClient, item: Item) -> None:
    """Bodies of a source that nobody can read."""
    for number in range(int(item.rule["count"])):
        body = f"{number}:".encode() + b"\xff{" * (int(item.rule["bytes"]) // 2)
        await client.post("/alerts/prod", content=body, headers=bearer("prod"))


async def commands(bot: Bot, _client: httpx.AsyncClient, item: Item) -> None:
    """One person types, each time something else, and may nothing of it."""
    for number in range(int(item.rule["count"])):
        text = item.rule["text"].replace("{i}", str(number))
        command = {"command": "/incident", "text": text, "channel": "C1"}
        await asyncio.to_thread(lambda said: bot.slack.act("U0GUEST001", command=said), command)


FLOODS: dict[str, Callable[[Bot, httpx.AsyncClient, Item], Awaitable[None]]] = {
    flood.__name__: flood for flood in (alerts, same, paths, unreadable, commands)
}
