"""Questions about people: who is on call is read from the rota, and nobody is blamed for an outage."""

import pytest

from bot.core.approvals.roster import OnCallNow
from bot.core.evidence import Findings
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.yes_no.short_answers import short_answer
from tests.unit.builders import change
from tests.unit.core.questions.yes_no.test_short_answers import DEPLOY, HEALTH, entry, facts

CHANGES = entry(
    "E3", "recent_changes", EvidenceFacts(changes=(change("a", author="alice"), change("b", author="bob", minutes_before=9)))
)
LIKELY = Findings(hypotheses=[DEPLOY.model_copy(update={"change_id": "test:a"})])


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("is dana on call?", "Yes. On call for checkout now: dana, erin"),
        ("is alice on call for cart now?", "No. On call for cart now: dana, erin"),
        ("is dana on call tomorrow?", "On call for checkout now: dana, erin"),
        ("is anyone on call?", "On call for checkout now: dana, erin"),
        ("who is on call for cart?", "On call for cart now: dana, erin"),
        ("oncall?", "On call for checkout now: dana, erin"),
        ("whos oncall for cart", "On call for cart now: dana, erin"),
    ],
)
def test_whether_a_person_is_on_call_is_told_by_the_rota(question: str, sentence: str) -> None:
    short = short_answer(question, facts(HEALTH, on_call=OnCallNow(("dana", "erin"))))

    assert short is not None and f"{short.lead} {short.text}" == sentence


@pytest.mark.parametrize("question", ["who is on call?", "is dana on call?"])
@pytest.mark.parametrize(
    ("called", "instead"),
    [(("erin",), "erin (`default_on_call`) is called instead"), ((), "`default_on_call` names nobody")],
)
def test_a_rota_that_cannot_be_read_is_told_as_that(question: str, called: tuple[str, ...], instead: str) -> None:
    short = short_answer(question, facts(HEALTH, on_call=OnCallNow(called, readable=False)))

    assert short is not None and (short.verdict, short.complete) == ("unknown", True)
    assert f"{short.lead} {short.text}" == f"On call for checkout now: not known, the rota cannot be read; {instead}"


@pytest.mark.parametrize("question", ["did alice break it?", "is it alice's fault?", "was it alice?", "is alice to blame?"])
def test_nobody_is_blamed_and_what_they_changed_is_told(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CHANGES, findings=LIKELY))

    assert short is not None and short.verdict == "unknown" and short.lead == "Recorded of alice:"
    assert short.text.startswith("1 change, the newest: ")
    assert short.text.endswith("the likely cause is one of them: deploy v2 of checkout")


def test_of_whom_changed_something_else_the_likely_cause_is_another() -> None:
    short = short_answer("did bob break it?", facts(HEALTH, CHANGES, findings=LIKELY))

    assert short is not None and short.verdict == "unknown"
    assert short.text.endswith("the likely cause is another: deploy v2 of checkout")


@pytest.mark.parametrize("question", ["who broke it?", "who caused this?", "whose fault is this?"])
def test_who_broke_it_gets_the_cause_and_no_name(question: str) -> None:
    likely = short_answer(question, facts(HEALTH, CHANGES, findings=LIKELY))
    unknown = short_answer(question, facts(HEALTH, CHANGES))

    assert likely is not None and (likely.lead, likely.text) == ("Likely cause:", "deploy v2 of checkout")
    assert unknown is not None and (unknown.lead, unknown.text) == ("I name causes, not people:", "no cause is likely yet")


@pytest.mark.parametrize("question", ["was it acked by bob?", "is it bob's turn?", "is bob's change the cause?"])
def test_a_person_who_is_named_beside_another_thing_is_not_what_it_is_about(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CHANGES, findings=LIKELY))

    assert short is not None and not short.lead.startswith("Recorded of")
