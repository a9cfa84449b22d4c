"""What is left of an error budget is told with what it was measured over, and never as an all-clear where nothing was."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.metrics.series import Series
from bot.core.metrics.slo import WINDOWS
from bot.core.service import Catalogue, Objective, Service
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import call_tool, context

OBJECTIVE = Objective(good="good[{window}]", total="all[{window}]", objective=99.0)
OBJECTIVES = Catalogue([Service(name="checkout", objectives={"availability": OBJECTIVE})])
A_DAY = 86_400


def days_of(count: int) -> Series:
    """A rate of all events of each of the last days."""
    return Series({}, NOW.timestamp() - A_DAY * np.arange(count - 1, -1, -1.0), np.full(count, 100.0))


def rates(shares: Mapping[str, float], days: int = 30, **others: Sequence[Series]) -> RecordedMetrics:
    """Of 100 events a second so large a share is good over each window; the last `days` were measured."""
    now = np.array([NOW.timestamp()])
    good = {f"good[{window}]": [Series({}, now, np.array([100 * share]))] for window, share in shares.items()}
    total = {f"all[{window}]": [Series({}, now, np.array([100.0]))] for window in shares}
    return RecordedMetrics({**good, **total, f"all[{A_DAY}s]": [days_of(days)], **others})


async def objectives_of(metrics: RecordedMetrics) -> Evidence:
    return await call_tool("slo_status", context(metrics=metrics, catalogue=OBJECTIVES), service="checkout")


CALM = dict.fromkeys((*WINDOWS, "30d"), 0.999)
BURNING = CALM | {"5m": 0.8, "1h": 0.8, "30d": 0.995}


async def test_an_objective_tells_what_is_left_and_how_fast_it_burns() -> None:
    evidence = await objectives_of(rates(BURNING))

    left = "availability 99.5 % good over 30d, objective 99 %, 50 % of the budget left"
    assert evidence.summary == f"checkout: {left}, burns at 20.0 times the rate that lasts, over 1h and 5m"


async def test_of_a_service_that_is_younger_than_the_window_the_time_that_was_measured_is_told() -> None:
    evidence = await objectives_of(rates(BURNING, days=2))

    assert "99.5 % good over 30d, of which at most 48 h were measured, objective 99 %" in evidence.summary
    assert "50 % of the budget left for that time" in evidence.summary


async def test_where_events_have_a_series_and_good_ones_have_none_nothing_was_good() -> None:
    """After a restart in an outage the counter of what succeeded does not exist."""
    gone: dict[str, Sequence[Series]] = {"good[5m]": (), "good[1h]": ()}

    evidence = await objectives_of(rates(CALM, **gone))

    assert "burns at 100.0 times the rate that lasts, over 1h and 5m" in evidence.summary


async def test_a_budget_that_is_overdrawn_is_told_by_what_was_spent() -> None:
    assert "no budget left, 350 % of it spent" in (await objectives_of(rates(CALM | {"30d": 0.965}))).summary


@pytest.mark.parametrize("part", ["good", "all"])
async def test_of_several_series_none_is_taken_for_the_whole(part: str) -> None:
    by_pod = {f"{part}[{window}]": [days_of(1), days_of(1)] for window in CALM}

    with pytest.raises(QueryFailed, match=r"services\.checkout\.objectives\.availability\.\w+ gives 2 series instead of one"):
        await objectives_of(rates(CALM, **by_pod))


@pytest.mark.parametrize("counted", [(), (Series({}, np.array([NOW.timestamp()]), np.array([0.0])),)])
async def test_what_has_no_events_is_no_all_clear(counted: Sequence[Series]) -> None:
    none = {f"{part}[{window}]": counted for window in CALM for part in ("good", "all")}

    evidence = await objectives_of(rates(CALM, **none))

    assert evidence.summary == "checkout: availability could not be measured over 30d: no events were counted"
    assert not evidence.ok and evidence.facts.objectives["availability"].burn["1h"] is None


async def test_one_window_that_cannot_be_asked_does_not_hide_the_others() -> None:
    short = dict.fromkeys(WINDOWS, 0.9)

    evidence = await objectives_of(rates(short))

    assert evidence.ok and "availability could not be measured over 30d; " not in evidence.summary
    assert "availability could not be measured over 30d, burns at 10.0 times" in evidence.summary
    assert "1 of its queries could not be checked" in evidence.summary
    assert evidence.facts.objectives["availability"].good is None


async def test_where_no_window_can_be_asked_nothing_was_looked_at() -> None:
    with pytest.raises(QueryFailed, match="not recorded"):
        await objectives_of(RecordedMetrics())
