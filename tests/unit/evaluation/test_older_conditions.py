"""When a first cause blames an older condition, and how that is counted."""

from dataclasses import replace

from bot.core.evidence import Findings, Hypothesis
from bot.core.metrics.deviation import Deviation
from tests.evaluation.older_conditions import Tally, judgement_of
from tests.evaluation.world import Investigation
from tests.unit.evidence_builders import CASE, NOW, Ledger, deviation

OLD, NEW = (deviation("payments", signal, 0.001, 0.3, late=late) for signal, late in (("errors", -40), ("latency", 0)))


def blaming_payments(*deviations: Deviation) -> Investigation:
    cause = Hypothesis(cause="payments fails", service="payments", kind="dependency")
    return Investigation(CASE, NOW, Ledger().health("payments", *deviations).entries, Findings(hypotheses=[cause]))


def test_a_first_cause_that_deviated_long_before_the_alert_blames_an_older_condition() -> None:
    assert judgement_of(blaming_payments(OLD)) == "older"


def test_one_that_also_shows_something_new_does_not() -> None:
    assert judgement_of(blaming_payments(OLD, NEW)) == "current"


def test_a_resource_that_runs_out_slowly_is_no_older_condition() -> None:
    assert judgement_of(blaming_payments(deviation("payments", "memory", 0.5, 0.97, late=-60))) == "current"


def test_what_the_alerting_service_showed_first_is_no_older_than_the_incident() -> None:
    ledger = Ledger().health("payments", OLD).health("front", deviation("front", "errors", 0.001, 0.3, late=-38))

    assert judgement_of(replace(blaming_payments(OLD), ledger=ledger.entries)) == "current"


def test_where_the_set_says_when_the_fault_began_minutes_before_it_are_older_already() -> None:
    early = blaming_payments(deviation("payments", "errors", 0.001, 0.3, late=-5))

    assert judgement_of(early) == "current"
    assert judgement_of(replace(early, injected_at=NOW)) == "older"


def test_without_a_dated_deviation_nothing_is_judged() -> None:
    undated = replace(NEW, onset=None)

    assert judgement_of(blaming_payments(undated)) == judgement_of(blaming_payments()) == "not dated"


def test_the_tally_counts_answers_that_name_a_cause() -> None:
    tally = Tally()
    for one in (blaming_payments(OLD), blaming_payments(NEW), replace(blaming_payments(OLD), findings=Findings())):
        tally.note(one)

    assert tally.in_words() == (
        "an older condition is blamed first: 0.50 (1 of 2 answers, 2 of them with a dated deviation; "
        "older than the alert's onset; goal 0)"
    )
    assert Tally().in_words() == ""
