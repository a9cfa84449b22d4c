"""A question that calls a signal by its own name is answered with how that reads, and no yes or no."""

import pytest

from bot.core.evidence import LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.checks import current_calls, missing_calls
from bot.core.questions.yes_no.short_answers import short_answer
from tests.unit.core.questions.yes_no.test_short_answers import CASE, HEALTH, deviation, entry, facts


def measured(id: str, service: str, doublings: float) -> LedgerEntry:
    signals = {"queue": "6 jobs", "restarts": "0 restarts", "connections": "30 %"}
    rows = tuple(deviation(service, signal, "saturation", doublings) for signal in signals)
    moved = "rose from" if doublings > 0 else "stayed normal:"
    lines = (f"{service} {name} {moved} {level}" for name, level in signals.items())
    return entry(id, "service_health", EvidenceFacts(deviations=rows), *lines, service=service)


def first_sentence(question: str, *ledger: LedgerEntry) -> str:
    short = short_answer(question, facts(*ledger))
    assert short is not None and short.verdict == "unknown"
    return f"{short.lead} {short.text}"


@pytest.mark.parametrize(
    ("question", "signal"),
    [
        ("is the queue growing?", "queue rose from 6 jobs"),
        ("is there a backlog?", "queue rose from 6 jobs"),
        ("are pods restarting?", "restarts rose from 0 restarts"),
        ("did any pod crash?", "restarts rose from 0 restarts"),
        ("connections maxed out?", "connections rose from 30 %"),
        ("are we out of db connections?", "connections rose from 30 %"),
        ("how many restarts?", "restarts rose from 0 restarts"),
    ],
)
def test_the_service_on_which_the_signal_moved_comes_first(question: str, signal: str) -> None:
    sentence = first_sentence(question, measured("E1", "checkout", -1.0), measured("E2", "cart", 4.0))

    assert sentence.startswith(f"Measured: cart {signal}; checkout ")


def test_services_on_which_it_is_as_usual_are_counted() -> None:
    usual = [measured(f"E{n}", service, -1.0) for n, service in enumerate(("checkout", "cart", "payments"))]

    assert first_sentence("are pods restarting?", *usual) == "Measured: restarts of 3 services as usual"
    assert first_sentence("any restarts on cart?", *usual) == "Measured: cart restarts stayed normal: 0 restarts"


@pytest.mark.parametrize("question", ["did you restart checkout?", "would a restart of checkout help?"])
def test_what_people_do_is_no_question_for_a_signal(question: str) -> None:
    assert "Measured" not in first_sentence(question, measured("E1", "checkout", 4.0))


def test_where_nothing_shows_it_the_check_that_would_is_named_and_made_by_an_investigation() -> None:
    question = "are pods crashing?"

    assert first_sentence(question, HEALTH) == "I did not look at that: investigate with this question reads pods of checkout"
    assert ("describe_workload", {"service": "checkout"}) in missing_calls(question, facts(HEALTH), CASE)


SLO = entry("E7", "slo_status", EvidenceFacts(), service="checkout")
NO_OBJECTIVES = "Could not check (slo_status: service=cart): cart has no objectives (services.cart.objectives)"


@pytest.mark.parametrize(
    "question",
    [
        "how much error budget is left?",
        "is the error budget burning?",
        "are we within the slo?",
        "burn rate of checkout?",
        "is the budget ok?",
    ],
)
def test_what_is_left_of_an_error_budget_is_read_and_told_and_not_what_fails(question: str) -> None:
    assert current_calls(question, facts(HEALTH)) == [("slo_status", {"service": "checkout"})]
    assert first_sentence(question, HEALTH, SLO) == "Error budget: slo_status E7"


def test_of_a_service_without_objectives_that_is_told() -> None:
    failed = entry("E8", "slo_status", EvidenceFacts(), service="cart", ok=False)
    failed = failed.model_copy(update={"evidence": failed.evidence.model_copy(update={"summary": NO_OBJECTIVES})})
    question = "how is the error budget of cart?"

    assert first_sentence(question, HEALTH, failed) == "Error budget: cart has no objectives (services.cart.objectives)"


def test_whether_a_deploy_burnt_the_budget_is_a_question_for_the_deploy() -> None:
    assert "Error budget" not in first_sentence("did the deploy burn the error budget?", HEALTH, SLO)


@pytest.mark.parametrize("question", ["when was the last time checkout was deployed?", "when's the last time it restarted?"])
def test_when_something_happened_last_is_no_question_for_past_incidents(question: str) -> None:
    short = short_answer(question, facts(HEALTH, entry("E9", "past_incidents", EvidenceFacts())))

    assert short is None or short.opening != "Past incidents:"


@pytest.mark.parametrize("question", ["what did we do last time?", "what helped the last time?", "what was it last time?"])
def test_last_time_is_a_question_for_past_incidents_and_not_for_what_was_done_now(question: str) -> None:
    assert (
        first_sentence(question, HEALTH, entry("E9", "past_incidents", EvidenceFacts())) == "Past incidents: past_incidents E9"
    )
