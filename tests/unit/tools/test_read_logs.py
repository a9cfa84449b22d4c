"""Raw lines by time, pod and text."""

from datetime import timedelta

import pytest

from bot.core.errors import InvalidQuery
from bot.core.logs.line import LogLine
from tests.evaluation.recorded import RecordedLogs
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import ONSET, call_tool, context

LINES = [
    LogLine(at=ONSET, text="ERROR pool exhausted", pod="checkout-a"),
    LogLine(at=ONSET + timedelta(seconds=1), text="  at Pool.take(Pool.java:12)", pod="checkout-a"),
    LogLine(at=ONSET + timedelta(seconds=2), text="INFO served", pod="checkout-b"),
    LogLine(at=NOW - timedelta(hours=2), text="INFO started", pod="checkout-b"),
]
LOGS = RecordedLogs({"checkout": LINES, "payments": [LogLine(at=NOW, text=f"line {n}") for n in range(500)]})


async def test_the_lines_around_the_alert_stand_as_they_were_written_oldest_first() -> None:
    evidence = await call_tool("read_logs", context(logs=LOGS), service="checkout")

    assert evidence.details == (
        "02:57:00.000Z checkout-a ERROR pool exhausted",
        "02:57:01.000Z checkout-a at Pool.take(Pool.java:12)",
        "02:57:02.000Z checkout-b INFO served",
    )
    assert evidence.user_controllable and "3 log lines of 2 pods" in evidence.summary


async def test_pod_text_and_time_narrow_the_window() -> None:
    of_pod = await call_tool("read_logs", context(logs=LOGS), service="checkout", pod="checkout-b")
    of_text = await call_tool("read_logs", context(logs=LOGS), service="checkout", text="POOL")
    earlier = await call_tool("read_logs", context(logs=LOGS), service="checkout", start="01:00", minutes=5)

    assert [len(found.details) for found in (of_pod, of_text, earlier)] == [1, 2, 1]


async def test_of_many_lines_the_first_or_the_newest_are_shown_and_the_rest_is_counted() -> None:
    start = "2026-03-01T02:59:00Z"
    first = await call_tool("read_logs", context(logs=LOGS), service="payments", start=start)
    newest = await call_tool("read_logs", context(logs=LOGS), service="payments", start=start, newest=True)

    assert len(first.details) == len(newest.details) == 200 and first.details != newest.details
    assert "500 log lines" in first.summary and "200 of them shown" in first.summary


@pytest.mark.parametrize("start", ["2:57:01", "02:57:01", "2:57:01Z", "2026-03-01T02:57:01Z"])
async def test_a_time_of_day_may_have_one_digit_of_an_hour_and_seconds(start: str) -> None:
    evidence = await call_tool("read_logs", context(logs=LOGS), service="checkout", start=start, minutes=1)

    assert evidence.details[0] == "02:57:01.000Z checkout-a at Pool.take(Pool.java:12)"


@pytest.mark.parametrize("start", ["yesterday", "25:00", "2026-13-01"])
async def test_a_moment_that_is_none_is_the_models_mistake(start: str) -> None:
    with pytest.raises(InvalidQuery):
        await call_tool("read_logs", context(logs=LOGS), service="checkout", start=start)
