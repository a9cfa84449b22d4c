"""Recordings answer like the real thing, and only what was recorded."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import LookFailed
from bot.core.series import Series
from bot.monitoring.recorded import RecordedMetrics
from tests.unit.builders import NOW

TIMES = NOW.timestamp() + np.array([-600.0, -30.0])
RECORDED = RecordedMetrics({"up": [Series({"job": "a"}, TIMES, np.array([np.nan, 1.0]))]})


async def test_an_instant_answer_is_the_newest_sample_of_five_minutes() -> None:
    assert (await RECORDED.instant("up", at=NOW))[0].last == 1
    assert await RECORDED.instant("up", at=NOW - timedelta(minutes=3)) == []


async def test_what_was_not_recorded_could_not_be_looked_at() -> None:
    with pytest.raises(LookFailed, match="not recorded: down"):
        await RECORDED.instant("down")


async def test_a_recording_survives_its_file(tmp_path: Path) -> None:
    RECORDED.to_file(tmp_path / "incident.json")

    (series,) = await RecordedMetrics.from_file(tmp_path / "incident.json").range(
        "up", start=NOW - timedelta(hours=1), end=NOW, step=15
    )

    assert np.isnan(series.values[0]) and list(series.times) == list(TIMES)


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")

    with pytest.raises(LookFailed, match=r"x\.json is no recording"):
        RecordedMetrics.from_file(tmp_path / "x.json")
