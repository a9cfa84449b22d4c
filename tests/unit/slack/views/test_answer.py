"""An answer reads like a colleague's message: no yes where a figure was asked for, and nothing twice."""

import pytest

from bot.core.messages.investigation import AnswerContent
from bot.core.questions.answering import Finding, QuestionAnswer
from bot.core.questions.forms import wants_value
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict
from bot.slack.view_context import ViewContext
from bot.slack.views.answer import render

NOW_IS = "checkout errors is 21.1 % now, usually 0 %"


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
    again = Finding(lines=[f"{NOW_IS}; beyond its threshold", NOW_IS], evidence=["E1"])
    other = Finding(lines=["payments errors stayed normal"], evidence=["E2"])

    text = shown("error rate now?", again, other)

    assert text.count("21.1 %") == 2 and "payments errors stayed normal" in text, "once in the push text, once below"
