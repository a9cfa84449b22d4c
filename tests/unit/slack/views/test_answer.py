"""An answer reads like a colleague's message: no yes where a figure was asked for, and nothing twice."""

from typing import Any

import pytest

from bot.core.messages.investigation import AnswerContent
from bot.core.questions.answering import Finding, QuestionAnswer
from bot.core.questions.parsing.forms import wants_value
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict
from bot.slack.view_context import ViewContext
from bot.slack.views.answer import render
from tests.messages.words import text_of

NOW_IS = "checkout errors: 21.1 % now, above the threshold of 5 %, usually 0 %"


def shown(question: str, *findings: Finding) -> str:
    short = ShortAnswer(verdict=Verdict.YES, text=NOW_IS, evidence=["E1"])
    answer = QuestionAnswer(short=short, findings=list(findings))
    content = AnswerContent(ref="AL-1", question=question, requester="alice", answer=answer, evidence=())
    text, blocks = render(content, ViewContext())
    return text + "\n" + str(blocks)


@pytest.mark.parametrize("question", ["error rate now?", "how many errors right now?", "checkout latency at the moment"])
def test_a_figure_that_was_asked_for_is_told_without_a_yes(question: str) -> None:
    assert wants_value(question) and "Yes" not in shown(question) and NOW_IS in shown(question)


@pytest.mark.parametrize("question", ["is checkout slow now?", "are there errors now?", "does it fail right now?"])
def test_a_yes_that_was_asked_for_is_told(question: str) -> None:
    assert not wants_value(question) and "*Yes.*" in shown(question)


def test_what_was_just_said_is_not_said_again() -> None:
    again = Finding(lines=[f"{NOW_IS}; 2 of 8 signals are in trouble now", NOW_IS], evidence=["E1"])
    other = Finding(lines=["payments errors stayed normal"], evidence=["E2"])

    text = shown("error rate now?", again, other)

    assert text.count("21.1 %") == 2 and "payments errors stayed normal" in text, "once in the push text, once below"


def answered(question: str, **values: Any) -> str:
    content = AnswerContent(ref="AL-1", question=question, requester="alice", answer=QuestionAnswer(**values), evidence={})
    return text_of(render(content, ViewContext())[1])


def test_what_waits_for_approval_is_told_to_whoever_asks_for_it_and_to_nobody_else() -> None:
    values: dict[str, Any] = {
        "findings": [Finding(lines=["orders-db stayed normal"], evidence=["E1"])],
        "waiting": ["AP-1 waits for approval: Roll back pay. Who may approve: bob."],
    }

    assert "AP-1 waits" in answered("who may approve it?", **values)
    assert "AP-1" not in answered("is it the database?", **values)


def test_after_a_no_two_findings_follow_in_one_line_each_and_the_rest_of_the_evidence_is_counted() -> None:
    no = ShortAnswer(verdict=Verdict.NO, text="11 signals stayed normal", evidence=[f"E{n}" for n in range(1, 12)])
    findings = [Finding(lines=[f"signal {n} stayed normal", f"detail {n}"], evidence=[f"E{n}"]) for n in range(1, 5)]

    text = answered("is it the database?", short=no, findings=findings)

    assert "11 signals stayed normal (E1, E2, E3) and 8 more" in text
    assert "signal 2 stayed normal" in text and "signal 3" not in text and "detail" not in text


def test_what_the_next_step_names_is_followed_by_who_may_approve_it_and_then_by_what_else_waits() -> None:
    waiting = [f"AP-{n} waits for approval: Roll back pay. Who may approve: {who}." for n, who in ((1, "bob"), (2, "eve"))]
    content = AnswerContent(
        ref="AL-1",
        question="what should I do?",
        requester="alice",
        answer=QuestionAnswer(waiting=waiting),
        evidence={},
        next_step="approve or deny AP-2 (Roll back pay)",
    )

    text = text_of(render(content, ViewContext())[1])

    assert "*Next:* approve or deny AP-2 (Roll back pay)\n*Who may approve:* eve.\n*Waiting:* AP-1 waits" in text


def test_a_line_that_begins_with_one_of_several_things_just_said_is_not_said_again() -> None:
    short = ShortAnswer(verdict=Verdict.YES, text=f"{NOW_IS}; checkout latency is 2 s now", evidence=["E1"])
    again = Finding(lines=[f"{NOW_IS}; 2 of 8 signals are in trouble now"], evidence=["E1"])

    assert "2 of 8 signals" not in answered("error rate now?", short=short, findings=[again])
