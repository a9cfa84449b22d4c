"""When a machine is a cause: its pods share a deviation that others do not show, or its host gives its time to other guests."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bot.core.evidence import Findings, Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BreakdownFact
from bot.core.facts.recorded import ContrastFact, PodFact
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.ranking import rank
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation, failing_payments


def split(ledger: Ledger, service: str, label: str, shares: Mapping[str, float]) -> Ledger:
    rows = tuple(BreakdownFact(labels={label: name}, before=0.01, after=0.5 * s, share=s) for name, s in shares.items())
    return ledger._add("metric_breakdown", EvidenceFacts(breakdown=rows), service=service, signal="errors")


def placed(ledger: Ledger, service: str, **nodes: str) -> Ledger:
    pods = tuple(PodFact(pod=pod, node=node) for pod, node in nodes.items())
    return ledger._add("describe_workload", EvidenceFacts(pods=pods), source="kubernetes", service=service)


def answer(ledger: Ledger) -> Findings:
    return judge(rank(CASE, ledger.entries, now=NOW), ledger.entries)


def named_nodes(ledger: Ledger) -> list[str]:
    return [h.component for h in answer(ledger).hypotheses if h.component]


def test_a_node_on_which_all_deviating_pods_of_a_service_run_is_a_candidate() -> None:
    ledger = split(failing_payments(), "payments", "pod", {"p1": 0.5, "p2": 0.48, "p3": 0.02})

    findings = answer(placed(ledger, "payments", p1="node-a", p2="node-a", p3="node-b"))

    first = findings.hypotheses[0]
    assert (first.component, first.kind, first.confidence) == ("node-a", "external", "possible")
    assert any("hardly on other nodes" in claim.text for claim in first.claims)


def test_two_services_whose_splits_by_node_agree_name_the_node() -> None:
    ledger = split(failing_payments(), "payments", "node", {"node-a": 0.95, "node-b": 0.05})

    assert named_nodes(ledger) == []
    assert named_nodes(split(ledger, "front", "node", {"node-a": 0.9, "node-b": 0.1})) == ["node-a"]


def test_one_deviating_pod_is_rather_at_fault_itself() -> None:
    ledger = split(failing_payments(), "payments", "pod", {"p1": 0.97, "p2": 0.02, "p3": 0.01})

    assert named_nodes(placed(ledger, "payments", p1="node-a", p2="node-a", p3="node-b")) == []


def test_pods_that_fail_on_all_nodes_accuse_none() -> None:
    ledger = split(failing_payments(), "payments", "pod", {"p1": 0.35, "p2": 0.35, "p3": 0.3})

    assert named_nodes(placed(ledger, "payments", p1="node-a", p2="node-a", p3="node-b")) == []


def test_a_service_with_pods_on_one_node_alone_says_nothing_of_it() -> None:
    ledger = split(failing_payments(), "payments", "pod", {"p1": 0.5, "p2": 0.5})

    assert named_nodes(placed(ledger, "payments", p1="node-a", p2="node-a")) == []


def test_without_placements_a_split_by_pod_names_no_node() -> None:
    assert named_nodes(split(failing_payments(), "payments", "pod", {"p1": 0.5, "p2": 0.48, "p3": 0.02})) == []


def test_a_node_goes_before_a_deploy_that_only_its_moment_speaks_for() -> None:
    ledger = split(failing_payments(change("payments", 2)), "payments", "pod", {"p1": 0.5, "p2": 0.48, "p3": 0.02})

    findings = answer(placed(ledger, "payments", p1="node-a", p2="node-a", p3="node-b"))

    assert findings.hypotheses[0].component == "node-a"
    assert all(h.confidence != "likely" for h in findings.hypotheses)


def first_cause(stolen: Deviation) -> Hypothesis:
    slow = deviation("front", "latency", 28, 900, doublings=5, unit="ms")
    ledger = (
        Ledger().health("front", slow, stolen).graph("front", "cart").health("cart").changes(change("front", 3, version="2"))
    )
    return rank(CASE, ledger.entries, now=NOW).hypotheses[0]


def steal(signal: str = "cpu_steal_ratio", late: float = -1) -> Deviation:
    return deviation("front", signal, 0.006, 0.37, doublings=6, late=late, family="saturation")


def test_a_host_that_gives_its_time_to_others_goes_before_a_deploy_minutes_before() -> None:
    cause = first_cause(steal())

    assert (cause.kind, cause.change_id) == ("external", "")
    assert cause.cause == "The host of front gives its processor time to other guests"
    assert "front cpu_steal_ratio rose" in cause.claims[0].text


def test_the_usual_names_of_it_are_known_and_that_of_a_service_apart_concerns_nobody() -> None:
    for signal in ("cpu steal", "cpu.steal", "node_cpu_steal_seconds", "steal_pct", "system.cpu.stolen"):
        assert first_cause(steal(signal)).kind == "external", signal
    slow = deviation("front", "latency", 28, 900, doublings=5, unit="ms")
    apart = replace(steal(), service="batch")
    ledger = Ledger().health("front", slow).health("batch", apart).graph("front", "cart").health("cart")

    causes = rank(CASE, ledger.changes(change("front", 3, version="2")).entries, now=NOW).hypotheses
    assert causes[0].change_id and all(cause.kind != "external" for cause in causes)


def test_tasks_that_workers_take_from_each_other_and_what_rose_later_are_none() -> None:
    assert first_cause(steal("tokio_total_steal_operations")).change_id
    assert first_cause(steal("cpu_work_stealing_attempts")).change_id
    assert first_cause(steal(late=5)).change_id


def failing_on(node: str, *services: str) -> Ledger:
    ledger = failing_payments()
    for service in services:
        fact = ContrastFact(field="k8s.node", value=node, failing=30, of=30, others=8, others_of=90)
        ledger._add("search_logs", EvidenceFacts(contrasts=(fact,)), source="loki", service=service)
    return ledger


def test_a_node_that_alone_stands_in_the_failing_lines_of_two_services_is_likely() -> None:
    first = answer(failing_on("w-2", "payments", "front")).hypotheses[0]

    assert (first.component, first.kind, first.confidence) == ("w-2", "external", "likely")
    assert any("30 of 30 failing lines of payments are of node w-2, 8 of its 90 other lines" in c.text for c in first.claims)


def test_one_pod_of_one_service_that_fails_on_a_node_does_not_accuse_it() -> None:
    assert named_nodes(failing_on("w-2", "payments")) == []


@pytest.mark.parametrize("field", ["host", "region", "customer.region"])
def test_what_callers_choose_is_no_machine_whatever_several_services_say(field: str) -> None:
    ledger = failing_payments()
    for service in ("payments", "front"):
        fact = ContrastFact(field=field, value="w-2", failing=30, of=30, others=8, others_of=90)
        ledger._add("search_logs", EvidenceFacts(contrasts=(fact,)), source="loki", service=service)

    assert named_nodes(ledger) == []
