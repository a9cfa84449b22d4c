"""An alert whose own channel Slack refuses: the default channel learns that it is there, and who is called; the twin's own
channel is an archived public one, and the whole card comes."""

import asyncio
import json
from typing import Any

import httpx

from tests.attacks.items import Item
from tests.attacks.sender import now
from tests.attacks.served import bearer
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import Slack

CHANNELS: dict[str, dict[str, Any]] = {
    "C0REMOVED1": {"private": True, "bot": False},
    "C0LENT0001": {"shared": True, "archived": True},
    "C0CLOSED01": {"archived": True},
}
"""A private channel that the bot was removed from, a shared one and a public one that are archived; C0NOWHERE1 is none."""
CALLED = "insider"
QUIET_SECONDS = 2.0


def services() -> dict[str, dict[str, Any]]:
    """One of each channel; the public one's for each of the twins."""
    on_call = {"rotation": [CALLED], "starts": "2026-01-05T09:00Z"}
    channels = {"removed": "C0REMOVED1", "lent": "C0LENT0001", "nowhere": "C0NOWHERE1"}
    own = {name: {"channel": channel, "on_call": on_call} for name, channel in channels.items()}
    return own | {f"closed-{name}": {"channel": "C0CLOSED01"} for name in channels}


def furnish(slack: Slack, members: list[str]) -> None:
    """Make the channels."""
    for channel, more in CHANNELS.items():
        slack.post("channels", [{"id": channel, "name": channel.lower(), "members": members, "bot": True, **more}])


async def leaked(bot: Bot, item: Item, user: str, channels: list[str]) -> list[str]:
    """What of the alert stands in `channels`, and who was not called; the first of them is the default one."""
    service = str(item.rule["service"])
    before = len(bot.slack.of("withheld:", channel=channels[0]))
    word = await _fire(bot, service)
    notices = await asyncio.to_thread(
        until, lambda: bot.slack.of("withheld:", channel=channels[0])[before:], PATIENCE, f"a notice about {word}"
    )
    await asyncio.sleep(QUIET_SECONDS)
    shown = {channel: json.dumps(bot.slack.messages(channel=channel), ensure_ascii=False) for channel in channels}
    leaks = [f"NO_FOREIGN_POST: {word} stands in {channel}" for channel, said in shown.items() if word in said]
    return leaks if f"<@{user}>" in json.dumps(notices) else [*leaks, f"nobody is called about {word}: {notices}"]


async def shown_whole(bot: Bot, item: Item, channel: str) -> list[str]:
    """Why the card of a public channel does not stand in the default one."""
    word = await _fire(bot, f"closed-{item.rule['service']}")
    try:
        await asyncio.to_thread(until, lambda: word in json.dumps(bot.slack.messages(channel=channel)), PATIENCE, word)
    except AssertionError:
        return [f"{word}, of a public channel, does not stand in {channel}"]
    return []


async def _fire(bot: Bot, service: str) -> str:
    """The word by which the alert is known, its service's name included."""
    word = f"Wyndle{service.title().replace('-', '')}"
    labels = {"alertname": word, "service": service, "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": word}, "startsAt": now()}
    async with httpx.AsyncClient(base_url=bot.url, trust_env=False) as client:
        answer = await client.post("/alerts/prod", json={"alerts": [alert]}, headers=bearer("prod"))
    assert answer.status_code == 202, answer.text
    return word
