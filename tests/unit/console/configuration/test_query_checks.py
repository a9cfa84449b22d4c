"""An objective whose queries give several series is named by day: which of them counts, nobody could say at night."""

from bot.console.configuration.query_checks import check_queries
from bot.core.service import Catalogue, Objective, Service
from tests.unit.tools.tool_fixture import Step, recorded

ONE = Step(1.0, 1.0)
CATALOGUE = Catalogue(
    [Service(name="checkout", objectives={"answers": Objective(good="good[{window}]", total="all[{window}]", objective=99)})]
)


async def test_a_query_of_an_objective_that_gives_several_series_is_named() -> None:
    by_pod = [Step(1.0, 1.0, {"pod": pod}) for pod in ("a", "b")]

    (check,) = await check_queries(recorded({"good[1h]": ONE, "all[1h]": by_pod}), CATALOGUE)

    assert check.state == "failed"
    assert check.result == "services.checkout.objectives.answers.total: gives 2 series instead of one: put sum() around it"


async def test_queries_that_give_one_series_each_are_in_order() -> None:
    (check,) = await check_queries(recorded({"good[1h]": ONE, "all[1h]": ONE}), CATALOGUE)

    assert check.state == "ok"


async def test_several_series_of_a_signal_are_usual() -> None:
    signal = {"errors": {"promql": "errors"}}
    catalogue = Catalogue([Service.model_validate({"name": "checkout", "signals": signal})])

    (check,) = await check_queries(recorded({"errors": [ONE, ONE]}), catalogue)

    assert check.state == "ok"
