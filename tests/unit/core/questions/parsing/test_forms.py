"""The form of a question."""

import pytest

from bot.core.questions.parsing.forms import thing_in, wants_next_step


@pytest.mark.parametrize(
    "question",
    [
        "what should I do?",
        "What do we do now?",
        "what now?",
        "what's next?",
        "what is the next step?",
        "how do we fix it?",
        "what can I try",
    ],
)
def test_what_asks_for_the_next_step(question: str) -> None:
    assert wants_next_step(question)


@pytest.mark.parametrize(
    "question", ["what changed?", "what does payments do?", "is it the database?", "what did bob do?", "next?"]
)
def test_what_asks_for_something_else(question: str) -> None:
    assert not wants_next_step(question)


@pytest.mark.parametrize(
    ("question", "thing"), [("error rate now?", ""), ("latency", ""), ("is Prometheus down?", "Prometheus")]
)
def test_a_question_that_begins_with_what_is_measured_names_no_other_thing(question: str, thing: str) -> None:
    assert thing_in(question) == thing
