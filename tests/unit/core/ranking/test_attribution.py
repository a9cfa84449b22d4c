"""To which services a symptom is attributed along the call graph."""

import pytest

from bot.core.facts.measured import Family
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import CallGraph, attribute_symptom
from tests.unit.evidence_builders import deviation


def signals(*deviations: Deviation) -> dict[str, dict[Family, Deviation]]:
    sorted_by_service: dict[str, dict[Family, Deviation]] = {}
    for one in deviations:
        sorted_by_service.setdefault(one.service, {})[one.family] = one
    return sorted_by_service


GRAPH = {"front": ["payments", "cart"], "payments": ["db"], "db": ["front"]}


def test_the_deepest_service_that_explains_the_errors_has_the_largest_share() -> None:
    by_service = signals(*(deviation(s, "errors", 0.0, r) for s, r in (("front", 0.2), ("payments", 0.3), ("db", 0.4))))

    shares = attribute_symptom("front", CallGraph(by_service, GRAPH))

    assert max(shares, key=lambda s: shares[s]) == "db" and sum(shares.values()) == pytest.approx(1)


def test_a_callee_that_explains_a_part_leaves_the_rest_with_its_caller() -> None:
    by_service = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.1))

    assert attribute_symptom("front", CallGraph(by_service, GRAPH)) == pytest.approx({"front": 0.75, "cart": 0.25})


def test_a_callee_that_failed_much_later_explains_less() -> None:
    by_service = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.4, late=5))

    assert attribute_symptom("front", CallGraph(by_service, GRAPH))["front"] > 0.6


def test_a_slow_database_explains_errors_above_it() -> None:
    by_service = signals(deviation("front", "errors", 0.0, 0.3), deviation("payments", "latency", 0.1, 2.0))

    assert attribute_symptom("front", CallGraph(by_service, GRAPH))["payments"] == pytest.approx(0.7)


def test_a_resource_that_runs_out_here_is_not_attributed_to_a_callee() -> None:
    by_service = signals(deviation("front", "memory", 0.5, 0.9), deviation("cart", "errors", 0.0, 0.4))

    assert attribute_symptom("front", CallGraph(by_service, GRAPH)) == {"front": 1.0}
