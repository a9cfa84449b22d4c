"""Rates, triggers, inputs and delivered patches of Slack's stand-in."""

import pytest

from bot.sandbox.workspace.acts import merged
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.inputs import refused_by_client, state_of
from bot.sandbox.workspace.limits import Rate
from bot.sandbox.workspace.rates import RateLimits
from bot.sandbox.workspace.signed import sign
from bot.sandbox.workspace.triggers import ResponseUrl

SELECT = {
    "type": "static_select",
    "action_id": "sev",
    "options": [
        {"text": {"type": "plain_text", "text": "SEV1"}, "value": "1"},
        {"text": {"type": "plain_text", "text": "SEV2"}, "value": "2"},
    ],
}
TEXT = {"type": "plain_text_input", "action_id": "words", "min_length": 3}
BLOCKS = [{"type": "input", "block_id": "a", "element": SELECT}, {"type": "input", "block_id": "b", "element": TEXT}]


def test_one_message_a_second_a_channel_after_a_short_burst() -> None:
    limits = RateLimits()
    for _ in range(3):
        limits.check("chat.postMessage", "C0", at=100.0)

    with pytest.raises(Refused) as refused:
        limits.check("chat.postMessage", "C0", at=100.1)

    assert refused.value.retry_after == 1
    limits.check("chat.postMessage", "C1", at=100.1)
    limits.check("chat.postMessage", "C0", at=101.1)


def test_a_changed_rate_forgets_what_was_used() -> None:
    limits = RateLimits()
    limits.change("chat.update", Rate(burst=1, per_second=0.5))
    limits.check("chat.update", "C0", at=0.0)

    with pytest.raises(Refused) as refused:
        limits.check("chat.update", "C1", at=0.0)

    assert refused.value.retry_after == 2


def test_a_response_url_dies_after_half_an_hour() -> None:
    url = ResponseUrl("U1", "C0", made_at=0.0)
    url.use(1799.0)

    with pytest.raises(Refused, match="expired_url"):
        url.use(1801.0)


def test_plain_values_become_typed_ones() -> None:
    values = state_of(BLOCKS, {"sev": "2", "b": "because"})

    assert values["a"]["sev"]["selected_option"]["text"]["text"] == "SEV2"
    assert values["b"]["words"] == {"type": "plain_text_input", "value": "because"}


def test_what_slack_itself_would_not_submit_is_named_by_block() -> None:
    errors = refused_by_client(BLOCKS, state_of(BLOCKS, {"words": "no"}))

    assert set(errors) == {"a", "b"}


def test_a_patch_reaches_into_a_payload_and_null_removes() -> None:
    payload = {"user": {"id": "U1", "team_id": "T1"}, "token": "x"}

    assert merged(payload, {"user": {"id": "U2"}, "token": None}) == {"user": {"id": "U2", "team_id": "T1"}}


def test_the_signature_is_the_one_of_slacks_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    signature = sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)

    assert signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
