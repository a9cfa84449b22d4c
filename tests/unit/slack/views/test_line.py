"""The line that says what an open group is about now, and what else began with it."""

import json

from bot.core.alert import Severity
from bot.core.messages.alerts import BurstService
from bot.slack.blocks import check_blocks
from tests.messages.words import text_of
from tests.unit.builders import at
from tests.unit.slack.contents import NASTY, rendered_renewed

BESIDE = [BurstService("payments", ["HighErrorRate", "PodErrorRate"]), BurstService("storefront", ["ErrorBudgetBurn"])]


def test_the_line_says_what_fires_since_when_in_the_readers_own_time_and_calls_the_on_call() -> None:
    text, blocks = rendered_renewed(mention=["U1"], reason="checkout depends on payments", again=True)

    shown = json.dumps(blocks, ensure_ascii=False)
    assert "<@U1> " in shown and "*SEV2:* HighErrorRate on checkout fires again since <!date^" in shown
    assert "(checkout depends on payments)" in shown
    assert text == "SEV2: HighErrorRate on checkout fires again since 03:00:00 UTC"


def test_what_fires_since_another_day_than_its_line_is_told_with_the_day() -> None:
    text, blocks = rendered_renewed(written_at=at(24 * 60))

    assert "since <!date^1772334000^{date_short_pretty} {time_secs}|" in str(blocks)
    assert text == "SEV2: HighErrorRate on checkout fires since 2026-03-01 03:00:00 UTC"


def test_the_line_lists_its_burst_and_names_where_it_may_come_from() -> None:
    text, blocks = rendered_renewed(beside=BESIDE, origin="payments")

    shown = text_of(blocks)
    assert "With it: payments (HighErrorRate, PodErrorRate), storefront (ErrorBudgetBurn)" in shown
    assert "*Suspected origin:* payments" in shown
    assert text.endswith(", with payments, storefront. Suspected origin: payments")


def test_an_alert_that_is_milder_than_its_card_says_what_the_card_stays() -> None:
    text, blocks = rendered_renewed(severity=Severity.SEV3, reason="checkout depends on payments")

    assert text == "SEV3: HighErrorRate on checkout fires since 03:00:00 UTC; the card stays SEV2"
    assert "(checkout depends on payments); the card stays SEV2" in text_of(blocks)


def test_what_the_line_leaves_out_is_counted() -> None:
    many = [BurstService(f"s{n}", [f"Alert{k}" for k in range(5)]) for n in range(9)]

    shown = text_of(rendered_renewed(beside=many)[1])

    assert "s5 (Alert0, Alert1, Alert2, 2 more) and 3 more services" in shown and "s6" not in shown


def test_names_of_others_make_no_mention_and_no_card() -> None:
    text, blocks = rendered_renewed(alert=NASTY, alert_service=NASTY, beside=[BurstService(NASTY, [NASTY])], origin=NASTY)

    parsed = json.dumps([block for block in blocks if block["type"] != "rich_text"])
    assert "<!channel>" not in json.dumps(blocks) + text and "*APPROVED*" not in parsed + text
    assert check_blocks(blocks) == []
