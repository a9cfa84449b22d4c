"""What leaves Slack: postmortem drafts, what the command line prints, and the exported audit, of what others wrote.

Where a draft is rendered, nothing of it may be a picture, a link, HTML, code or a formula, and no character invisible. Where it
is printed (channel `console`), no byte of it may steer a terminal, in the exported audit neither, whose signature has to hold.
The twin: plain words come out as they went in.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.attacks.attempts import attempted
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import now
from tests.attacks.served import SOURCES, bearer, served
from tests.real.bot import API_TOKEN, Bot

PATIENCE = 60.0
PLAIN = "the pool of web-1 ran dry at 7 %"
CONFIG: dict[str, Any] = {
    "default_channel": "C1",
    "sources": SOURCES,
    "services": {"shop": {"channel": "C1"}},
}
LIVE = (
    ("a picture or link", re.compile(r"(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)\]:")),
    ("HTML", re.compile(r"<[A-Za-z/!?]")),
    ("an address", re.compile(r"(?i)\w://|\bwww\.\w|(?<!\w)(?:javascript|data|vbscript):\S")),
    ("code", re.compile(r"(?<!\\)`")),
    ("a formula", re.compile(r"(?<!\\)\$")),
)


def play(items: Sequence[Item]) -> Played:
    """Play them all against one bot."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    async with served(CONFIG) as bot:
        people = [_person(number) for number in range(len(items))]
        bot.slack.post("people", [{"name": person.lower(), "id": person} for person in people])
        bot.slack.post("channels", [{"id": "C1", "name": "shop", "members": people, "bot": True}])
        async with httpx.AsyncClient(base_url=bot.url, trust_env=False, timeout=30) as client:
            client.headers["authorization"] = f"Bearer {API_TOKEN}"
            for number, item in enumerate(items):
                for twin in (False, True):
                    outcomes.append(await attempted(item, _exported(bot, client, item, number, twin=twin), twin=twin))
    return Played({"export": outcomes}, time.monotonic() - began)


def _person(number: int) -> str:
    """Who types for an item: one person for all of them would type more than the bot reads of one within half a minute."""
    return f"U0PERSON{number:04}"


async def _exported(bot: Bot, client: httpx.AsyncClient, item: Item, number: int, *, twin: bool) -> list[str]:
    """Why what leaves Slack of it is wrong."""
    mark, text = f"x{number}{'t' if twin else 'a'}", PLAIN if twin else item.text
    ref, left = await _draft(bot, client, _person(number), mark, text)
    printed = item.channel == "console"
    if printed:
        left = await asyncio.to_thread(_printed, bot, ref)
    why = _twin(left) if twin else _steering(left) if printed else _live(left)
    print(f"{item.id} {item.technique}: {len(left)} characters {why}", file=sys.stderr, flush=True)
    return why


def _twin(draft: str) -> list[str]:
    return [] if PLAIN in draft else [f"plain words are missing: {draft[:300]!r}"]


def _steering(printed: str) -> list[str]:
    """Line feeds and our own plain text alone: the commands print into a pipe, for which they colour nothing."""
    odd = {char for char in printed if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")}
    return [f"NO_SPOOF: printed {sorted(map(ord, odd))}"] if odd else []


def _printed(bot: Bot, ref: str) -> str:
    """Everything that the command line prints of an incident, and the exported audit, whose signature is checked."""
    export = Path(bot.environment["TOCSIN_DATA_DIR"]).parent / f"audit-{ref}.jsonl"
    parts = [_tocsin(bot, "show", ref), _tocsin(bot, "incidents", "--all"), _tocsin(bot, "audit", "export", str(export))]
    key = json.loads(export.read_bytes().splitlines()[-1])["public_key"]
    parts.append(_tocsin(bot, "audit", "verify-export", str(export), "--public-key", key))
    # Not decoded as UTF-8: to a terminal in another encoding each byte is a character.
    return "\n".join([*parts, export.read_bytes().decode("latin-1")])


def _tocsin(bot: Bot, *arguments: str) -> str:
    """What a command prints. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "bot.cli", *arguments]
    ended = subprocess.run(command, env=bot.environment, capture_output=True, check=True, timeout=PATIENCE)
    return (ended.stdout + ended.stderr).decode()


def _live(draft: str) -> list[str]:
    if not draft:
        return ["there was no draft"]
    why = [f"NO_URL: {what}: {match.group()!r}" for what, form in LIVE if (match := form.search(draft))]
    hidden = {char for char in draft if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs")}
    return why + ([f"NO_SPOOF: invisible characters {sorted(map(ord, hidden))}"] if hidden else [])


async def _draft(bot: Bot, client: httpx.AsyncClient, person: str, mark: str, text: str) -> tuple[str, str]:
    """An incident in whose alert, note and cause this text stands, and its Markdown; "" if none came."""
    labels = {"alertname": mark, "service": "shop", "severity": "warning", "team": text[:1000]}
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": text, "description": text}, "startsAt": now()}
    await client.post("/alerts/prod", json={"alerts": [alert]}, headers=bearer("prod"))
    ref = await _declared(bot, client, person, f"{mark} {text}")
    for command in (f"note {text} {ref}", f"resolve {text} {ref}", f"postmortem {ref}"):
        await asyncio.to_thread(_type, bot, person, command)
    return ref, await _found(client, f"/api/incidents/{ref}/postmortem")


async def _declared(bot: Bot, client: httpx.AsyncClient, person: str, title: str) -> str:
    before = len((await client.get("/api/incidents")).json())
    await asyncio.to_thread(_type, bot, person, f"declare {title} sev=3 service=shop")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        incidents = (await client.get("/api/incidents")).json()
        if len(incidents) > before:
            return str(incidents[0]["ref"])
        await asyncio.sleep(0.2)
    answers = [one["words"] for one in bot.slack.get("ephemerals", user=person)["ephemerals"]]
    raise TimeoutError(f"no incident was declared: {title[:100]!r}; the answer: {answers[-1:]}")


def _type(bot: Bot, person: str, text: str) -> None:
    bot.slack.act(person, command={"command": "/incident", "text": text.replace("\n", " "), "channel": "C1"})


async def _found(client: httpx.AsyncClient, path: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = await client.get(path)
        if answer.status_code == 200:
            return answer.text
        await asyncio.sleep(0.2)
    return ""
