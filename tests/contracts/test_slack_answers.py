"""Where a person sees the answer: the bot's own listeners against the sandbox, which shows only what Slack would show."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.__main__ import verbs
from bot.core.config.services import Person
from bot.slack.answers import Answers
from bot.slack.app import SlackEdge
from bot.slack.client import SlackClient, web_client
from bot.slack.commands import CommandRouter
from bot.slack.people import People
from bot.slack.render import called_hosts
from bot.store.slack.interactions import Interactions
from tests.contracts.slack_places import Sandbox, actions, button, sandbox
from tests.real import PATIENCE, wait_until
from tests.unit.approving import Office, office
from tests.unit.commands.using import context
from tests.unit.slack.test_commands import with_card

Json = dict[str, Any]


class Desk:
    """The bot's Slack edge on the office's database, and what the people of the sandbox see."""

    def __init__(self, place: Sandbox, house: Office) -> None:
        self.place, self.house = place, house

    async def private(self, user: str, contains: str) -> Json | None:
        """The newest private answer that this person sees."""
        return await self.place.wait(**{"for": "ephemeral", "user": user, "contains": contains})

    async def message(self, contains: str, **where: str) -> Json | None:
        return await self.place.wait(contains=contains, **where)

    async def hidden(self) -> list[Json]:
        """What Slack took and shows to nobody."""
        answer = await self.place.control.get("/_sandbox/ephemerals", params={"hidden": "yes"})
        found: list[Json] = answer.json()["ephemerals"]
        return found

    async def press(self, user: str, verb: str, value: str = "-", **where: str) -> Json:
        return await self.place.act(user, press={"action_id": verb, "value": value, **where})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    house = await office(tmp_path)
    async with sandbox() as place:
        place.ws.add_channel("shop", channel_id="C1")
        slack = SlackClient(web_client(place.ws.bot_token, f"{place.ws.base_url}/api"))
        ctx = replace(context(house), verbs=verbs())
        answers = Answers(slack, called=called_hosts(house.config))
        people = People(slack, {"alice": Person(slack="U1"), "bob": Person(slack="U2")})
        router = CommandRouter(ctx, people, Interactions(house.db), answers, soon=PATIENCE)
        edge = SlackEdge(slack.web, router, app_token=place.ws.app_token)
        await edge.start()
        assert await place.wait(**{"for": "bot"})
        yield Desk(place, house)
        await edge.stop()
    await house.close()


async def test_slack_shows_an_ephemeral_message_only_in_a_thread_that_somebody_opened(desk: Desk) -> None:
    client = desk.place.client
    card = await client.chat_postMessage(channel="C0", text="card")
    await client.chat_postEphemeral(channel="C0", user="U1", text="too early", thread_ts=card["ts"])
    await client.chat_postMessage(channel="C0", text="first reply", thread_ts=card["ts"])
    await client.chat_postEphemeral(channel="C0", user="U1", text="in time", thread_ts=card["ts"])

    assert await desk.private("U1", "in time")
    assert [message["text"] for message in await desk.hidden()] == ["too early"]


async def test_a_mention_outside_a_thread_is_answered_in_the_channel(desk: Desk) -> None:
    await desk.place.act("U1", mention={"channel": "C1", "text": "whoami"})

    answer = await desk.private("U1", "person alice")
    assert answer and "thread_ts" not in answer
    assert await desk.hidden() == []


async def test_a_mention_in_a_thread_is_answered_in_it(desk: Desk) -> None:
    root = await desk.place.act("U2", type={"channel": "C1", "text": "what is this?"})
    await desk.place.act("U1", mention={"channel": "C1", "thread": root["ts"], "text": "whoami"})

    answer = await desk.private("U1", "person alice")
    assert answer and answer["thread_ts"] == root["ts"]


async def test_a_dialog_that_a_mention_cannot_open_is_offered_where_it_is_seen(desk: Desk) -> None:
    await desk.place.act("U1", mention={"channel": "C1", "text": "declare"})

    assert await desk.private("U1", "Declare an incident")
    assert (await desk.press("U1", "declare"))["acked"]
    assert await desk.place.wait(**{"for": "view", "user": "U1", "contains": "What is wrong?"})


async def test_a_press_on_a_card_without_replies_is_answered_in_the_channel_by_its_own_address(desk: Desk) -> None:
    card = await desk.place.client.chat_postMessage(channel="C1", text="card", blocks=[actions(button("stop", value="AL-9"))])

    await desk.press("U1", "stop", "AL-9", ts=card["ts"])

    assert await desk.private("U1", "not on a message of mine")
    assert [call["method"] for call in desk.place.ws.calls if call["method"] == "response_url"] and await desk.hidden() == []


async def test_a_press_in_a_thread_is_answered_in_it(desk: Desk) -> None:
    card = await desk.place.client.chat_postMessage(channel="C1", text="card")
    reply = {"channel": "C1", "text": "proposal", "thread_ts": card["ts"], "blocks": [actions(button("show", value="AL-9"))]}
    await desk.place.client.chat_postMessage(**reply)

    await desk.press("U1", "show", "AL-9")

    answer = await desk.private("U1", "not on a message of mine")
    assert answer and answer["thread_ts"] == card["ts"]


async def test_a_command_is_answered_where_the_bot_is_no_member(desk: Desk) -> None:
    desk.place.ws.add_channel("elsewhere", channel_id="C7", members=["U1"])

    await desk.place.act("U1", command={"channel": "C7", "command": "/incident", "text": "whoami"})

    answer = await desk.private("U1", "person alice")
    assert answer and answer["channel"] == "C7"


async def test_the_bot_answers_in_the_direct_conversation_and_takes_buttons_there(desk: Desk) -> None:
    conversation = desk.place.ws.direct_channel("U1").id

    await desk.place.act("U1", type={"channel": conversation, "text": "help"})
    assert await desk.message("Help", channel=conversation)
    await desk.place.act("U1", type={"channel": conversation, "text": "declare"})
    assert await desk.message("Declare an incident", channel=conversation)
    await desk.press("U1", "declare", channel=conversation)

    assert await desk.place.wait(**{"for": "view", "user": "U1", "contains": "What is wrong?"})


async def test_what_bots_write_directly_is_no_command(desk: Desk) -> None:
    desk.place.ws.people["U2"].is_bot = True
    conversation = desk.place.ws.direct_channel("U2").id

    await desk.place.act("U2", type={"channel": conversation, "text": "help"})
    await desk.place.act("U1", mention={"channel": "C1", "text": "whoami"})

    assert await desk.private("U1", "person alice")
    assert [m.doc["text"] for m in desk.place.ws.channels[conversation].messages.values()] == ["help"]


async def test_the_message_shortcut_is_answered_beside_the_message(desk: Desk) -> None:
    said = await desk.place.act("U2", type={"channel": "C1", "text": "checkout is slow"})

    await desk.place.act("U1", shortcut={"callback_id": "note", "channel": "C1", "ts": said["ts"]})

    answer = await desk.private("U1", "Noted in the timeline")
    assert answer and "thread_ts" not in answer


async def test_a_line_for_everybody_is_also_told_to_who_pressed_in_the_channel(desk: Desk) -> None:
    card = await desk.place.client.chat_postMessage(channel="C1", text="card", blocks=[actions(button("stop", value="AL-1"))])
    await with_card(desk.house, ts=card["ts"])

    await desk.press("U1", "stop", "AL-1", ts=card["ts"])

    assert await desk.private("U1", "This stands in the thread of INC-1")


# ---------------------------------------------------------------- the home tab


async def home_of(desk: Desk, user: str, contains: str) -> Json:
    """The home tab of a person once it shows this."""

    async def shown() -> Json | None:
        homes = (await desk.place.control.get("/_sandbox/views")).json()["homes"]
        return homes.get(user) if contains in json.dumps(homes.get(user, {})) else None

    found: Json = await wait_until(shown)
    return found


async def test_the_home_tab_shows_what_waits_and_what_is_open(desk: Desk) -> None:
    await desk.house.propose("rollback", requester="alice")

    await desk.place.act("U1", home={})
    await desk.place.act("U2", home={})

    assert "Nothing waits for your approval." in json.dumps(await home_of(desk, "U1", "Open now"))
    bob = json.dumps(await home_of(desk, "U2", "Open now"))
    assert "*AP-1*" in bob and '"action_id": "approve"' in bob and "AL-1" in bob


async def test_a_press_on_the_home_tab_is_answered_before_it_and_the_tab_follows(desk: Desk) -> None:
    await desk.place.act("U1", home={})
    await home_of(desk, "U1", "Acknowledge")

    await desk.press("U1", "ack", "AL-1", view="home")

    assert await desk.place.wait(**{"for": "view", "user": "U1", "contains": "Acknowledged AL-1"})
    assert await home_of(desk, "U1", "taken by alice")


@pytest.mark.parametrize("entry", ["rollback", "restart"])
async def test_an_approval_on_the_home_tab_shows_the_whole_plan_first_at_every_tier(desk: Desk, entry: str) -> None:
    proposal = await desk.house.propose(entry, requester="alice")
    await desk.place.act("U2", home={})
    await home_of(desk, "U2", "AP-1")

    await desk.press("U2", "approve", "AP-1:1", view="home")

    assert await desk.place.wait(**{"for": "view", "user": "U2", "contains": f"http://jobs.example/{entry}"})
    assert (await desk.house.store.load(proposal.ref)).state == "pending"
    await desk.place.act("U2", submit={"values": {"reason": "E1"}})
    assert await wait_until(lambda: desk.house.store.decisions(proposal.ref))


async def test_a_button_to_approve_in_a_private_answer_does_nothing(desk: Desk) -> None:
    await desk.house.propose("restart", requester="alice")
    conversation = desk.place.ws.direct_channel("U2").id
    copied = [actions(button("approve", value="AP-1:1"))]
    await desk.place.client.chat_postMessage(channel=conversation, text="copied", blocks=copied)

    await desk.press("U2", "approve", "AP-1:1", channel=conversation)

    assert await desk.message("not on a message of mine", channel=conversation)
    assert await desk.house.store.decisions("AP-1") == []
