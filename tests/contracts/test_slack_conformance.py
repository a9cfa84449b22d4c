"""What every Slack must do, the sandbox like a real workspace; `make slack-live` runs it on a real one."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.contracts.slack_places import LIVE_MISSING, Place, actions, button, live_place, plain, sandbox

Json = dict[str, Any]

# The smallest PNG there is: one pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


@pytest.fixture(params=["sandbox", *(["live"] if live_place() else [])])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "live":
        place = live_place()
        assert place is not None
        yield place
        return
    async with sandbox() as running:
        running.ws.rates.enabled = False
        yield Place(running.client, "C0")


@pytest.mark.skipif(live_place() is None, reason=LIVE_MISSING)
async def test_a_real_workspace_was_asked_too() -> None:
    """Its skip says in every report that nothing here was checked against Slack itself."""
    place = live_place()

    assert place is not None and (await place.client.auth_test())["ok"]


async def test_the_token_names_workspace_user_and_bot(slack: Place) -> None:
    who = await slack.client.auth_test()

    assert who["team_id"].startswith("T")
    assert who["user_id"].startswith(("U", "W"))
    assert who["bot_id"].startswith("B")


async def test_a_message_is_found_again_by_its_metadata(slack: Place) -> None:
    key = secrets.token_hex(8)
    metadata = {"event_type": "tocsin_message", "event_payload": {"key": key}}
    first = await slack.client.chat_postMessage(channel=slack.channel, text="before")

    sent = await slack.client.chat_postMessage(channel=slack.channel, text="card", metadata=metadata)

    found = await slack.client.conversations_history(channel=slack.channel, oldest=first["ts"], include_all_metadata=True)
    keys = {m["ts"]: m["metadata"]["event_payload"] for m in found["messages"] if "metadata" in m}
    assert keys == {sent["ts"]: {"key": key}}
    bare = await slack.client.conversations_history(channel=slack.channel, oldest=first["ts"])
    assert "event_payload" not in bare["messages"][0].get("metadata", {})


async def test_a_reply_stands_in_the_thread_and_not_in_the_channel(slack: Place) -> None:
    root = await slack.client.chat_postMessage(channel=slack.channel, text="root")

    reply = await slack.client.chat_postMessage(channel=slack.channel, text="reply", thread_ts=root["ts"])

    thread = await slack.client.conversations_replies(channel=slack.channel, ts=root["ts"])
    assert [m["ts"] for m in thread["messages"]] == [root["ts"], reply["ts"]]
    history = await slack.client.conversations_history(channel=slack.channel, limit=2)
    assert reply["ts"] not in [m["ts"] for m in history["messages"]]


async def test_history_comes_in_pages_newest_first(slack: Place) -> None:
    sent = [(await slack.client.chat_postMessage(channel=slack.channel, text=f"page {n}"))["ts"] for n in range(3)]

    first = await slack.client.conversations_history(channel=slack.channel, limit=2)
    cursor = first["response_metadata"]["next_cursor"] if first["has_more"] else ""
    second = await slack.client.conversations_history(channel=slack.channel, limit=1, cursor=cursor)

    assert [m["ts"] for m in [*first["messages"], *second["messages"]]] == sent[::-1]


async def test_an_edit_with_text_alone_takes_the_blocks_away(slack: Place) -> None:
    card = await slack.client.chat_postMessage(channel=slack.channel, text="card", blocks=[actions(button())])

    await slack.client.chat_update(channel=slack.channel, ts=card["ts"], text="done")

    [message] = (await slack.client.conversations_history(channel=slack.channel, limit=1))["messages"]
    assert message["text"] == "done"
    assert not [block for block in message.get("blocks", []) if block["type"] == "actions"]


async def test_a_picture_is_uploaded_into_a_thread_with_its_words(slack: Place) -> None:
    root = await slack.client.chat_postMessage(channel=slack.channel, text="root")

    sent = await slack.client.files_upload_v2(
        channel=slack.channel, thread_ts=root["ts"], filename="graph.png", title="Errors", alt_txt="Errors rise.", content=PIXEL
    )

    assert sent["file"]["id"].startswith("F")
    assert sent["file"]["title"] == "Errors"


def section(length: int) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


def select(count: int) -> Json:
    options = [{"text": plain(str(n)), "value": str(n)} for n in range(count)]
    return {"type": "static_select", "action_id": "pick", "placeholder": plain("Pick"), "options": options}


REFUSED_BLOCKS = {
    "51 blocks": [{"type": "divider"}] * 51,
    "a header of 151 characters": [{"type": "header", "text": plain("x" * 151)}],
    "a header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "a section of 3,001 characters": [section(3001)],
    "an empty text": [section(0)],
    "eleven fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "eleven context elements": [{"type": "context", "elements": [plain("x")] * 11}],
    "26 controls": [actions(*(button(f"b{n}") for n in range(26)))],
    "a button label of 76 characters": [actions(button(text=plain("x" * 76)))],
    "a button value of 2,001 characters": [actions(button(value="x" * 2001))],
    "an action id of 256 characters": [actions(button("x" * 256))],
    "one action id twice in a block": [actions(button("same"), button("same"))],
    "101 options": [actions(select(101))],
    "a button style that does not exist": [actions(button(style="warning"))],
    "a block type that does not exist": [{"type": "siren"}],
    "a picture without words": [{"type": "image", "image_url": "https://example.com/a.png"}],
    "a file that does not exist": [{"type": "image", "slack_file": {"id": "F0000000000"}, "alt_text": "x"}],
}


@pytest.mark.parametrize("case", REFUSED_BLOCKS)
async def test_blocks_beyond_the_limits_are_refused_with_the_place(slack: Place, case: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        await slack.client.chat_postMessage(channel=slack.channel, text="x", blocks=REFUSED_BLOCKS[case])

    assert refused.value.response["error"] == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"]


REFUSED_MESSAGES: dict[str, tuple[Json, str]] = {
    "nothing to say": ({"text": ""}, "no_text"),
    "too much text in blocks": ({"text": "x", "blocks": json.dumps([section(2900)] * 5)}, "msg_blocks_too_long"),
    "no such channel": ({"channel": "C0NOSUCH000", "text": "x"}, "channel_not_found"),
    "blocks that are no list": ({"text": "x", "blocks": '{"type": "divider"}'}, "invalid_blocks_format"),
    "metadata without a type": ({"text": "x", "metadata": '{"event_payload": {}}'}, "invalid_metadata_format"),
}


@pytest.mark.parametrize("case", REFUSED_MESSAGES)
async def test_messages_that_cannot_stand_are_refused(slack: Place, case: str) -> None:
    arguments, error = REFUSED_MESSAGES[case]

    with pytest.raises(SlackApiError) as refused:
        await slack.client.api_call("chat.postMessage", params={"channel": slack.channel, **arguments})

    assert refused.value.response["error"] == error


async def test_what_is_not_there_cannot_be_edited(slack: Place) -> None:
    with pytest.raises(SlackApiError) as refused:
        await slack.client.chat_update(channel=slack.channel, ts="1000000000.000001", text="x")

    assert refused.value.response["error"] == "message_not_found"


async def test_a_made_up_trigger_opens_nothing(slack: Place) -> None:
    view = {"type": "modal", "title": plain("T"), "blocks": [{"type": "divider"}]}

    with pytest.raises(SlackApiError) as refused:
        await slack.client.views_open(trigger_id="1.2.abc", view=view)

    assert refused.value.response["error"] == "invalid_trigger_id"


async def test_a_token_that_is_not_ours_is_refused(slack: Place) -> None:
    with pytest.raises(SlackApiError) as refused:
        await slack.client.auth_test(token="xoxb-wrong")

    assert refused.value.response["error"] == "invalid_auth"
