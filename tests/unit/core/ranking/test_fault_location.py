"""Where the fault is located where no alert names a service: what is a cause, and what an effect or an older incident."""

from dataclasses import replace

from bot.core.change import Change
from bot.core.evidence import Case, Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.fault_location import weight_of_resource
from bot.core.ranking.ranking import rank
from bot.core.traces.calls import WIRE_TIME
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, failing_payments, minutes

ANYWHERE = CASE.model_copy(update={"service": "", "alert_name": "something is wrong"})


def first(ledger: Ledger, case: Case = ANYWHERE) -> Hypothesis:
    return rank(case, ledger.entries, now=NOW).hypotheses[0]


def calls(caller: str, callee: str, before: float, after: float, doublings: float) -> Deviation:
    signal = f"calls to {callee} per request"
    return replace(deviation(caller, signal, before, after, doublings=doublings, family="behaviour"), peer=callee)


def lines(service: str, doublings: float) -> Deviation:
    return deviation(service, "share of log line 'x'", 0.1, 0.3, doublings=doublings, family="behaviour")


def mixes(ledger: Ledger, *found: Deviation) -> Ledger:
    """The mixes of calls and lines, which are no check of anybody's health."""
    facts = EvidenceFacts(deviations=tuple(d.as_fact() for d in found))
    return ledger._add("call_mix", facts, service=found[0].service)


def test_more_calls_than_usual_point_less_at_a_caller_than_calls_that_vanished() -> None:
    ledger = Ledger().graph("front", "cart").graph("shop", "cart", "ads").health("cart").health("front").health("shop")
    mixes(ledger, calls("front", "cart", 1.0, 2.0, 2.0), calls("shop", "cart", 1.0, 0.1, 1.0))

    assert first(ledger).service == "shop"


def test_where_calls_vanish_the_last_step_that_is_still_called_shares_the_suspicion() -> None:
    ledger = Ledger().graph("shop", "stock", "ads").health("stock").health("shop")
    mixes(ledger, calls("shop", "ads", 1.0, 0.0, 1.0), calls("shop", "stock", 1.0, 1.0, -3.0))
    alone = {h.service for h in rank(ANYWHERE, ledger.entries, now=NOW).hypotheses}
    mixes(ledger, lines("stock", -1.0))

    assert alone == {"shop"}
    assert {h.service for h in rank(ANYWHERE, ledger.entries, now=NOW).hypotheses} == {"shop", "stock"}


def waits(*by_service: tuple[str, float]) -> EvidenceFacts:
    """What spans say of the time of calls on the wire: each service with its doublings beyond the limit."""
    found = [
        replace(deviation(s, WIRE_TIME, 0, 1, doublings=1, family="network"), doublings=d, onset=None) for s, d in by_service
    ]
    return EvidenceFacts(deviations=tuple(d.as_fact() for d in found))


def test_waits_within_their_limit_are_a_lead_where_no_alert_names_a_service() -> None:
    ledger = mixes(Ledger().graph("shop", "stock").health("shop").health("stock").health("ads"), lines("ads", -0.8))
    before = first(ledger).service
    ledger._add("call_waits", waits(("stock", -0.2)))

    lead = first(ledger)
    assert (before, lead.service) == ("ads", "stock") and lead.confidence != "likely"
    named = rank(CASE.model_copy(update={"service": "ads"}), ledger.entries, now=NOW)
    assert "stock" not in {h.service for h in named.hypotheses}


def test_where_calls_wait_may_be_likely_though_nothing_says_since_when() -> None:
    ledger = Ledger().graph("shop", "stock").health("shop").health("stock")
    ledger._add("call_waits", waits(("stock", 2.0)))
    cause = first(ledger)

    assert (cause.service, cause.kind, cause.confidence) == ("stock", "dependency", "likely")


def test_errors_of_one_callee_explain_that_the_next_is_not_called() -> None:
    ledger = Ledger().graph("shop", "stock", "ads").health("shop").health("ads")
    mixes(ledger, calls("shop", "ads", 1.0, 0.0, 3.0))
    ledger.health("stock", deviation("stock", "errors", 0.001, 0.2, doublings=1, unit="ratio"))

    assert first(ledger).service == "stock"


def test_what_stood_unchanged_since_long_before_the_alert_belongs_to_an_older_incident() -> None:
    old = deviation("cart", "errors", 0.0, 0.9, doublings=6, late=-45, unit="ratio")
    ledger = failing_payments().health("cart", old)

    assert {h.service for h in rank(CASE, ledger.entries, now=NOW).hypotheses} == {"payments"}
    recent = failing_payments().health("cart", replace(old, onset=ONSET - minutes(1)))
    assert "cart" in {h.service for h in rank(CASE, recent.entries, now=NOW).hypotheses}


def test_memory_that_creeps_far_below_its_limit_is_not_exhausted() -> None:
    creeping = replace(deviation("cart", "memory usage", 13, 19, doublings=2, unit="%"), onset=None)
    ledger = Ledger().graph("cart").health("cart", creeping)
    cause = first(ledger)

    assert cause.confidence != "likely" and "ran out" not in cause.cause
    assert any("not exhausted" in claim.text for claim in cause.against)
    full = Ledger().graph("cart").health("cart", replace(creeping, after=96.0))
    assert "ran out of headroom" in first(full).cause


def cpu_of_failing_payments(after: float, *changes: Change) -> Hypothesis:
    more = deviation("payments", "cpu", 0.3, after, late=-1, unit="cores")
    return first(failing_payments(*changes).health("payments", more))


def test_a_resource_without_a_known_limit_ran_out_of_nothing_and_is_a_cause_only_once_it_doubled() -> None:
    cause = cpu_of_failing_payments(0.9)

    assert (cause.cause, cause.kind, cause.confidence) == ("payments shows more cpu than usual", "resource", "likely")
    stood_until_changed = cpu_of_failing_payments(0.9, change("payments", 0.3))
    assert "cpu" not in stood_until_changed.cause


def test_a_little_more_of_a_resource_without_a_known_limit_says_where_the_fault_lies_and_not_why() -> None:
    cause = cpu_of_failing_payments(0.38)

    assert (cause.cause, cause.confidence) == ("payments itself fails and shows more cpu than usual", "likely")
    assert cause.kind == "unknown" and cause.check.startswith("Read the logs and traces of payments")


def test_the_value_behind_an_alert_is_named_as_an_alert_that_fires_and_not_as_something_there_is_more_of() -> None:
    alert = CASE.model_copy(update={"service": "postgres", "alert_name": "PostgresqlTooManyConnections"})
    connections = deviation("postgres", alert.alert_name, 20, 96, late=-1)
    ledger = Ledger().health("postgres", connections)
    failing = Ledger().health(
        "postgres", replace(connections, after=25), deviation("postgres", "errors", 0.0, 0.3, doublings=4)
    )

    assert first(ledger, alert).cause == "PostgresqlTooManyConnections fires for postgres"
    assert "more room for what PostgresqlTooManyConnections measures" in first(ledger, alert).check
    assert first(failing, alert).cause == "postgres itself fails, and PostgresqlTooManyConnections fires for it"


def test_what_only_an_exporter_of_it_tells_by_its_silence_is_not_called_down() -> None:
    def cause(expression: str) -> str:
        labels = {"job": "postgres-exporter", "instance": "10.2.3.4:9187"}
        alert = CASE.model_copy(
            update={"service": "postgres", "alert_name": "PostgresDown", "labels": labels, "expression": expression}
        )
        gone = deviation("postgres", "PostgresDown", 1, 0, doublings=4.7, family="errors")
        return first(Ledger().health("postgres", gone), alert).cause

    assert cause('up{job="postgres-exporter"} == 0').startswith(
        "postgres itself or postgres-exporter, which measures it, is down"
    )
    assert cause("pg_up == 0").startswith("postgres itself is down")


def test_a_little_more_of_a_resource_of_a_service_that_does_not_fail_is_never_likely() -> None:
    ledger = Ledger().graph("cart").health("cart", deviation("cart", "cpu", 0.3, 0.38, late=-1, unit="cores"))
    cause = first(ledger)

    assert (cause.cause, cause.kind, cause.confidence) == ("cart shows more cpu than usual", "resource", "possible")


def test_a_target_that_answers_no_scrape_is_down_and_ran_out_of_nothing() -> None:
    ledger = Ledger().graph("cart").health("cart", deviation("cart", "up", 1, 0), deviation("cart", "CartDown", 1, 0))
    cause = first(ledger)

    assert (cause.service, cause.kind) == ("cart", "unknown") and cause.cause.startswith("cart itself is down")


def test_a_signal_whose_name_says_nothing_is_not_called_a_resource() -> None:
    ledger = Ledger().graph("cart").health("cart", deviation("cart", "flux", 1, 50))

    assert first(ledger).cause == "flux of cart left its normal range"


def test_a_change_of_the_caller_is_not_blamed_for_a_pool_that_is_full_below_it() -> None:
    full = deviation("payments", "connections", 0.13, 0.97, late=-3, unit="ratio")
    ledger = failing_payments(change("front", 1)).health("payments", full)

    cause = first(ledger, CASE)

    assert (cause.kind, cause.service) == ("resource", "payments")


def test_a_change_of_the_caller_is_not_blamed_for_memory_that_ran_full_below_it_though_restarts_moved_more() -> None:
    full = deviation("payments", "memory", 0.78, 0.976, doublings=1.5, late=-30, unit="ratio")
    restarts = deviation("payments", "restarts", 0, 6, doublings=6, unit="restarts")
    ledger = failing_payments(change("front", 1)).health("payments", full, restarts)

    cause = first(ledger, CASE)

    assert (cause.kind, cause.service) == ("resource", "payments")
    assert all(h.confidence != "likely" for h in rank(CASE, ledger.entries, now=NOW).hypotheses if h.change_id)


def test_a_disk_that_is_full_explains_by_itself_what_a_disk_that_only_grew_does_not() -> None:
    full, grown = (deviation("db", "disk_used_ratio", 0.3, after, doublings=5, unit="ratio") for after in (1.0, 0.6))

    assert weight_of_resource(full) == 1.0 > weight_of_resource(grown)
