"""What became of a proposal: who decided, whether it ran and helped; yes or no only where that was decided."""

from typing import Any

import pytest

from bot.core.action import Decision, DecisionChoice, ProposalState
from bot.core.evidence import Findings
from bot.core.questions.answer_facts import ProposalRecord, WaitingProposal
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.questions.yes_no.verdicts import ShortAnswer
from tests.unit.builders import at
from tests.unit.core.questions.yes_no.test_short_answers import DEPLOY, HEALTH, facts


def decided(person: str, verdict: str, minutes: float = 2) -> Decision:
    choice = DecisionChoice(verdict)
    return Decision(proposal="AP-1", revision=1, person=person, verdict=choice, reason="", at=at(minutes))


def rollback(state: str, *decisions: Decision, **fields: Any) -> ProposalRecord:
    return ProposalRecord("AP-1", "Roll back checkout", ProposalState(state), decisions, **fields)


WAITS = rollback("pending")
DENIED = rollback("denied", decided("bob", "deny"))
APPROVED = rollback("approved", decided("alice", "approve"))
HELPED = rollback(
    "succeeded", decided("alice", "approve"), outcome="POST answered 200.", verification="recovered: errors 0 %", steps_begun=1
)
IN_VAIN = rollback("not recovered", decided("alice", "approve"), verification="not recovered: errors 12 %", steps_begun=1)


def asked(question: str, *records: ProposalRecord) -> ShortAnswer | None:
    return short_answer(question, facts(HEALTH, proposal_records=records))


@pytest.mark.parametrize(
    ("question", "record", "expected"),
    [
        ("was AP-1 approved?", WAITS, "no"),
        ("was AP-1 approved?", DENIED, "no"),
        ("was AP-1 approved?", APPROVED, "yes"),
        ("has the rollback been approved yet?", HELPED, "yes"),
        ("was it approved?", HELPED, "yes"),
        ("was AP-1 denied?", DENIED, "yes"),
        ("did bob deny AP-1?", DENIED, "yes"),
        ("did alice deny AP-1?", APPROVED, "no"),
        ("did the rollback run?", WAITS, "no"),
        ("did the rollback run?", DENIED, "no"),
        ("did the rollback of checkout run?", HELPED, "yes"),
        ("did the rollback work?", HELPED, "yes"),
        ("did it help?", HELPED, "yes"),
        ("has the fix worked?", HELPED, "yes"),
        ("did the rollback actually work?", HELPED, "yes"),
        ("did AP-1 work?", IN_VAIN, "no"),
        ("did AP-1 fail?", HELPED, "no"),
    ],
)
def test_what_was_decided_and_what_came_of_it_answers_yes_or_no(question: str, record: ProposalRecord, expected: str) -> None:
    short = asked(question, record)

    assert short is not None and (short.verdict, short.evidence) == (expected, ["AP-1"])


@pytest.mark.parametrize(
    ("question", "record"),
    [
        ("did AP-1 run?", APPROVED),
        ("did AP-1 work?", WAITS),
        ("did AP-1 fail?", IN_VAIN),
        ("was AP-1 approved by carol?", HELPED),
        ("did carol approve AP-1?", HELPED),
        ("was it approved by bob?", WAITS),
        ("was AP-1 not approved?", HELPED),
        ("was AP-1 approved and did it work?", HELPED),
        ("would AP-1 work?", HELPED),
        ("was AP-1 approved before the deploy?", HELPED),
    ],
)
def test_what_was_not_read_or_is_not_known_yet_gets_what_is_recorded_and_no_yes_or_no(
    question: str, record: ProposalRecord
) -> None:
    short = asked(question, record)

    assert short is not None and short.verdict == "unknown"
    assert f"{short.lead} {short.text}".startswith("Recorded: AP-1 (Roll back checkout)")


def test_who_decided_is_told_with_what_came_of_it() -> None:
    short = asked("who approved the rollback?", HELPED)

    assert short is not None
    assert (
        short.text
        == "AP-1 (Roll back checkout): approved by alice at 03:02 UTC; succeeded; POST answered 200; recovered: errors 0 %"
    )


@pytest.mark.parametrize("question", ["did we roll back?", "is it rolled back?", "was checkout rolled back?"])
def test_what_was_only_proposed_is_told_where_it_is_asked_whether_it_was_done(question: str) -> None:
    short = asked(question, WAITS)

    assert short is not None and short.verdict == "unknown"
    assert short.text.startswith("AP-1 (Roll back checkout) waits for approval; nobody has decided; what people did elsewhere")


def test_a_proposal_of_elsewhere_is_not_known_here() -> None:
    short = asked("was AP-7 approved?", HELPED)

    assert short is not None and f"{short.lead} {short.text}" == "Not known: AP-7 is no proposal of AL-1"


@pytest.mark.parametrize(
    "question", ["was the deploy approved?", "did checkout fail?", "are requests denied?", "does cart work?"]
)
def test_a_question_for_something_else_is_not_about_the_proposals(question: str) -> None:
    short = asked(question, HELPED)

    assert short is not None and short.evidence != ["AP-1"]


@pytest.mark.parametrize("question", ["should I approve AP-1?", "is it safe to run AP-1?"])
def test_whether_to_approve_is_for_people(question: str) -> None:
    short = asked(question, WAITS)

    assert short is not None and short.lead.startswith("For people to decide")


@pytest.mark.parametrize(
    "question",
    [
        "who approved it?",
        "who pressed approve?",
        "who hit the approve button",
        "who aproved it",
        "who gave it the ok",
        "who okayed it",
        "who signed off on it",
    ],
)
def test_who_approved_is_told_also_where_nobody_did(question: str) -> None:
    helped, waits, none = asked(question, HELPED), asked(question, WAITS), asked(question)

    assert helped is not None and "approved by alice at 03:02 UTC" in helped.text
    assert waits is not None and waits.text == "AP-1 (Roll back checkout) waits for approval; nobody has decided"
    assert none is not None and none.text == "AL-1 has no proposal; what people approved elsewhere is not recorded"


def test_who_approved_another_thing_is_not_who_approved_the_proposal() -> None:
    short = asked("who approved the restart?", HELPED)

    assert short is not None and f"{short.lead} {short.text}" == (
        "No such proposal is recorded. Those that are, of AL-1: AP-1 (Roll back checkout)"
    )


UNDO = [
    "can we undo it?",
    "can we roll back?",
    "can i roll it back",
    "can it be reverted?",
    "is it possible to roll back?",
    "any way to undo this?",
    "can we go back to 3.4.0?",
    "undo?",
]


@pytest.mark.parametrize("question", UNDO)
def test_whether_it_can_be_undone_is_told_by_what_waits_and_who_may_approve(question: str) -> None:
    text = "AP-1 waits for approval: Roll back checkout. Who may approve: checkout on-call."
    known = facts(HEALTH, proposals=(WaitingProposal("AP-1", text),), proposal_records=[WAITS])
    short = short_answer(question, known)

    assert short is not None and (short.verdict, f"{short.lead} {short.text}") == ("unknown", f"For people to decide: {text}")


@pytest.mark.parametrize("question", UNDO)
def test_where_nothing_waits_that_is_told_with_what_ran_and_the_likely_cause(question: str) -> None:
    ran = short_answer(question, facts(HEALTH, proposal_records=[IN_VAIN]))
    none = short_answer(question, facts(HEALTH, findings=Findings(hypotheses=[DEPLOY])))

    assert ran is not None and ran.verdict == "unknown"
    assert ran.text.startswith("no proposal waits for approval; AP-1 (Roll back checkout): approved by alice at 03:02 UTC; ")
    assert none is not None and none.text == "no proposal waits for approval; likely cause: deploy v2 of checkout"


def test_what_waits_for_another_service_is_no_answer() -> None:
    known = facts(HEALTH, proposals=(WaitingProposal("AP-1", "AP-1 waits for approval: Roll back checkout."),))
    short = short_answer("can we roll back cart?", known)

    assert short is not None and short.text == "no proposal on cart waits for approval"


@pytest.mark.parametrize("question", ["can the rollback fail?", "could the rollback be the cause?", "can you restart cart?"])
def test_another_question_of_what_can_be_is_not_whether_it_can_be_undone(question: str) -> None:
    short = short_answer(question, facts(HEALTH))

    assert short is None or not short.text.startswith("no proposal")


def test_whether_it_worked_is_not_asked_of_the_service_where_nothing_ran() -> None:
    waits, none = asked("did it work?", WAITS), asked("did it work?")

    assert waits is not None and waits.text == "AP-1 (Roll back checkout) waits for approval; nobody has decided"
    assert none is not None and f"{none.lead} {none.text}" == (
        "Not known: no action ran here, and what people did elsewhere is not recorded"
    )


FREE = "No pause, stop or freeze holds automated actions back here"


@pytest.mark.parametrize(
    ("question", "held", "free"),
    [
        ("is automation paused?", "Yes. paused by alice", f"No. {FREE}"),
        ("is tocsin stopped?", "Yes. paused by alice", f"No. {FREE}"),
        ("are we in a freeze?", "Yes. paused by alice", f"No. {FREE}"),
        ("who paused automation?", "Recorded: paused by alice", f"Recorded: {FREE}"),
    ],
)
def test_whether_automation_is_held_is_told_by_the_switches_and_not_by_log_lines(question: str, held: str, free: str) -> None:
    shorts = [short_answer(question, facts(HEALTH, holds=holds)) for holds in (["paused by alice"], [])]

    assert [f"{short.lead} {short.text}" for short in shorts if short] == [held, free]


@pytest.mark.parametrize(
    "question",
    [
        "is the rollout paused?",
        "is the page frozen?",
        "has the action stopped the errors?",
        "did the bot pause the consumer?",
        "is the consumer paused by the bot?",
        "did the deployment freeze the app?",
    ],
)
def test_what_else_is_paused_or_frozen_is_no_automation(question: str) -> None:
    short = short_answer(question, facts(HEALTH, holds=["paused by alice"]))

    assert short is None or "alice" not in short.text
