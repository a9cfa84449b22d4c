"""A sentence may keep a cause from being likely, where it names something else than the fields that were checked."""

from typing import Any

import pytest

from bot.core.evidence import Hypothesis
from bot.core.verdict.contradiction import contradiction
from bot.core.verdict.measured import Measured
from tests.unit.evidence_builders import Ledger, change, deviation, failing_payments

DEPLOY = change("payments", 2, version="2.3.1", previous="2.3.0")
OTHER = change("cart", 1, version="4.0.0")


def said(cause: str, ledger: Ledger | None = None, **fields: Any) -> str:
    hypothesis = Hypothesis.model_validate({"cause": cause, "service": "payments", **fields})
    return contradiction(hypothesis, Measured((ledger or failing_payments(DEPLOY, OTHER)).entries))


def test_a_sentence_about_another_service_or_version_is_about_another_cause() -> None:
    assert said("cart is broken", kind="dependency") == "its sentence is about cart"
    assert "version 4.0.0" in said("4.0.0 broke it", kind="change", change_id=DEPLOY.id)


def test_other_names_beside_the_own_are_no_contradiction() -> None:
    assert said("front fails because payments got 2.3.1 in place of 2.3.0", kind="change", change_id=DEPLOY.id) == ""
    assert said("gremlins", kind="dependency") == ""


def test_who_calls_the_service_suffers_and_is_no_other_cause() -> None:
    assert said("front answers with errors", kind="dependency") == ""
    assert "db" in said("db is slow", kind="dependency")


def test_what_was_measured_and_is_normal_is_not_what_failed() -> None:
    full = failing_payments(DEPLOY).health("payments", deviation("payments", "connections", 0.3, 1.0, unit="ratio"))

    assert "memory" in said("the heap of payments is full", full, kind="resource")
    assert said("payments has no free connections, its heap is fine", full, kind="resource") == ""
    assert "somebody outside" in said("a third party of payments is down", full, kind="dependency")


@pytest.mark.parametrize(
    ("sentence", "kind", "objection"),
    [
        ("2.3.1 of payments leaks memory", "change", "memory"),
        ("2.3.1 of payments fills the heap", "resource", "no resource of payments ran short"),
        ("2.3.1 of payments made it slow", "change", "latency"),
        ("2.3.1 of payments fails requests, its memory stayed normal", "change", ""),
        ("2.3.1 of payments holds the connections of db", "change", ""),
        ("2.3.1 of payments runs out of threads", "change", ""),  # nobody measured them
    ],
)
def test_how_a_change_broke_its_service_is_no_cause_where_that_was_measured_and_is_normal(
    sentence: str, kind: str, objection: str
) -> None:
    full = failing_payments(DEPLOY).health(
        "payments",
        deviation("payments", "memory", 0.4, 0.4, doublings=0, unit="ratio"),
        deviation("payments", "connections", 0.4, 0.4, doublings=0, unit="ratio"),
        deviation("payments", "latency", 0.2, 0.2, doublings=0, unit="s"),
    )

    found = said(sentence, full, kind=kind, change_id=DEPLOY.id)

    assert objection in found and bool(found) == bool(objection)


@pytest.mark.parametrize("kind", ["external", "traffic"])
def test_a_change_and_somebody_outside_are_two_causes(kind: str) -> None:
    assert "somebody outside or the traffic" in said("2.3.1 says that a provider is down", kind=kind, change_id=DEPLOY.id)
    assert said("2.3.1 broke it", kind="change", change_id=DEPLOY.id) == ""


@pytest.mark.parametrize(
    "cause",
    [
        "the deploy of cart is innocent, 2.3.1 broke payments",
        "not a flag but a deploy",
        "a config error was not the cause, the release was",
        "queries to db are slow since 2.3.1",
    ],
)
def test_what_is_cleared_or_named_beside_the_own_change_keeps_nothing_from_it(cause: str) -> None:
    assert said(cause, kind="change", change_id=DEPLOY.id) == ""


@pytest.mark.parametrize("cause", ["the deploy is innocent", "not a deploy: the weather", "2.3.1 is not the cause"])
def test_a_sentence_that_clears_the_own_change_denies_it(cause: str) -> None:
    assert said(cause, kind="change", change_id=DEPLOY.id) == "its sentence says that this is not the cause"


def test_a_pool_of_connections_lies_between_a_service_and_what_it_calls() -> None:
    full = failing_payments(DEPLOY).health("payments", deviation("payments", "connections", 0.3, 1.0, unit="ratio"))

    assert said("all connections to db are taken", full, kind="resource") == ""
    assert said("db is overloaded", full, kind="resource") == "its sentence is about db"
