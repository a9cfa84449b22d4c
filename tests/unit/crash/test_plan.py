"""Which points of the kill matrix are struck in which scenario."""

from tests.crash.plan import batches, certain, reachable

JOURNAL = ("triage/tool:recent_changes#1:before", "triage/brief the agent#1:before", "triage/tool:recent_changes#2:before")


def test_a_call_after_the_briefing_is_struck_with_a_model_also_where_it_is_chosen_alone() -> None:
    chosen = [point for point in JOURNAL if "tool:" in point]

    assert {(one.kind, one.points) for one in batches(chosen, each=8, journal=JOURNAL)} == {
        ("plain", JOURNAL[:1]),
        ("agent", JOURNAL[2:]),
    }


def test_points_of_a_plan_are_struck_where_one_is_approved_and_a_call_alone() -> None:
    points = ("plan/claim#2:before", "step/send 2#1:after", "remediation/claim#1:before")

    assert {(one.kind, one.points) for one in batches(points, each=8)} == {
        ("plan", points[:1]),
        ("plan", points[1:2]),
        ("plain", points[2:]),
    }


def test_a_tools_second_call_is_struck_where_it_comes_and_need_not_come() -> None:
    second = "triage/tool:search_logs#2:before"

    assert reachable([second]) == [second]
    assert not certain(second)
    assert certain("triage/tool:search_logs#1:before") and certain("remediation/claim#2:before")
