"""Which questions are answered for all that is open, and which are about one of them."""

import pytest

from bot.core.questions.broad_questions import BroadQuestion, broad_question

SERVICES = frozenset({"checkout", "payments"})


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what is going on?", BroadQuestion.OVERVIEW),
        ("wtf is going on", BroadQuestion.OVERVIEW),
        ("status?", BroadQuestion.OVERVIEW),
        ("how bad is it?", BroadQuestion.OVERVIEW),
        ("since when?", BroadQuestion.OVERVIEW),
        ("who's on it?", BroadQuestion.OVERVIEW),
        ("do we know what's going on?", BroadQuestion.OVERVIEW),
        ("is it over?", BroadQuestion.OVER),
        ("is everything ok?", BroadQuestion.OVER),
        ("all clear?", BroadQuestion.OVER),
        ("did it recover?", BroadQuestion.OVER),
        ("are we back?", BroadQuestion.OVER),
        ("still firing?", BroadQuestion.FIRING),
        ("is anything wrong?", BroadQuestion.FIRING),
        ("is anyone on it?", BroadQuestion.ASSIGNED),
        ("is anyone working on it?", BroadQuestion.ASSIGNED),
        ("are people working on this", BroadQuestion.ASSIGNED),
        ("who is on call right now?", BroadQuestion.ON_CALL),
        ("what is affected?", BroadQuestion.EXTENT),
        ("what changed today?", BroadQuestion.CHANGES),
        ("any deploys in the last hour?", BroadQuestion.CHANGES),
        ("who deployed what?", BroadQuestion.CHANGES),
    ],
)
def test_a_question_without_a_word_that_belongs_to_one_of_them_is_about_all(question: str, kind: BroadQuestion) -> None:
    assert broad_question(question, SERVICES) is kind


@pytest.mark.parametrize(
    "question",
    [
        "why is it failing?",
        "what is the cause?",
        "is it the database?",
        "is it the deploy?",
        "did the rollback help?",
        "is it rolled back?",
        "what should I do?",
        "is payments ok?",
        "what changed in payments?",
        "what is going on with the queue?",
        "did bob deploy something?",
        "is bob on call?",
        "is it over 5 %?",
        "will it be over soon?",
        "can I close this?",
        "is anything else firing?",
        "is it slow?",
        "is anybody up?",
        "are you up?",
        "are you working?",
    ],
)
def test_a_question_for_a_cause_a_thing_or_a_person_is_about_one(question: str) -> None:
    assert broad_question(question, SERVICES) is None


@pytest.mark.parametrize("question", ["isn't it over yet?", "is anything not ok?"])
def test_a_negated_question_gets_no_yes_that_could_be_read_as_either(question: str) -> None:
    assert broad_question(question, SERVICES) is BroadQuestion.OVERVIEW
