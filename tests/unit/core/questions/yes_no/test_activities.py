"""Questions about what was done here, and what is to be done: answered from the record, not with the causes."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.answering import answer
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.timeline import TimelineEntry
from tests.unit.builders import at, change
from tests.unit.core.questions.yes_no.test_short_answers import HEALTH, current, entry, facts

PROPOSED = TimelineEntry(id="T1", at=at(0), kind="proposal", text="AP-1 proposed: Roll back checkout", who="tocsin")
RAN = TimelineEntry(id="T2", at=at(9), kind="action", text="AP-1 ran: POST answered 200", who="tocsin")
RECOVERED = RAN.model_copy(update={"id": "T3", "text": "Recovered after AP-1: errors: 0 %"})
CLAIM = Claim(text="errors rose after it", evidence=["E1"])
CAUSE = Hypothesis(cause="deploy v2 of checkout", service="checkout", kind="change", claims=[CLAIM])


@pytest.mark.parametrize("question", ["what did you do?", "what has been done?", "which actions ran?"])
def test_what_was_done_is_told_with_the_actions_that_ran_and_not_with_the_cause(question: str) -> None:
    known: Any = {"findings": Findings(hypotheses=[CAUSE])}
    just_ran = answer(question, facts(HEALTH, timeline=[PROPOSED, RAN], **known))
    later = answer(question, facts(HEALTH, timeline=[PROPOSED, RAN, RECOVERED], **known))
    none = answer(question, facts(HEALTH, timeline=[PROPOSED], **known))

    assert just_ran.short and just_ran.short.lead == "What ran here:" and just_ran.findings == []
    assert just_ran.short.text.startswith("AP-1 (Roll back checkout) at ") and "POST answered 200" in just_ran.short.text
    assert later.short and "Recovered: errors: 0 %" in later.short.text
    assert none.short and none.short.lead == "No action ran here:"


@pytest.mark.parametrize(("seconds", "named"), [(34, True), (3600, False)])
def test_whether_it_still_fails_is_told_beside_the_action_that_ran_shortly_before(seconds: int, named: bool) -> None:
    read = entry(
        "E9", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=True),)), service="checkout"
    )
    ran = RAN.model_copy(update={"at": read.at - timedelta(seconds=seconds)})
    still = short_answer("is it still failing?", facts(HEALTH, read, timeline=[PROPOSED, ran]))

    assert still is not None and still.verdict == "yes"
    assert still.text.endswith("; AP-1 (Roll back checkout) ran 34 s before that") is named


def test_whether_to_roll_back_is_told_with_what_the_ranking_says_of_the_change() -> None:
    cleared = Claim(text="deploy 2.0.0 of cart: its errors came from checkout errors", evidence=["E3"])
    changes = entry("E3", "recent_changes", EvidenceFacts(changes=(change("a", service="cart"),)))
    known = facts(HEALTH, changes, findings=Findings(hypotheses=[CAUSE], ruled_out=[cleared]))
    of_cart, of_checkout = (short_answer(f"should we roll back {name}?", known) for name in ("cart", "checkout"))

    assert of_cart is not None and (of_cart.verdict, of_cart.text) == ("no", f"Ruled out: {cleared.text}")
    assert of_checkout is not None and of_checkout.lead == "For people to decide:"


def test_where_no_rota_was_read_nobody_is_said_to_be_on_call() -> None:
    assert short_answer("who is on call?", facts(HEALTH)) is None
