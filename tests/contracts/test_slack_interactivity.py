"""An unmodified Bolt app against the sandbox, over Socket Mode and over signed HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.workspace.limits import RATES
from bot.sandbox.workspace.triggers import Triggers
from tests.contracts.slack_places import Sandbox, actions, bolt_app, button, connected, modal, sandbox


@pytest.fixture
async def place() -> AsyncIterator[Sandbox]:
    async with sandbox() as running:
        yield running


@pytest.fixture(params=["socket", "http"])
async def live(request: pytest.FixtureRequest, place: Sandbox) -> AsyncIterator[Sandbox]:
    async with connected(bolt_app(place), place, request.param):
        yield place


async def test_a_command_is_acknowledged_and_answered_in_private(live: Sandbox) -> None:
    answer = await live.act("U1", command="/incident list")

    assert answer["acked"]
    later = await live.wait(**{"for": "ephemeral", "user": "U1", "contains": "later"})
    first = await live.wait(**{"for": "ephemeral", "user": "U1", "contains": "took list"})
    assert first and later
    assert (await live.control.get("/_sandbox/messages")).json()["messages"] == []


async def test_a_press_opens_a_modal_that_refuses_and_then_takes_the_answer(live: Sandbox) -> None:
    await live.client.chat_postMessage(channel="C0", text="card", blocks=[actions(button())])

    pressed = await live.act("U2", press={"action_id": "declare"})
    opened = await live.wait(**{"for": "view", "user": "U2"})
    refused = await live.act("U2", submit={"values": {"title": "no"}})
    taken = await live.act("U2", submit={"values": {"title": "Checkout fails"}})

    assert pressed["acked"] and opened
    assert refused["errors"] == {"title": "Say more."}
    assert taken["errors"] is None
    assert (await live.control.get("/_sandbox/views")).json()["views"] == []


async def test_a_mention_is_answered_in_its_thread(live: Sandbox) -> None:
    asked = await live.act("U3", mention={"text": "why"})

    answer = await live.wait(contains="heard:", thread=asked["ts"])
    assert asked["acked"]
    assert answer and answer["thread_ts"] == asked["ts"]


async def test_a_trigger_is_good_for_three_seconds_and_once(place: Sandbox) -> None:
    patient, place.ws.triggers.lifetime_s = place.ws.triggers.lifetime_s, -1.0
    late = (await place.act("U1", command="/incident"))["trigger_id"]
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await place.client.views_open(trigger_id=late, view=modal())

    place.ws.triggers.lifetime_s = patient
    fresh = (await place.act("U1", command="/incident"))["trigger_id"]
    await place.client.views_open(trigger_id=fresh, view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await place.client.views_open(trigger_id=fresh, view=modal())
    assert Triggers().lifetime_s == 3


async def test_the_fourth_message_at_once_is_too_many(place: Sandbox) -> None:
    # Four calls of a slow machine are not at once: only here a bucket fills up again this slowly.
    place.ws.rates.change("chat.postMessage", replace(RATES["chat.postMessage"], per_second=0.01))
    for number in range(3):
        await place.client.chat_postMessage(channel="C0", text=str(number))

    with pytest.raises(SlackApiError) as limited:
        await place.client.chat_postMessage(channel="C0", text="4")

    assert limited.value.response.status_code == 429
    assert int(limited.value.response.headers["Retry-After"]) >= 1


async def test_a_response_url_takes_five_answers(place: Sandbox) -> None:
    url = (await place.act("U1", command="/incident"))["response_url"]

    statuses = [(await place.control.post(url, json={"text": str(n)})).status_code for n in range(6)]

    assert statuses == [200] * 5 + [404]


async def test_a_modal_changed_meanwhile_is_not_overwritten(place: Sandbox) -> None:
    trigger = (await place.act("U1", command="/incident"))["trigger_id"]
    view = (await place.client.views_open(trigger_id=trigger, view=modal()))["view"]
    await place.client.views_update(view_id=view["id"], hash=view["hash"], view=modal())

    with pytest.raises(SlackApiError, match="hash_conflict"):
        await place.client.views_update(view_id=view["id"], hash=view["hash"], view=modal())


@pytest.mark.parametrize(
    "lie", [{"signature": "wrong"}, {"signature": "missing"}, {"secret": "other"}, {"timestamp_offset_s": -600}]
)
async def test_a_forged_request_is_turned_away_by_the_app(place: Sandbox, lie: dict[str, str]) -> None:
    async with connected(bolt_app(place), place, "http"):
        forged = await place.act("U1", command="/incident", raw=lie)
        honest = await place.act("U1", command="/incident")

    assert (forged["acked"], forged["status"]) == (False, 401)
    assert honest["acked"]


async def test_a_replay_carries_the_same_event(place: Sandbox) -> None:
    async with connected(bolt_app(place), place, "socket"):
        asked = await place.act("U1", mention={"text": "once"})
        again = await place.act("U1", raw={"replay": asked["delivery"]})

        assert again["acked"]
        assert await place.wait(contains="heard:", count=2)


async def test_after_a_disconnect_message_the_app_comes_back(place: Sandbox) -> None:
    async with connected(bolt_app(place), place, "socket"):
        asked = await place.set("faults", disconnect=True)
        back = await place.wait(**{"for": "bot", "count": 1})

        assert asked["disconnected"] == 1 and back
        assert (await place.act("U1", command="/incident"))["acked"]


async def test_without_a_bot_the_person_is_told(place: Sandbox) -> None:
    answer = await place.act("U1", command="/incident")

    told = await place.wait(**{"for": "ephemeral", "user": "U1"})
    assert answer["error"] == "dispatch_failed"
    assert told and "dispatch_failed" in told["text"]


async def test_a_lost_answer_leaves_the_message_in_the_channel(place: Sandbox) -> None:
    await place.set("faults", drop_after_accept=1)
    place.client.retry_handlers.clear()

    with pytest.raises(Exception, match="disconnected"):
        await place.client.chat_postMessage(channel="C0", text="did it arrive")

    assert await place.wait(contains="did it arrive")


async def test_faults_strike_as_often_as_asked(place: Sandbox) -> None:
    await place.set("faults", **{"429": 1, "error": {"method": "chat.update", "code": "is_archived"}})

    with pytest.raises(SlackApiError, match="ratelimited"):
        await place.client.chat_postMessage(channel="C0", text="x")
    sent = await place.client.chat_postMessage(channel="C0", text="x")
    with pytest.raises(SlackApiError, match="is_archived"):
        await place.client.chat_update(channel="C0", ts=sent["ts"], text="y")
    await place.client.chat_update(channel="C0", ts=sent["ts"], text="y")


async def test_a_press_may_be_forged_as_anybody(place: Sandbox) -> None:
    await place.set("people", id="U9", name="stranger", team="T0OTHER")
    await place.client.chat_postMessage(channel="C0", text="card", blocks=[actions(button())])
    seen: list[dict[str, object]] = []
    app = bolt_app(place)

    async def note(ack: object, body: dict[str, object]) -> None:
        await ack()  # type: ignore[operator]
        seen.append(body)

    app.action("approve")(note)
    async with connected(app, place, "socket"):
        forged = {"action_id": "approve", "value": "AP-9:1", "force": True}
        await place.act("U9", press=forged, raw={"patch": {"team": {"id": "T0OTHER"}}})

    assert seen[0]["user"]["team_id"] == seen[0]["team"]["id"] == "T0OTHER"  # type: ignore[index]
    assert seen[0]["actions"][0]["value"] == "AP-9:1"  # type: ignore[index]
