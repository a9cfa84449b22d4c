"""Which change is suspect, and whom the walk of the graph blames."""

import pytest

from bot.core.blame import Graph, walk_blame
from bot.core.deviation import Deviation, Family
from bot.core.suspects import rank_suspects
from tests.unit.evidence_builders import ONSET, change, deviation

UPSTREAM = {"payments": 1, "db": 2}


def test_a_change_after_the_onset_is_never_a_suspect() -> None:
    assert rank_suspects([change("front", -1)], onset=ONSET, service="front", upstream=UPSTREAM) == []


def test_a_change_at_the_onset_survives_the_error_of_the_onset() -> None:
    assert len(rank_suspects([change("front", -0.4)], onset=ONSET, service="front", upstream=UPSTREAM)) == 1


def test_nearness_in_time_outweighs_one_call_of_distance() -> None:
    near, old = change("payments", 1), change("front", 30)

    ranked = rank_suspects([old, near], onset=ONSET, service="front", upstream=UPSTREAM)

    assert [s.change_id for s in ranked] == [near.id, old.id]
    assert ranked[0].reasons == ("on payments, 1 call below front", "deploy 60 s before the onset")


def test_a_change_elsewhere_counts_little() -> None:
    ranked = rank_suspects([change("blog", 1), change("db", 5)], onset=ONSET, service="front", upstream=UPSTREAM)

    assert ranked[0].service == "db" and ranked[1].score < 0.06


def signals(*found: Deviation) -> dict[str, dict[Family, Deviation]]:
    sorted_by_service: dict[str, dict[Family, Deviation]] = {}
    for one in found:
        sorted_by_service.setdefault(one.service, {})[one.family] = one
    return sorted_by_service


GRAPH = {"front": ["payments", "cart"], "payments": ["db"], "db": ["front"]}


def test_the_deepest_service_that_explains_the_errors_is_blamed() -> None:
    found = signals(*(deviation(s, "errors", 0.0, r) for s, r in (("front", 0.2), ("payments", 0.3), ("db", 0.4))))

    blame = walk_blame("front", Graph(found, GRAPH))

    assert max(blame, key=lambda s: blame[s]) == "db" and sum(blame.values()) == pytest.approx(1)


def test_a_callee_that_explains_a_part_leaves_the_rest_with_its_caller() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.1))

    assert walk_blame("front", Graph(found, GRAPH)) == pytest.approx({"front": 0.75, "cart": 0.25})


def test_a_callee_that_failed_much_later_is_blamed_less() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.4), deviation("cart", "errors", 0.0, 0.4, late=5))

    assert walk_blame("front", Graph(found, GRAPH))["front"] > 0.6


def test_a_slow_database_explains_errors_above_it() -> None:
    found = signals(deviation("front", "errors", 0.0, 0.3), deviation("payments", "latency", 0.1, 2.0))

    assert walk_blame("front", Graph(found, GRAPH))["payments"] == pytest.approx(0.7)


def test_a_resource_that_runs_out_here_is_not_handed_down() -> None:
    found = signals(deviation("front", "memory", 0.5, 0.9), deviation("cart", "errors", 0.0, 0.4))

    assert walk_blame("front", Graph(found, GRAPH)) == {"front": 1.0}
