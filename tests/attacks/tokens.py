"""How far each token reaches: a source's own endpoint, kinds and services, and reading alone for the API's.

Each attack is a request with a token that is wrong, empty, nearly right, somebody else's or meant for something else. It must
be refused, and leave nothing behind. The twin is the same request as who may send it sends it.
"""

import asyncio
import base64
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.attacks.attempts import attempted
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import alert, now
from tests.attacks.served import SOURCES, TOKENS, served
from tests.real.bot import API_TOKEN, Bot

CONFIG: dict[str, Any] = {
    "default_channel": "C1",
    "sources": {
        **SOURCES,
        "deploys": {"kind": "generic", "takes": ["changes"]},
        "pages": {"kind": "generic", "takes": ["alerts"]},
        "scoped": {"kind": "alertmanager", "services": ["shop"]},
        "releases": {"kind": "generic", "takes": ["changes"], "services": ["shop"]},
        "tokenless": {"kind": "alertmanager"},
    },
    "services": {"shop": {}, "ledger": {}},
}
MORE = {name: f"t-{name}-0123456789" for name in ("pages", "scoped", "releases")}
KNOWN = {**TOKENS, **MORE, "api": API_TOKEN}
TABLES = ("alerts", "changes", "repeats", "unreadable", "incidents", "silences")
SAMPLES, MOST_DIFFERENCE = 300, 0.35
"""Requests of each kind whose times are compared, and the share by which their medians may differ."""


def play(items: Sequence[Item]) -> Played:
    """Play them all against one bot."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    environment = {f"TOCSIN_TOKEN_{name.upper()}": token for name, token in MORE.items()}
    async with served(CONFIG, environment) as bot:
        bot.slack.post("channels", [{"id": "C1", "name": "attacked", "members": ["U1"], "bot": True}])
        for item in items:
            attack = await attempted(item, ATTACKS[item.rule["rule"]](bot, item))
            print(f"{item.id} {item.technique}: {attack.why or 'refused'}", file=sys.stderr, flush=True)
            outcomes += [attack, await attempted(item, _twin(bot, item), twin=True)]
    return Played({"tokens": outcomes}, time.monotonic() - began)


async def _request(bot: Bot, item: Item) -> list[str]:
    before = _rows(bot)
    answer = await _sent(bot, item.rule)
    wanted = item.rule["refused"]
    why = [] if answer.status_code in wanted else [f"NO_STATE_CHANGE: answered {answer.status_code}: {answer.text[:120]}"]
    after = _rows(bot)
    # What a source may not say is set aside for people to see, a few a minute.
    kept = ("unreadable",) if item.rule.get("set_aside") else ()
    why += [f"NO_STATE_CHANGE: {table} grew" for table in TABLES if table not in kept and after[table] != before[table]]
    why += [f"NO_SECRET: the answer holds the token of {name}" for name, token in KNOWN.items() if token in answer.text]
    return why


async def _timing(bot: Bot, item: Item) -> list[str]:
    """A token that differs at its end is refused no later than one that differs at its beginning."""
    took: dict[str, list[float]] = {text: [] for text in item.rule["tokens"]}
    for _ in range(SAMPLES):
        for text, seconds in took.items():
            began = time.perf_counter()
            await _sent(bot, {"path": item.rule["path"], "body": "alert", "headers": [["authorization", text]]})
            seconds.append(time.perf_counter() - began)
    medians = [statistics.median(seconds) for seconds in took.values()]
    difference = max(medians) / min(medians) - 1
    return [f"NO_SECRET: the medians differ by {difference:.0%}"] if difference > MOST_DIFFERENCE else []


ATTACKS = {"request": _request, "timing": _timing}


async def _twin(bot: Bot, item: Item) -> list[str]:
    answer = await _sent(bot, item.rule["twin"])
    right = answer.status_code in item.rule["twin"].get("accepted", [202])
    return [] if right else [f"who may is answered {answer.status_code}: {answer.text[:120]}"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status_code: int
    text: str


async def _sent(bot: Bot, rule: Mapping[str, Any]) -> Answer:
    return await asyncio.to_thread(_exchange, bot, rule)


def _exchange(bot: Bot, rule: Mapping[str, Any]) -> Answer:
    """One request as it is told: a client of HTTP would put odd paths and headers in order."""
    service = rule.get("service", "shop")
    body = {"alert": alert(service, 0), "change": _change(service), "page": _generic(), "": b""}[rule.get("body", "")]
    with closing(HTTPConnection("127.0.0.1", bot.port, timeout=30)) as connection:
        connection.putrequest(rule.get("method", "POST"), _filled(rule["path"]), skip_accept_encoding=True)
        for name, value in (*rule.get("headers", ()), ("content-length", str(len(body)))):
            connection.putheader(name, _filled(value).encode("latin-1"))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode("utf-8", "replace"))


def _change(service: str) -> bytes:
    return json.dumps(
        {"service": service, "kind": "deploy", "title": "v2", "version": f"v{time.time_ns()}", "at": now()}
    ).encode()


def _generic() -> bytes:
    return json.dumps({"title": "Errors", "service": "shop", "severity": "warning", "status": "firing"}).encode()


def _filled(text: str) -> str:
    """`{prod}` is that token; `{prod[:-1]}` lacks its last letter; `{basic:user:prod}` is it as a password."""
    for name, token in KNOWN.items():
        basic = base64.b64encode(f"user:{token}".encode()).decode()
        user = base64.b64encode(f"{token}:".encode()).decode()
        forms = {"": token, "[:-1]": token[:-1], "[1:]": token[1:], ".upper": token.upper(), ".basic": basic, ".user": user}
        for form, value in forms.items():
            text = text.replace("{" + name + form + "}", value)
    return text


def _rows(bot: Bot) -> dict[str, int]:
    with closing(sqlite3.connect(Path(bot.environment["TOCSIN_DATA_DIR"]) / "app.db", timeout=10)) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
