"""Severity, end, length, estimate and who works on it are told by the state of the incident; nothing is promised."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.core.evidence import Findings
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.incident import GroupState
from bot.core.questions.answer_facts import AnswerFacts, IncidentStatus, WaitingProposal
from bot.core.questions.answering import ModelAnswer, answer, with_model_answer
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, at
from tests.unit.core.questions.yes_no.test_short_answers import CASE, CHANGES, DEPLOY, HEALTH, current, entry, facts

LIKELY = Findings(hypotheses=[DEPLOY])
WAITING = WaitingProposal("AP-1", "AP-1 waits for approval: Roll back checkout. Who may approve: checkout on-call.")


EIGHT_MINUTES_IN = at(8)


def firing(now: datetime = EIGHT_MINUTES_IN, **values: Any) -> AnswerFacts:
    """An outage that fires since NOW."""
    status = {key: values.pop(key) for key in list(values) if key in IncidentStatus.__dataclass_fields__}
    state = GroupState.ACKNOWLEDGED if status.get("acknowledged_by") else GroupState.FIRING
    fields: dict[str, Any] = {"severity": "SEV2", "began_at": NOW, "now": now, **status}
    return facts(HEALTH, CHANGES, **{"group_state": state, "firing": 2, "status": IncidentStatus(**fields), **values})


def over(**values: Any) -> AnswerFacts:
    """The same outage, half an hour after it began: its alerts ended after a quarter of an hour."""
    return firing(at(30), **{"ended_at": at(15), "group_state": GroupState.MONITORING, "firing": 0, **values})


def sentence(question: str, known: AnswerFacts) -> str:
    short = short_answer(question, known)
    return f"{short.lead} {short.text}" if short else ""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("sev?", "Severity: AL-1 is SEV2"),
        ("whats the severity", "Severity: AL-1 is SEV2"),
        ("is this a sev2?", "Yes. AL-1 is SEV2"),
        ("is it sev 1", "No. AL-1 is SEV2"),
        ("are we sev1 or sev2?", "Severity: AL-1 is SEV2"),
    ],
)
def test_the_severity_is_that_of_the_group(question: str, expected: str) -> None:
    assert sentence(question, firing()) == expected


def test_of_two_severities_both_are_told() -> None:
    known = firing(incident="INC-1", incident_severity="SEV3")

    assert sentence("is it sev3?", known) == "Severity: AL-1 is SEV2; INC-1 was declared as SEV3"


@pytest.mark.parametrize(
    "question", ["should this be a sev1?", "why is it sev2?", "can we make it a sev1?", "severity of cart?"]
)
def test_another_question_that_names_a_severity_is_not_answered_by_it(question: str) -> None:
    assert "is SEV2" not in sentence(question, firing())


@pytest.mark.parametrize(
    "question",
    ["eta?", "any eta on checkout?", "when will it be fixed?", "when are we back up", "how much longer?",
     "any idea when this is fixed", "how long until its fixed"],
)  # fmt: skip
def test_no_end_is_promised_and_the_state_is_told(question: str) -> None:
    known = firing(proposals=(WAITING,), findings=LIKELY)

    assert sentence(question, known) == (
        "No estimate is recorded. How it stands: 2 alerts of AL-1 fire; the first since 03:00:00 UTC (8 min); "
        "AP-1 waits for approval: Roll back checkout. Who may approve: checkout on-call; likely cause: deploy v2 of checkout"
    )
    assert sentence(question, over()).startswith("Recorded: the last alert of AL-1 ended at 03:15:00 UTC")


@pytest.mark.parametrize(
    "question", ["when did it stop?", "when did it end?", "when was it over", "what time did checkout recover?"]
)
def test_the_end_is_when_the_last_alert_ended(question: str) -> None:
    ended = "the last alert of AL-1 ended at 03:15:00 UTC, 15 min after the first began"

    assert sentence(question, over()) == f"Recorded: {ended}"
    assert sentence(question, over(incident="INC-1", resolved_at=at(20), resolved_by="alice")) == (
        f"Recorded: {ended}; INC-1 was resolved by alice at 03:20:00 UTC"
    )
    assert sentence(question, firing()).startswith("It has not ended: 2 alerts of AL-1 fire")


def test_an_end_that_nobody_saw_is_told_as_that() -> None:
    assert sentence("when did it end?", over(end_confirmed=False)) == (
        "Recorded: no alert of AL-1 is reported since 03:15:00 UTC; not confirmed, since Prometheus could not be read"
    )


@pytest.mark.parametrize(("confirmed", "verdict"), [(True, "yes"), (False, "unknown")])
def test_it_is_over_only_where_the_end_of_its_alerts_is_confirmed(confirmed: bool, verdict: str) -> None:
    known = over(end_confirmed=confirmed)
    values = EvidenceFacts(current=(current("checkout", "errors", trouble=False),))
    well = entry("E9", "current_values", values, service="checkout")
    short = short_answer("is it over?", replace(known, ledger=[*known.ledger, well]))

    assert short is not None and short.verdict == verdict and ("not confirmed" in short.text) is not confirmed


def test_what_was_resolved_by_hand_while_it_fired_has_no_end_of_its_alerts() -> None:
    known = firing(resolved_at=at(6), resolved_by="bob", incident="INC-1", group_state=GroupState.RESOLVED)

    assert sentence("when did it end?", known) == (
        "Recorded: INC-1 was resolved by bob at 03:06:00 UTC while 2 alerts of AL-1 still fired"
    )


def test_what_a_person_declared_has_no_alerts_that_could_end() -> None:
    known = firing(case=CASE.model_copy(update={"declared": True}), incident="INC-1", firing=0)

    assert sentence("how long has it been?", known) == "So far: INC-1 is open since 03:00:00 UTC (8 min)"


@pytest.mark.parametrize("question", ["how long did it last?", "how long is it down", "how long was it down", "duration?"])
def test_the_length_is_from_the_first_alert_to_the_end_of_the_last(question: str) -> None:
    assert sentence(question, over()) == (
        "15 min: from 03:00:00 UTC, when the first alert of AL-1 began, to 03:15:00 UTC, when the last one ended"
    )
    assert sentence(question, firing()) == "So far: 2 alerts of AL-1 fire; the first since 03:00:00 UTC (8 min)"


@pytest.mark.parametrize(
    "question",
    ["when did checkout stop?", "when did it stop working?", "how long was cart down?", "when will it be rolled back?",
     "how long did the last outage last?", "when was it fine?", "how long has it been up?", "when did AL-2 end?"],
)  # fmt: skip
def test_a_question_about_another_moment_gets_no_end(question: str) -> None:
    assert not any(words in sentence(question, over()) for words in ("AL-1 ended", "15 min", "estimate"))


@pytest.mark.parametrize(
    "question", ["who took the site down?", "who took it down", "who owns this service?", "who owns checkout?"]
)
def test_who_broke_it_and_whose_service_it_is_are_other_questions(question: str) -> None:
    assert "acknowledged" not in sentence(question, firing(findings=LIKELY))


@pytest.mark.parametrize("question", ["who acked?", "who is on it?", "whos handling this one", "who has acknowledged it"])
def test_who_works_on_it_is_who_acknowledged_it_and_who_leads(question: str) -> None:
    known = firing(acknowledged_by="bob", acknowledged_at=at(2), incident="INC-1", commander="alice")

    assert sentence(question, known) == "Recorded: Acknowledged by bob at 03:02:00 UTC; alice leads INC-1"
    assert sentence(question, firing()) == "Recorded: Nobody has acknowledged it"


def test_who_leads_is_told_by_the_incident_alone() -> None:
    led = firing(incident="INC-1", commander="alice", acknowledged_by="bob")

    assert sentence("who is the incident commander?", led) == "Recorded: alice leads INC-1"
    assert sentence("who leads?", firing()) == "No incident commander: AL-1 is no declared incident, which alone has one"


def test_beside_whom_somebody_else_would_be_on_it_is_not_known() -> None:
    short = short_answer("is anyone else on it?", firing(acknowledged_by="bob"))

    assert short is not None and (short.verdict, short.text) == ("unknown", "Acknowledged by bob")


def test_whoever_acknowledged_what_was_before_is_not_on_what_fires_again() -> None:
    earlier = TimelineEntry(id="T1", at=NOW, kind="group", text="Acknowledged by bob", who="bob")

    assert sentence("who acked?", firing(timeline=[earlier])) == "Recorded: Nobody has acknowledged it"
    assert sentence("is anyone on it?", firing(timeline=[earlier])) == "No. Nobody has acknowledged it"


def test_whoever_leads_or_did_something_here_may_be_on_it() -> None:
    approved = TimelineEntry(id="T2", at=at(4), kind="decision", text="AP-1 approved by bob", who="bob")

    led = firing(incident="INC-1", commander="alice")

    assert sentence("is anyone on it?", led) == "Yes. alice leads INC-1; nobody has acknowledged it"
    assert sentence("did anyone ack it?", led) == "No. Nobody has acknowledged it; alice leads INC-1"
    assert sentence("is anyone on it?", firing(timeline=[approved])) == (
        "Nobody has acknowledged it; the last that a person did here: 03:04:00 UTC AP-1 approved by bob"
    )


@pytest.mark.parametrize("question", ["what did we do so far?", "whats been done so far", "anything we tried already?"])
def test_what_we_did_is_also_what_people_did(question: str) -> None:
    timeline = [
        TimelineEntry(id="T1", at=at(2), kind="group", text="Acknowledged by bob", who="bob"),
        TimelineEntry(id="T2", at=at(3), kind="note", text="failed over the cache", who="dana"),
    ]

    assert sentence(question, firing(timeline=timeline, proposals=(WAITING,))) == (
        "No action ran here: nothing was changed through me; I only made checks; "
        "recorded of people: 03:02 UTC Acknowledged by bob, 03:03 UTC failed over the cache (dana); AP-1 waits for approval"
    )
    assert "bob" not in sentence("what did you do?", firing(timeline=timeline))


def test_a_model_turns_no_answer_of_the_record() -> None:
    known = firing()
    model = ModelAnswer(claims=DEPLOY.claims, verdict="yes", stop_reason="answered")
    best = with_model_answer(answer("eta?", known), model, known, "eta?")

    assert best.short is not None and best.short.lead == "No estimate is recorded. How it stands:"
