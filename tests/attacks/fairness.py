"""One source floods: another's critical alert has its card all the same."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from tests.attacks.attempts import attempted, attempted_both
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import alert, now
from tests.attacks.served import SOURCES, bearer, served, settled
from tests.real.bot import Bot

CARD_SECONDS = 2.0
A_BODY = 100
PATIENCE = 60.0
FLOODED, OTHER = "C0000001", "C0000002"


def play(items: Sequence[Item]) -> Played:
    """Play each against a bot of its own."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for item in items:
        outcomes += await attempted_both(item, _of_item(item))
    return Played({"fairness": outcomes}, time.monotonic() - began)


async def _of_item(item: Item) -> list[Outcome]:
    async with served(_config(item)) as bot:
        for channel in (FLOODED, OTHER):
            bot.slack.post("channels", [{"id": channel, "name": channel.lower(), "members": ["U1"], "bot": True}])
        await settled(bot.process.pid)
        twin = await attempted(item, _calm(bot), twin=True)
        return [twin, await attempted(item, _flooded(bot, item))]


async def _calm(bot: Bot) -> list[str]:
    took = await _critical(bot, "calm")
    return [f"a card without a flood takes {took:.1f} s"] if took > CARD_SECONDS else []


def _config(item: Item) -> dict[str, Any]:
    channel = FLOODED if item.rule.get("same_channel") else OTHER
    quiet = {name: {"channel": channel} for name in ("calm", *(f"payments-{number}" for number in range(LOOKS)))}
    return {"default_channel": FLOODED, "sources": SOURCES, "services": quiet}


LOOKS = 6
"""Critical alerts of the other source, spread over the flood."""


async def _flooded(bot: Bot, item: Item) -> list[str]:
    count, seconds = int(item.rule["count"]), float(item.rule["seconds"])
    flood = asyncio.create_task(_flood(bot, item, count, seconds))
    took: list[float] = []
    for number in range(LOOKS):
        await asyncio.sleep(seconds / (LOOKS + 1))
        took.append(await _critical(bot, f"payments-{number}"))
    accepted = await flood
    print(
        f"{item.id}: {accepted} of {count} accepted, cards after {[round(one, 2) for one in took]} s",
        file=sys.stderr,
        flush=True,
    )
    late = [one for one in took if one > CARD_SECONDS]
    return [f"BOUNDED: a critical alert had its card after {max(late):.1f} s"] if late else []


async def _flood(bot: Bot, item: Item, count: int, seconds: float) -> int:
    """Distinct alerts of as many services as the item says, evenly over the seconds; how many were accepted."""
    began, accepted = time.monotonic(), 0
    async with httpx.AsyncClient(base_url=bot.url, timeout=30, trust_env=False) as client:
        for start in range(0, count, A_BODY):
            await asyncio.sleep(max(0.0, began + seconds * start / count - time.monotonic()))
            answer = await client.post("/alerts/prod", content=_body(item, start), headers=bearer("prod"))
            accepted += answer.json().get("accepted", 0)
    return accepted


def _body(item: Item, start: int) -> bytes:
    services, rules = int(item.rule["services"]), int(item.rule.get("rules", 1))
    labels = [
        {"alertname": f"R{n % rules}", "service": f"flood-{n % services}", "severity": "critical", "instance": f"i{n}"}
        for n in range(start, start + A_BODY)
    ]
    return json.dumps({"alerts": [{"status": "firing", "labels": one, "startsAt": now()} for one in labels]}).encode()


async def _critical(bot: Bot, service: str) -> float:
    """Seconds from the post of a critical alert of another source to its card in Slack; PATIENCE if none came."""
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=bot.url, timeout=30, trust_env=False) as client:
        await client.post("/alerts/second", content=alert(service, 0, "critical"), headers=bearer("second"))
    while time.monotonic() - began < PATIENCE:
        messages = await asyncio.to_thread(bot.slack.messages)
        if any(service in message["words"] for message in messages):
            return time.monotonic() - began
        await asyncio.sleep(0.05)
    return PATIENCE
