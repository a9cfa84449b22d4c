"""Questions as tired people ask them: half a sentence, a denial, a cause in other words."""

import pytest

from bot.core.evidence import Findings
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.yes_no.short_answers import short_answer
from tests.unit.builders import change
from tests.unit.core.questions.yes_no.test_short_answers import CART, CHANGES, DEPLOY, HEALTH, entry, facts, verdict

LIKELY = {"findings": Findings(hypotheses=[DEPLOY])}
FLAG = entry("E6", "recent_changes", EvidenceFacts(changes=(change("a"), change("b", "cart", kind="flag", author="dave"))))


@pytest.mark.parametrize(
    "question", ["and cart?", "checkout?", "what's up with checkout?", "whats wrong w/ cart", "hows cart rn"]
)
def test_a_service_without_a_state_gets_what_was_measured_and_no_yes_or_no(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CART, CHANGES))

    assert short is None or (short.verdict, short.opening) == ("unknown", "Measured:")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("so checkout is the root of this?", "yes"),
        ("so cart is the root of this?", "no"),
        ("did the deploy do this", "yes"),
        ("did dave's flag do this", "no"),
        ("its not cart right", "yes"),
        ("it's not the deploy, is it", "no"),
    ],
)
def test_a_cause_in_other_words_is_asked_of_the_ranking(question: str, expected: str) -> None:
    assert verdict(question, HEALTH, CART, FLAG, **LIKELY)[0] == expected


@pytest.mark.parametrize("question", ["is anybody deploying rn?", "is a deploy in progress?", "are we releasing something"])
def test_a_change_that_was_made_is_none_that_is_being_made(question: str) -> None:
    assert verdict(question, CHANGES)[0] == "unknown"


@pytest.mark.parametrize("question", ["timeouts on checkout?", "does cart time out?", "any time-outs on cart"])
def test_how_slow_a_service_is_decides_nothing_about_timeouts(question: str) -> None:
    assert verdict(question, HEALTH, CART)[0] == "unknown"
