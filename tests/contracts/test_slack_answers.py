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
from bot.slack.command_router import CommandRouter
from bot.slack.people import People
from bot.slack.render import called_hosts
from bot.store.slack.interactions import Interactions
from tests.contracts.slack_places import Sandbox, actions, button, sandbox
from tests.real import PATIENCE, wait_until
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.commands.using import context
from tests.unit.slack.router_fixture import with_card

Json = dict[str, Any]


class SlackAnswersFixture:
    """The bot's Slack edge on the approvals' database, and what the people of the sandbox see."""

    def __init__(self, place: Sandbox, fixture: ApprovalsFixture) -> None:
        self.place, self.fixture = place, fixture

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
async def slack_edge(tmp_path: Path) -> AsyncIterator[SlackAnswersFixture]:
    fixture = await open_approvals(tmp_path)
    async with sandbox() as place:
        place.ws.add_channel("shop", channel_id="C1")
        slack = SlackClient(web_client(place.ws.bot_token, f"{place.ws.base_url}/api"))
        ctx = replace(context(fixture), verbs=verbs())
        answers = Answers(slack, called=called_hosts(fixture.config))
        people = People(slack, {"alice": Person(slack="U1"), "bob": Person(slack="U2")})
        router = CommandRouter(ctx, people, Interactions(fixture.db), answers, soon=PATIENCE)
        edge = SlackEdge(slack.web, router, app_token=place.ws.app_token)
        await edge.start()
        assert await place.wait(**{"for": "bot"})
        yield SlackAnswersFixture(place, fixture)
        await edge.stop()
    await fixture.close()


async def test_slack_shows_an_ephemeral_message_only_in_a_thread_that_somebody_opened(slack_edge: SlackAnswersFixture) -> None:
    client = slack_edge.place.client
    card = await client.chat_postMessage(channel="C0", text="card")
    await client.chat_postEphemeral(channel="C0", user="U1", text="too early", thread_ts=card["ts"])
    await client.chat_postMessage(channel="C0", text="first reply", thread_ts=card["ts"])
    await client.chat_postEphemeral(channel="C0", user="U1", text="in time", thread_ts=card["ts"])

    assert await slack_edge.private("U1", "in time")
    assert [message["text"] for message in await slack_edge.hidden()] == ["too early"]


async def test_a_mention_outside_a_thread_is_answered_in_the_channel(slack_edge: SlackAnswersFixture) -> None:
    await slack_edge.place.act("U1", mention={"channel": "C1", "text": "whoami"})

    answer = await slack_edge.private("U1", "person alice")
    assert answer and "thread_ts" not in answer
    assert await slack_edge.hidden() == []


async def test_a_mention_in_a_thread_is_answered_in_it(slack_edge: SlackAnswersFixture) -> None:
    root = await slack_edge.place.act("U2", type={"channel": "C1", "text": "what is this?"})
    await slack_edge.place.act("U1", mention={"channel": "C1", "thread": root["ts"], "text": "whoami"})

    answer = await slack_edge.private("U1", "person alice")
    assert answer and answer["thread_ts"] == root["ts"]


async def test_a_dialog_that_a_mention_cannot_open_is_offered_where_it_is_seen(slack_edge: SlackAnswersFixture) -> None:
    await slack_edge.place.act("U1", mention={"channel": "C1", "text": "declare"})

    assert await slack_edge.private("U1", "Declare an incident")
    assert (await slack_edge.press("U1", "declare"))["acked"]
    assert await slack_edge.place.wait(**{"for": "view", "user": "U1", "contains": "What is wrong?"})


async def test_a_press_on_a_card_without_replies_is_answered_in_the_channel_by_its_own_address(
    slack_edge: SlackAnswersFixture,
) -> None:
    card = await slack_edge.place.client.chat_postMessage(
        channel="C1", text="card", blocks=[actions(button("stop", value="AL-9"))]
    )

    await slack_edge.press("U1", "stop", "AL-9", ts=card["ts"])

    assert await slack_edge.private("U1", "not on a message of mine")
    assert [
        call["method"] for call in slack_edge.place.ws.calls if call["method"] == "response_url"
    ] and await slack_edge.hidden() == []


async def test_a_press_in_a_thread_is_answered_in_it(slack_edge: SlackAnswersFixture) -> None:
    card = await slack_edge.place.client.chat_postMessage(channel="C1", text="card")
    reply = {"channel": "C1", "text": "proposal", "thread_ts": card["ts"], "blocks": [actions(button("show", value="AL-9"))]}
    await slack_edge.place.client.chat_postMessage(**reply)

    await slack_edge.press("U1", "show", "AL-9")

    answer = await slack_edge.private("U1", "not on a message of mine")
    assert answer and answer["thread_ts"] == card["ts"]


async def test_a_command_is_answered_where_the_bot_is_no_member(slack_edge: SlackAnswersFixture) -> None:
    slack_edge.place.ws.add_channel("elsewhere", channel_id="C7", members=["U1"])

    await slack_edge.place.act("U1", command={"channel": "C7", "command": "/incident", "text": "whoami"})

    answer = await slack_edge.private("U1", "person alice")
    assert answer and answer["channel"] == "C7"


async def test_the_bot_answers_in_the_direct_conversation_and_takes_buttons_there(slack_edge: SlackAnswersFixture) -> None:
    conversation = slack_edge.place.ws.direct_channel("U1").id

    await slack_edge.place.act("U1", type={"channel": conversation, "text": "help"})
    assert await slack_edge.message("Help", channel=conversation)
    await slack_edge.place.act("U1", type={"channel": conversation, "text": "declare"})
    assert await slack_edge.message("Declare an incident", channel=conversation)
    await slack_edge.press("U1", "declare", channel=conversation)

    assert await slack_edge.place.wait(**{"for": "view", "user": "U1", "contains": "What is wrong?"})


async def test_what_bots_write_directly_is_no_command(slack_edge: SlackAnswersFixture) -> None:
    slack_edge.place.ws.people["U2"].is_bot = True
    conversation = slack_edge.place.ws.direct_channel("U2").id

    await slack_edge.place.act("U2", type={"channel": conversation, "text": "help"})
    await slack_edge.place.act("U1", mention={"channel": "C1", "text": "whoami"})

    assert await slack_edge.private("U1", "person alice")
    assert [m.doc["text"] for m in slack_edge.place.ws.channels[conversation].messages.values()] == ["help"]


async def test_the_message_shortcut_is_answered_beside_the_message(slack_edge: SlackAnswersFixture) -> None:
    said = await slack_edge.place.act("U2", type={"channel": "C1", "text": "checkout is slow"})

    await slack_edge.place.act("U1", shortcut={"callback_id": "note", "channel": "C1", "ts": said["ts"]})

    answer = await slack_edge.private("U1", "Noted in the timeline")
    assert answer and "thread_ts" not in answer


async def test_a_line_for_everybody_is_also_told_to_who_pressed_in_the_channel(slack_edge: SlackAnswersFixture) -> None:
    card = await slack_edge.place.client.chat_postMessage(
        channel="C1", text="card", blocks=[actions(button("stop", value="AL-1"))]
    )
    await with_card(slack_edge.fixture, ts=card["ts"])

    await slack_edge.press("U1", "stop", "AL-1", ts=card["ts"])

    assert await slack_edge.private("U1", "This stands in the thread of INC-1")


# ---------------------------------------------------------------- the home tab


async def home_of(slack_edge: SlackAnswersFixture, user: str, contains: str) -> Json:
    """The home tab of a person once it shows this."""

    async def shown() -> Json | None:
        homes = (await slack_edge.place.control.get("/_sandbox/views")).json()["homes"]
        return homes.get(user) if contains in json.dumps(homes.get(user, {})) else None

    found: Json = await wait_until(shown)
    return found


async def test_the_home_tab_shows_what_waits_and_what_is_open(slack_edge: SlackAnswersFixture) -> None:
    await slack_edge.fixture.propose("rollback", requester="alice")

    await slack_edge.place.act("U1", home={})
    await slack_edge.place.act("U2", home={})

    assert "Nothing waits for your approval." in json.dumps(await home_of(slack_edge, "U1", "Open now"))
    bob = json.dumps(await home_of(slack_edge, "U2", "Open now"))
    assert "*AP-1*" in bob and '"action_id": "approve"' in bob and "AL-1" in bob


async def test_a_press_on_the_home_tab_is_answered_before_it_and_the_tab_follows(slack_edge: SlackAnswersFixture) -> None:
    await slack_edge.place.act("U1", home={})
    await home_of(slack_edge, "U1", "Acknowledge")

    await slack_edge.press("U1", "ack", "AL-1", view="home")

    assert await slack_edge.place.wait(**{"for": "view", "user": "U1", "contains": "Acknowledged AL-1"})
    assert await home_of(slack_edge, "U1", "taken by alice")


@pytest.mark.parametrize("entry", ["rollback", "restart"])
async def test_an_approval_on_the_home_tab_shows_the_whole_plan_first_at_every_tier(
    slack_edge: SlackAnswersFixture, entry: str
) -> None:
    proposal = await slack_edge.fixture.propose(entry, requester="alice")
    await slack_edge.place.act("U2", home={})
    await home_of(slack_edge, "U2", "AP-1")

    await slack_edge.press("U2", "approve", "AP-1:1", view="home")

    assert await slack_edge.place.wait(**{"for": "view", "user": "U2", "contains": f"http://jobs.example/{entry}"})
    assert (await slack_edge.fixture.store.load(proposal.ref)).state == "pending"
    await slack_edge.place.act("U2", submit={"values": {"reason": "E1"}})
    assert await wait_until(lambda: slack_edge.fixture.store.decisions(proposal.ref))


async def test_a_button_to_approve_in_a_private_answer_does_nothing(slack_edge: SlackAnswersFixture) -> None:
    await slack_edge.fixture.propose("restart", requester="alice")
    conversation = slack_edge.place.ws.direct_channel("U2").id
    copied = [actions(button("approve", value="AP-1:1"))]
    await slack_edge.place.client.chat_postMessage(channel=conversation, text="copied", blocks=copied)

    await slack_edge.press("U2", "approve", "AP-1:1", channel=conversation)

    assert await slack_edge.message("not on a message of mine", channel=conversation)
    assert await slack_edge.fixture.store.decisions("AP-1") == []
