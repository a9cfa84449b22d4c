"""What a service reads now, and whether that is trouble."""

import numpy as np

from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import call_tool, context

CATALOGUE = Catalogue(
    [
        Service(
            name="checkout",
            signals={
                "errors": {"promql": "errors", "unit": "ratio", "bad_above": 0.05},
                "latency": {"promql": "latency", "unit": "s"},
            },
        )
    ]
)


def series(before: float, after: float, now: float, *, silent_minutes: float = 0) -> Series:
    """An hour: before, during the incident of the last three minutes, and at this moment."""
    times = np.arange(NOW.timestamp() - 3600, NOW.timestamp() - 60 * silent_minutes, 5.0)
    values = np.where(times < NOW.timestamp() - 180, before, after) * (1 + 0.01 * np.sin(times))
    values[-3:] = now
    return Series({}, times, values)


async def read(errors: Series, latency: Series):  # type: ignore[no-untyped-def]
    return await call_tool(
        "current_values",
        context(catalogue=CATALOGUE, metrics=RecordedMetrics({"errors": [errors], "latency": [latency]})),
        service="checkout",
    )


async def test_what_is_over_reads_as_usual_although_it_deviated() -> None:
    parsed = await read(series(0.001, 0.2, 0.001), series(0.1, 3.0, 0.1))

    assert [fact.trouble for fact in parsed.facts.current or ()] == [False, False]
    assert parsed.summary == "checkout: 2 of 2 signals are as usual or within their thresholds now"


async def test_what_still_stands_is_trouble_by_threshold_or_by_what_is_usual() -> None:
    parsed = await read(series(0.001, 0.2, 0.2), series(0.1, 3.0, 3.0))

    assert [fact.text for fact in parsed.facts.current or ()] == [
        "checkout errors: 20 % now, above the threshold of 5 %, usually 0.1 %",
        "checkout latency: 3 s now, high for it, usually 100 ms",
    ]
    assert "2 of 2 signals are in trouble now" in parsed.summary


async def test_an_unusual_value_within_the_owners_threshold_is_no_trouble() -> None:
    parsed = await read(series(0.001, 0.02, 0.02), series(0.1, 0.1, 0.1))

    assert [(fact.state, fact.trouble) for fact in parsed.facts.current or ()] == [("high", False), ("usual", False)]


async def test_an_old_value_is_no_value_of_now() -> None:
    silent = series(0.001, 0.001, 0.001, silent_minutes=10)
    parsed = await read(silent, silent)

    assert not parsed.ok
    assert all("has no value now, which is no sign of health" in line for line in parsed.details)


async def test_signals_that_could_not_be_read_are_named_and_never_read_as_usual() -> None:
    services = [Service(name="checkout", signals={f"s{n}": {"promql": f"q{n}", "unit": "s"} for n in range(26)})]
    usual, silent = series(0.1, 0.1, 0.1), series(0.1, 0.1, 0.1, silent_minutes=10)
    metrics = RecordedMetrics({f"q{n}": [silent if n == 1 else usual] for n in range(26) if n != 0})

    evidence = await call_tool("current_values", context(catalogue=Catalogue(services), metrics=metrics), service="checkout")

    assert evidence.summary == (
        "checkout: 22 of 26 signals are as usual or within their thresholds now; 1 without a value now; 3 could not be read"
    )
    assert [text.partition(": ")[0] for text in evidence.unseen] == [
        "Could not check (checkout s0 now)",
        "Could not check (checkout s1 now)",
        "Could not check (checkout s24, s25 now)",
    ]
