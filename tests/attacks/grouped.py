"""An alert of a private channel is tied to what stands in a public one; the twin's is of a public channel, and joins it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

from tests.attacks.items import Item
from tests.attacks.sender import now
from tests.attacks.served import bearer
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import until

NUMBERS = range(1, 6)
QUIET_SECONDS = 2.0
"""What a card says later than that of an alert was not said because of it."""


def services(public: str, private: str, other: str) -> dict[str, dict[str, Any]]:
    """For each item a service of a public channel, which depends on one of a private and one of another public channel."""
    found: dict[str, dict[str, Any]] = {}
    for n in NUMBERS:
        found |= {f"till{n}": {"channel": public, "depends_on": [f"safe{n}", f"drawer{n}"]}}
        found |= {f"safe{n}": {"channel": private}, f"drawer{n}": {"channel": other}}
    return found


async def leaked(bot: Bot, item: Item, user: str, channels: list[str]) -> list[str]:
    """What of the private alert stands in channels that others read; `channels`: the first is where the other side stands."""
    word = await _tied(bot, item, "safe", user, channels[0])
    await asyncio.to_thread(bot.slack.wait, "", word)
    await asyncio.sleep(QUIET_SECONDS)
    shown = [await asyncio.to_thread(_said, bot, channel) for channel in channels]
    return [
        f"NO_FOREIGN_POST: {word} stands in {channel}" for channel, said in zip(channels, shown, strict=True) if word in said
    ]


async def kept_apart(bot: Bot, item: Item, user: str, channel: str) -> list[str]:
    """Why the twin's alert did not come to where what it is tied to stands."""
    word = await _tied(bot, item, "drawer", user, channel)
    try:
        await asyncio.to_thread(until, lambda: word in _said(bot, channel), PATIENCE, word)
    except AssertionError:
        return [f"{word}, of a public channel, does not stand in {channel}"]
    return []


async def _tied(bot: Bot, item: Item, kind: str, user: str, channel: str) -> str:
    """First the side that stands in the public channel, then an alert that is tied to it; the word by which that is known."""
    rule, service = item.rule, f"{kind}{item.rule['number']}"
    word = f"Vexmoor{kind.title()}{rule['number']}"
    if rule.get("declared"):
        text = f'declare "something is slow" sev=2 service={service}'
        command = {"command": "/incident", "text": text, "channel": channel}
        await asyncio.to_thread(partial(bot.slack.act, user, command=command))
        await asyncio.to_thread(bot.slack.wait, "card:", "something is slow")
    elif side := rule.get("beside"):
        plain = f"Plain{rule['number']}"
        await _send(bot, rule, {"alertname": plain, "severity": "warning", **side})
        await asyncio.to_thread(bot.slack.wait, "card:", plain)
    labels = {"alertname": word, "severity": "critical", "service": service, **rule.get("labels", {})}
    await _send(bot, rule, labels, hours_ago=int(rule.get("hours_ago", 0)))
    return word


async def _send(bot: Bot, rule: dict[str, Any], labels: dict[str, str], hours_ago: int = 0) -> None:
    source = str(rule.get("source", "prod"))
    start = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat() if hours_ago else now()
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": labels["alertname"]}, "startsAt": start}
    body = {"groupKey": str(rule.get("key", "")), "alerts": [alert]}
    async with httpx.AsyncClient(base_url=bot.url, trust_env=False) as client:
        answer = await client.post(f"/alerts/{source}", json=body, headers=bearer(source))
    assert answer.status_code == 202, answer.text


def _said(bot: Bot, channel: str) -> str:
    return json.dumps(bot.slack.messages(channel=channel), ensure_ascii=False)
