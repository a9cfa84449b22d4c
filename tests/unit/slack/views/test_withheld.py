"""The notice about what its own channel refuses: whom it calls, why, and what to do; nothing of what fires."""

import json
from typing import Any

import pytest

from bot.core.config.services import Person
from bot.core.messages.alerts import LineContent, StormContent
from bot.core.messages.content import Content
from bot.core.messages.withheld import WithheldContent
from bot.slack.blocks import check_blocks
from bot.slack.view_context import ViewContext
from bot.slack.views import withheld
from tests.messages.words import words_of
from tests.unit.builders import NOW
from tests.unit.slack.contents import NASTY, card_content, group, proposal_content

PEOPLE = {"bob": Person(slack="U2"), "dave": Person(slack="U4")}
ALERT = {"summary": "5xx ratio is 7.4 %", "title": "HighErrorRate", "service": "checkout"}


def notice(original: Content | None = None, mention: tuple[str, ...] = ("U1",), **values: Any) -> tuple[str, str]:
    """Fallback, and everything in the blocks."""
    fields = {"ref": "AL-3", "severity": "SEV1", "channel": "C1", "reason": "is_archived", "wanted_at": NOW, **values}
    content = WithheldContent(original=original or card_content(**ALERT), **fields)
    text, blocks = withheld.render(content, ViewContext(mention=mention, people=PEOPLE, on_call=["bob"]))
    assert not check_blocks(blocks)
    return text, json.dumps(blocks, ensure_ascii=False)


def test_it_calls_the_on_call_and_says_what_cannot_be_shown_why_and_what_to_do() -> None:
    text, shown = notice()

    assert "<@U1> " in shown and "*SEV1* AL-3 cannot be shown in its own channel <#C1>: Slack refuses it" in shown
    assert "because it is archived" in shown and "Invite Tocsin there again" in shown and "`tocsin show AL-3`" in shown
    assert text == "Severity 1: AL-3 cannot be shown in its own channel: it is archived"


@pytest.mark.parametrize("original", [card_content(**ALERT), StormContent(groups=[group(**ALERT)]), LineContent(text=NASTY)])
def test_it_names_no_service_alert_cause_or_words_of_the_message(original: Content) -> None:
    shown = " ".join(notice(original))

    assert not [word for word in ("checkout", "HighErrorRate", "7.4", "deploy", "attacker", "second line") if word in shown]
    assert "<!" not in shown


def test_the_notice_of_a_proposal_calls_those_who_can_approve_until_it_is_decided() -> None:
    assert "<@U2> " in notice(proposal_content(), ref="AP-1")[1]
    assert "Proposal AP-1 cannot be shown" in notice(proposal_content(), ref="AP-1")[0]
    assert "<@" not in notice(proposal_content({"state": "expired"}), ref="AP-1")[1]


def test_a_reason_that_is_not_known_is_said_in_plain_words_too() -> None:
    assert "Tocsin may not post there" in notice(reason="restricted_action_thread_only_channel")[1]


def test_once_it_can_be_shown_the_notice_says_that_and_nothing_else() -> None:
    text, shown = notice(reason="")

    assert text == "AL-3 can be shown again"
    assert text in shown and "<@" not in shown and "C1" not in shown


def test_it_is_short() -> None:
    content = WithheldContent(
        original=card_content(), ref="AL-3", severity=None, channel="C1", reason="is_archived", wanted_at=NOW
    )

    assert words_of(withheld.render(content, ViewContext())[1]) <= 60
