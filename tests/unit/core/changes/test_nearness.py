"""How much time speaks for a change, and whom the walk of the graph blames."""

from datetime import timedelta

import pytest

from bot.core.changes.nearness import LOOKBACK, ONSET_TOLERANCE, nearness
from bot.core.facts.measured import Family
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import CallGraph, attribute_symptom
from tests.unit.evidence_builders import deviation


def test_a_change_after_the_onset_is_never_a_suspect() -> None:
    assert nearness(-timedelta(minutes=1)) == nearness(LOOKBACK + timedelta(minutes=1)) == 0


def test_a_change_at_the_onset_survives_the_error_of_the_onset() -> None:
    assert nearness(-ONSET_TOLERANCE) == nearness(timedelta(0)) == 1


def test_a_change_that_bites_late_is_less_suspect_and_not_cleared() -> None:
    soon, late = nearness(timedelta(minutes=8)), nearness(timedelta(hours=3))

    assert soon == pytest.approx(0.57, abs=0.01) and late == pytest.approx(0.13, abs=0.01)


def signals(*found: Deviation) -> dict[str, dict[Family, Deviation]]:
    sorted_by_service: dict[str, dict[Family, Deviation]] = {}
    for one in found:
        sorted_by_service.setdefault(one.service, {})[one.family] = one
    return sorted_by_service


GRAPH = {"front": ["payments", "cart"], "payments": ["db"], "db": ["front"]}


def test_the_deepest_service_that_explains_the_errors_is_blamed() -> None:
    found = signals(*(deviation(s, "errors", 0.0, r) for s, r in (("front", 0.2), ("payments", 0.3), ("db", 0.4))))

    blame = attribute_symptom("front", CallGraph(found, GRAPH))

    assert max(blame, key=lambda s: blame[s]) == "db" and sum(blame.values()) == pytest.approx(1)


def test_a_callee_that_explains_a_part_leaves_the_rest_with_its_caller() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.1))

    assert attribute_symptom("front", CallGraph(found, GRAPH)) == pytest.approx({"front": 0.75, "cart": 0.25})


def test_a_callee_that_failed_much_later_is_blamed_less() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.4, late=5))

    assert attribute_symptom("front", CallGraph(found, GRAPH))["front"] > 0.6


def test_a_slow_database_explains_errors_above_it() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.3), deviation("payments", "latency", 0.1, 2.0))

    assert attribute_symptom("front", CallGraph(found, GRAPH))["payments"] == pytest.approx(0.7)


def test_a_resource_that_runs_out_here_is_not_handed_down() -> None:
    found = signals(deviation("front", "memory", 0.5, 0.9), deviation("cart", "errors", 0.0, 0.4))

    assert attribute_symptom("front", CallGraph(found, GRAPH)) == {"front": 1.0}
