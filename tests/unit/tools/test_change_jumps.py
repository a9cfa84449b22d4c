"""What of a service jumped with its changes."""

from datetime import timedelta

import numpy as np
import pytest

from bot.core.change import Change
from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service, Signal
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import Changes, call_tool, context

DEPLOYED = NOW - timedelta(minutes=30)
SHOP = Catalogue(
    [Service(name="checkout", signals={"hits": Signal(promql="hits", unit="ratio"), "memory": Signal(promql="memory")})]
)
DEPLOY = Change(id="ci:1", at=DEPLOYED, service="checkout", kind="deploy", title="Round prices", version="2.0.0")


def stepped(before: float, after: float) -> Series:
    times = np.arange(NOW.timestamp() - 7200, NOW.timestamp(), 15.0)
    level = np.where(times < DEPLOYED.timestamp(), before, after)
    return Series({}, times, level * (1 + 0.01 * np.sin(times)))


async def jumps(*changes: Change, **series: Series):  # type: ignore[no-untyped-def]
    metrics = RecordedMetrics({name: [line] for name, line in series.items()})
    return await call_tool(
        "change_jumps", context(catalogue=SHOP, metrics=metrics, changes=Changes(changes)), service="checkout"
    )


async def test_a_signal_that_no_alert_watches_is_named_with_the_deploy_it_jumped_with() -> None:
    found = await jumps(DEPLOY, hits=stepped(0.8, 0.1), memory=stepped(100, 400))

    at = f"{DEPLOYED:%H:%M:%S} UTC"
    assert found.summary == f"checkout hits went from 80 % to 9.99 % with deploy 2.0.0 at {at}; 1 signal jumped with 1 change"
    assert [(fact.change_id, fact.signal) for fact in found.facts.jumps or ()] == [("ci:1", "hits")]


async def test_where_nothing_jumped_it_says_so_of_how_many_changes() -> None:
    found = await jumps(DEPLOY, hits=stepped(0.8, 0.8), memory=stepped(100, 400))

    assert found.summary == "checkout: nothing jumped with 1 change of the last 6 h" and found.facts.jumps == ()


async def test_without_a_change_there_is_nothing_to_compare() -> None:
    with pytest.raises(QueryFailed, match="checkout has no change of the six hours before the alert"):
        await jumps(hits=stepped(0.8, 0.1), memory=stepped(1, 1))
