"""Who made a change is told by its record, whoever is named in the question."""

import pytest

from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.answering import ModelAnswer, answer, with_model_answer
from bot.core.questions.yes_no.short_answers import short_answer
from tests.unit.builders import change
from tests.unit.core.questions.yes_no.test_short_answers import entry, facts

DEPLOY = change("a", "cart", version="3.5.0", author="alice")
CHANGES = entry("E3", "recent_changes", EvidenceFacts(changes=(DEPLOY, change("b", "payments", author="carol"))))
CAUSE = Hypothesis(
    cause="deploy 3.5.0 of cart", service="cart", kind="change", confidence="likely", change_id=DEPLOY.id,
    claims=[Claim(text="errors rose after it", evidence=["E3"])],
)  # fmt: skip
FACTS = facts(CHANGES, findings=Findings(hypotheses=[CAUSE]))


@pytest.mark.parametrize(
    ("question", "expected", "text"),
    [
        ("was the cart deploy made by carol?", "no", "Deploy of cart at 02:55:00 UTC is by alice"),
        ("did carol deploy 3.5.0", "no", "Deploy of cart at 02:55:00 UTC is by alice"),
        ("is carol the author of the cart deploy?", "no", "Deploy of cart at 02:55:00 UTC is by alice"),
        ("was the cart deploy made by alice?", "yes", "1 deploy by alice on cart"),
        ("was the cart deploy made by zed?", "unknown", "Deploy of cart at 02:55:00 UTC is by alice"),
        ("made by carol?", "unknown", "1 change, the newest: deploy of payments at 02:55:00 UTC; the likely cause is another"),
        ("made by alice?", "unknown", "1 change, the newest: deploy of cart at 02:55:00 UTC; the likely cause is one of them"),
    ],
)
def test_a_change_of_another_author_is_told_with_that(question: str, expected: str, text: str) -> None:
    short = short_answer(question, FACTS)

    assert short is not None and (short.verdict, short.text[: len(text)]) == (expected, text)


def test_a_source_that_names_no_author_leaves_open_who_it_was() -> None:
    unnamed = entry(
        "E3", "recent_changes", EvidenceFacts(changes=(change("a", "cart"), change("b", "payments", author="carol")))
    )
    short = short_answer("was the cart deploy made by carol?", facts(unnamed))

    assert short is not None and short.verdict == "unknown"


def test_a_model_makes_no_yes_of_a_sentence_whose_author_was_struck() -> None:
    question = "is the version of cart that carol deployed bad?"
    claim = Claim(text="Yes, carol deployed 3.5.0 of cart.", evidence=["E3"])
    model = ModelAnswer(claims=[claim], verdict="yes", stop_reason="answered")
    best = with_model_answer(answer(question, FACTS), model, FACTS, question)

    assert best.short is not None and best.short.verdict != "yes"
    assert all("carol" not in line for finding in best.findings for line in finding.lines)
