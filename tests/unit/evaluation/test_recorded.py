"""Recordings answer like the real thing, and only what was recorded."""

from datetime import timedelta

import numpy as np
import pytest

from bot.core.errors import QueryFailed
from bot.core.metrics.series import Series
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW

TIMES = NOW.timestamp() + np.array([-600.0, -30.0])
RECORDED = RecordedMetrics({"up": [Series({"job": "a"}, TIMES, np.array([np.nan, 1.0]))]})


async def test_an_instant_answer_is_the_newest_sample_of_five_minutes() -> None:
    assert (await RECORDED.instant("up", at=NOW))[0].last == 1
    assert await RECORDED.instant("up", at=NOW - timedelta(minutes=3)) == []


async def test_what_was_not_recorded_could_not_be_looked_at() -> None:
    with pytest.raises(QueryFailed, match="not recorded: down"):
        await RECORDED.instant("down")
