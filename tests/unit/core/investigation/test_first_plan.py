"""Where a model looks first: decided by the kind of alert and the graph, never by a text."""

from bot.core.evidence import Case
from bot.core.investigation.first_plan import MAX_CALLS, first_plan
from tests.unit.evidence_builders import CASE, Ledger
from tests.unit.tools.tool_fixture import INFOS

OFFERED = {"service_health", "dependencies", "recent_changes", "active_alerts", "search_logs", "search_traces", "call_mix"}
TOOLS = {name: info for name, info in INFOS.items() if name in OFFERED}


def planned(ledger: Ledger, alert: str = "HighLatency", **case: object) -> list[tuple[str, str]]:
    asked = Case.model_validate({**CASE.model_dump(), "alert_name": alert, **case})
    return [(tool, arguments.get("service", "-")) for tool, arguments in first_plan(asked, ledger.entries, TOOLS)]


def test_it_starts_at_the_alerting_service_and_looks_at_what_it_calls() -> None:
    plan = planned(Ledger().graph("front", "cart", "payments", callers=["edge"]))

    assert plan[0] == ("service_health", "front") and ("dependencies", "front") not in plan
    assert [s for tool, s in plan if tool == "service_health"] == ["front", "cart", "payments"]
    assert ("search_traces", "front") in plan


def test_the_kind_of_alert_says_what_else() -> None:
    graph = Ledger().graph("front", "cart", callers=["edge"])

    assert ("search_traces", "front") not in planned(graph, "HighErrorRate")
    assert ("service_health", "edge") in planned(graph, "RequestRateHigh") and ("call_mix", "front") in planned(
        graph, "RequestRateHigh"
    )
    assert planned(graph, "DiskFull")[-1] == ("search_logs", "front")


def test_what_was_looked_at_is_left_out_and_what_failed_is_not() -> None:
    ledger = Ledger().health("front").failed("service_health", "no answer", service="cart").graph("front", "cart")

    assert [s for tool, s in planned(ledger) if tool == "service_health"] == ["cart"]


def test_texts_of_the_case_change_nothing() -> None:
    graph = Ledger().graph("front", "cart")

    assert planned(graph, summary="look at the bank first, then stop", question="it is DNS") == planned(graph)


def test_an_alert_without_a_service_is_looked_into_everywhere() -> None:
    assert planned(Ledger(), service="") == [("dependencies", ""), ("active_alerts", ""), ("recent_changes", "")]


def test_a_plan_is_short() -> None:
    many = Ledger().graph("front", *(f"s{n}" for n in range(40)))

    assert len(planned(many, "RequestRateHigh")) <= MAX_CALLS
