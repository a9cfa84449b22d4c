"""What the evidence shows of a cause, by its kind, whatever its sentence says."""

from typing import Any

import pytest

from bot.core.evidence import Hypothesis
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import TemplateFact
from bot.core.metrics.deviation import Deviation
from bot.core.verdict.measured import Measured
from bot.core.verdict.support import Support, support_of
from tests.unit.evidence_builders import CASE, ONSET, Ledger, change, deviation, failing_payments, minutes

ERRORS = deviation("payments", "errors", 0.001, 0.45, doublings=4, unit="ratio")
POOL = deviation("payments", "connections", 0.3, 0.99, doublings=3, late=-2, unit="ratio")
CALLS_OUT = deviation("payments", "provider_errors", 0.0, 0.7, doublings=4, unit="ratio", family="external")
DEPLOY = change("payments", 2, version="2.3.1", previous="2.3.0")


def support(ledger: Ledger, **fields: Any) -> Support:
    values = {"cause": "x", "service": "payments", **fields}
    return support_of(Hypothesis.model_validate(values), Measured(ledger.entries))


def shop(*signals: Deviation, changes: tuple[Any, ...] = (), db: tuple[Deviation, ...] = ()) -> Ledger:
    """Payments calls the database; both were checked, and all changes listed."""
    ledger = Ledger().health("payments", *(signals or (ERRORS,))).graph("payments", "db", callers=["front"])
    return ledger.changes(*changes).health("db", *db)


def of_deploy(ledger: Ledger, id: str = DEPLOY.id) -> Support:
    return support(ledger, kind="change", change_id=id)


def test_the_only_change_just_before_a_service_fails_may_be_likely() -> None:
    assert of_deploy(shop(changes=(DEPLOY,))) == support(shop(changes=(DEPLOY,)), kind="change", change_id=DEPLOY.id)
    assert not of_deploy(shop(changes=(DEPLOY,))).reason


def test_a_version_that_alone_shows_the_failure_is_carried_furthest() -> None:
    ledger = shop(changes=(DEPLOY,)).breakdown("payments", "errors", "version", **{"2_3_1": (0.0, 0.9), "2_3_0": (0.0, 0.0)})

    assert of_deploy(ledger).strength == 4 > of_deploy(shop(changes=(DEPLOY,))).strength


@pytest.mark.parametrize(("minute", "strength"), [(0.5, 0), (1.5, 3)], ids=["before the alert", "after it"])
def test_what_an_action_had_taken_back_before_the_alert_shows_nothing(minute: float, strength: int) -> None:
    undone = DEPLOY.model_copy(update={"undone_at": ONSET + minutes(minute)})
    accused = Hypothesis(cause="x", service="payments", kind="change", change_id=DEPLOY.id)

    assert support_of(accused, Measured(shop(changes=(undone,)).entries, case=CASE)).strength == strength


def test_versions_that_fail_alike_clear_the_change() -> None:
    ledger = shop(changes=(DEPLOY,)).breakdown("payments", "errors", "version", **{"2_3_1": (0.0, 0.4), "2_3_0": (0.0, 0.4)})

    assert of_deploy(ledger).reason == "other versions show it too"


@pytest.mark.parametrize(
    ("ledger", "why"),
    [
        (shop(changes=(change("payments", -2),)), "came after the onset"),
        (shop(changes=(change("payments", 90),)), "ran well for too long"),
        (shop(changes=(change("payments", 2), change("payments", 1, kind="config"))), "2 changes of payments came then"),
        (shop(ERRORS, CALLS_OUT, changes=(change("payments", 2),)), "somebody outside"),
        (shop(ERRORS, POOL, changes=(change("payments", 0.2),)), "connections had left its normal range before"),
        (shop(changes=(change("payments", 2, kind="scale"),)), "of this kind rarely"),
        (
            shop(changes=(change("payments", 2),), db=(deviation("db", "errors", 0.0, 0.5, doublings=4, unit="ratio"),)),
            "db, which payments depends on, explains it",
        ),
        (shop(deviation("payments", "cpu", 0.2, 0.5), changes=(change("payments", 2),)), "neither errors nor latency"),
    ],
)
def test_a_change_of_which_only_the_moment_is_known_gives_way_to_what_else_explains_it(ledger: Ledger, why: str) -> None:
    first = next(row for entry in ledger.entries for row in entry.evidence.facts.changes or ())

    assert why in of_deploy(ledger, first.id).reason


def test_a_dependency_that_nobody_checked_may_hold_the_cause() -> None:
    ledger = Ledger().health("payments", ERRORS).graph("payments", "db").changes(DEPLOY)

    assert "db, which payments depends on, could not be checked" in of_deploy(ledger).reason


def test_a_resource_must_run_short_and_nothing_else_explain_it() -> None:
    assert not support(shop(ERRORS, POOL), kind="resource").reason
    assert "no resource" in support(shop(), kind="resource").reason
    assert (
        "2.3.1 of payments carries it"
        in support(
            shop(ERRORS, POOL, changes=(DEPLOY,)).breakdown(
                "payments", "errors", "version", **{"2_3_1": (0, 0.9), "2_3_0": (0, 0)}
            ),
            kind="resource",
        ).reason
    )
    assert "somebody outside" in support(shop(ERRORS, POOL, CALLS_OUT), kind="resource").reason


def test_a_resource_that_ran_short_after_the_failure_is_an_effect() -> None:
    late = deviation("payments", "queue", 6, 900, doublings=5, late=5)

    assert "no resource" in support(shop(ERRORS, late), kind="resource").reason


def test_an_old_change_is_no_part_of_a_shortage_that_began_since() -> None:
    old = change("payments", 120, version="2.3.1")

    assert "since that change" in support(shop(ERRORS, POOL, changes=(old,)), kind="resource", change_id=old.id).reason


def test_a_provider_must_fail_itself() -> None:
    assert not support(shop(ERRORS, CALLS_OUT), kind="external").reason
    assert "do not fail first" in support(shop(), kind="external").reason


def test_traffic_must_rise_more_than_that_of_the_callers() -> None:
    rise = deviation("payments", "traffic", 50, 200, doublings=4, unit="req/s")
    calm = deviation("front", "traffic", 50, 60, doublings=2, unit="req/s")
    steep = deviation("front", "traffic", 50, 210, doublings=4, unit="req/s")

    assert not support(shop(ERRORS, rise).health("front", calm), kind="traffic").reason
    assert support(shop(ERRORS, rise).health("front", steep), kind="traffic").reason


def test_a_failing_service_that_its_dependencies_do_not_explain_is_where_it_fails() -> None:
    assert not support(failing_payments(), kind="dependency").reason
    assert (
        "payments, which front depends on, explains it"
        in support(failing_payments(), kind="dependency", service="front").reason
    )


def test_an_unknown_kind_shows_nothing() -> None:
    assert support(failing_payments(), kind="unknown").reason


def test_a_change_whose_code_explains_the_lines_came_in_time_where_it_came_before_the_alert() -> None:
    """Where nothing is measured that tells when it began."""
    missing = TemplateFact(template='relation "order_notes" does not exist', count=40, before=0, trend="new")
    queries = EffectFact(kind="query", name="order_notes", path="payments/orders.py")
    diff = DiffFact(commit="a" * 40, at=DEPLOY.at, paths=("payments/orders.py",), effects=(queries,))
    ledger = Ledger().health("payments").graph("payments", "db").changes(DEPLOY).health("db").lines("payments", missing)
    ledger = ledger._add("code_changes", EvidenceFacts(diffs=(diff,), version="2.3.1"), source="github", service="payments")
    cause = Hypothesis(cause="x", service="payments", kind="change", change_id=DEPLOY.id)

    assert support_of(cause, Measured(ledger.entries, case=CASE)).strength == 4
    assert support_of(cause, Measured(ledger.entries)).strength == 0
    early = CASE.model_copy(update={"started_at": DEPLOY.at - minutes(5)})
    assert support_of(cause, Measured(ledger.entries, case=early)).strength == 0


@pytest.mark.parametrize(("minutes_before_onset", "strength"), [(40, 2), (8, 4)])
def test_what_began_well_after_the_start_that_a_person_reports_did_not_start_it(
    minutes_before_onset: float, strength: int
) -> None:
    ledger = shop(changes=(DEPLOY,)).breakdown("payments", "errors", "version", **{"2_3_1": (0.0, 0.9), "2_3_0": (0.0, 0.0)})
    reported = CASE.model_copy(update={"declared": True, "started_at": ONSET - minutes(minutes_before_onset)})
    accused = Hypothesis(cause="x", service="payments", kind="change", change_id=DEPLOY.id)

    assert support_of(accused, Measured(ledger.entries, case=reported)).strength == strength
