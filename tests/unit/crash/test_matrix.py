"""What follows from a scenario that did not come to all of its points."""

from tests.crash.history import History
from tests.crash.matrix import alone
from tests.crash.scenario import Result, Scenario

POINTS = ("triage/open the case#1:before", "sender/record picture#1:before")


def played(*missed: str, violations: tuple[str, ...] = ()) -> Result:
    return Result("points-plain-1", 1.0, History(), list(violations), list(missed))


def test_a_point_that_did_not_come_up_gets_a_scenario_of_its_own() -> None:
    scenario = Scenario("points-plain-1", POINTS, agent=False)

    assert alone(scenario, played(POINTS[1])) == [Scenario("points-plain-1-0", (POINTS[1],), agent=False)]
    assert alone(scenario, played()) == []


def test_it_gets_one_once_and_none_where_something_broke() -> None:
    assert alone(Scenario("points-plain-1-0", POINTS[1:]), played(POINTS[1])) == []
    assert alone(Scenario("points-plain-1", POINTS), played(*POINTS, violations=("it broke off",))) == []
