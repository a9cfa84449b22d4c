"""The service whose trouble a question asks for."""

import pytest

from bot.core.questions.parsing.service_in_question import service_in_question

SERVICES = ("payments", "checkout", "search", "payments-db")


@pytest.mark.parametrize(
    "question",
    [
        "why is payments failing?",
        "what broke payments",
        "hey tocsin, what happened to payments?",
        "is payments still down?",
        "what caused the payments outage?",
        "who is on payments?",
        "payments",
    ],
)
def test_a_question_about_the_trouble_of_a_service_is_about_that_service(question: str) -> None:
    assert service_in_question(question, SERVICES) == "payments"


@pytest.mark.parametrize(
    "question",
    [
        "is it payments?",
        "is payments to blame?",
        "did payments break it?",
        "why not payments?",
        "did the deploy of payments take checkout down?",
        "is search down because of payments?",
        "why is it failing?",
    ],
)
def test_one_that_names_a_suspect_or_several_services_is_about_none(question: str) -> None:
    assert service_in_question(question, SERVICES) == ""


def test_of_two_names_at_one_place_the_longer_is_asked_about() -> None:
    assert service_in_question("why is payments-db slow?", SERVICES) == "payments-db"
