"""A channel of other bots' alerts, over Slack's own events: what the sandbox delivers becomes alerts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from bot.core.alert import Alert
from bot.core.config.alerts import SourceConfig
from bot.plugins import Source, discover
from bot.slack.alert_channels import AlertChannels, ChannelHistory
from bot.slack.answers import Answers
from bot.slack.app import SlackEdge
from bot.slack.client import SlackClient, web_client
from bot.slack.command_router import CommandRouter
from bot.slack.people import People
from bot.store.db.database import utc_now
from bot.store.slack.interactions import Interactions
from tests.contracts.slack_places import Sandbox, sandbox
from tests.real import PATIENCE
from tests.unit.approvals_fixture import open_approvals
from tests.unit.commands.using import context


class Stored:
    """Stands where intake stands."""

    def __init__(self) -> None:
        self.alerts: asyncio.Queue[Alert] = asyncio.Queue()

    async def put(self, alerts: Any, changes: Any, received_at: datetime) -> None:
        for alert in alerts:
            self.alerts.put_nowait(alert)

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        raise AssertionError(problem)

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(PATIENCE):
            alert = await self.alerts.get()
        return alert.name, alert.status


async def never(source: str) -> datetime | None:
    """No delivery was stored before."""
    return None


class AlertChannelFixture:
    """The bot's Slack edge, which reads channel C7, and the bot `monitor` (U7) that posts there."""

    def __init__(self, place: Sandbox, edge: SlackEdge, stored: Stored) -> None:
        self.place, self.edge, self.stored = place, edge, stored

    async def posts(self, **message: Any) -> str:
        answer = await self.place.act("U7", type={"channel": "C7", **message})
        return str(answer["ts"])


@pytest.fixture
async def alert_channel(tmp_path: Any) -> AsyncIterator[AlertChannelFixture]:
    fixture = await open_approvals(tmp_path)
    async with sandbox() as place:
        place.ws.add_channel("legacy-alerts", channel_id="C7")
        await place.control.post("/_sandbox/people", json={"id": "U7", "name": "monitor", "is_bot": True})
        slack = SlackClient(web_client(place.ws.bot_token, f"{place.ws.base_url}/api"))
        sources = {"legacy": SourceConfig(kind="slack_channel", options={"channel": "C7"})}
        stored = Stored()
        channels = AlertChannels(sources, discover(["bot.sources"], Source), stored, ChannelHistory(slack), utc_now, never)
        router = CommandRouter(context(fixture), People(slack, {}), Interactions(fixture.db), Answers(slack))
        edge = SlackEdge(slack.web, router, app_token=place.ws.app_token, channels=channels)
        await edge.start()
        assert await place.wait(**{"for": "bot"})
        yield AlertChannelFixture(place, edge, stored)
        await edge.stop()
    await fixture.close()


async def test_a_message_its_thread_and_its_edit_are_one_alert(alert_channel: AlertChannelFixture) -> None:
    ts = await alert_channel.posts(attachments=[{"color": "danger", "title": "[FIRING:1] HighErrorRate (checkout critical)"}])
    assert await alert_channel.stored.next() == ("HighErrorRate (checkout critical)", "firing")

    await alert_channel.posts(text="Resolved: back under 1 %", thread=ts)
    assert await alert_channel.stored.next() == ("HighErrorRate (checkout critical)", "resolved")

    edited = [{"color": "danger", "title": "[FIRING:3] HighErrorRate (checkout critical)", "text": "again"}]
    await alert_channel.place.act("U7", edit={"channel": "C7", "ts": ts, "attachments": edited})
    assert await alert_channel.stored.next() == ("HighErrorRate (checkout critical)", "firing")


async def test_what_people_and_tocsin_write_there_is_no_alert(alert_channel: AlertChannelFixture) -> None:
    await alert_channel.place.act("U1", type={"channel": "C7", "text": "[FIRING] I type like a bot"})
    await alert_channel.place.client.chat_postMessage(channel="C7", text="AL-3 HighErrorRate")
    await alert_channel.posts(text="Errors")

    assert await alert_channel.stored.next() == ("Errors", "firing") and alert_channel.stored.alerts.empty()


async def test_what_came_while_nobody_listened_is_read_from_the_channel(alert_channel: AlertChannelFixture) -> None:
    alert_channel.place.ws.faults.down = True
    await alert_channel.posts(text="Triggered: Disk full on db-1")
    alert_channel.place.ws.faults.down = False

    alert_channel.edge.catch_up()

    assert await alert_channel.stored.next() == ("Disk full on db-1", "firing")


async def test_a_private_channel_that_it_was_invited_to_is_read_too(alert_channel: AlertChannelFixture) -> None:
    alert_channel.place.ws.channels["C7"].is_private = True
    alert_channel.place.ws.faults.down = True
    await alert_channel.posts(text="Triggered: Disk full on db-2")
    alert_channel.place.ws.faults.down = False

    alert_channel.edge.catch_up()

    assert await alert_channel.stored.next() == ("Disk full on db-2", "firing")
