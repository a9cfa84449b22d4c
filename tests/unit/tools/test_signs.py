"""The tools that look for signs of one service: time on the wire, calls and log lines that are other than usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service, Signal
from bot.core.traces.calls import CallSummary
from bot.core.traces.spans import Sample, Span
from tests.evaluation.recorded import RecordedLogs, RecordedMetrics, RecordedTraces
from tests.unit.tools.tool_fixture import NOW, ONSET, Step, call_tool, context

SHOP = Catalogue(
    [
        Service(
            name="checkout",
            depends_on=("mail",),
            signals={
                "latency p50": Signal(promql="served", unit="s"),
                "latency p50 at callers": Signal(promql="waited", unit="s"),
                "requests": Signal(promql="checkout_requests"),
            },
        ),
        Service(name="mail", signals={"requests": Signal(promql="mail_requests")}),
    ]
)


async def test_what_only_callers_wait_is_time_on_the_wire() -> None:
    steps = {"served": Step(0.01, 0.01), "waited": Step(0.012, 0.5), "checkout_requests": Step(10, 10)}

    evidence = await call_tool("service_health", context(steps, catalogue=SHOP), service="checkout")

    (wire,) = [row for row in evidence.facts.deviations if row.family == "network"]
    assert wire.signal == "latency p50 on the wire" and wire.doublings > 2 and wire.after == pytest.approx(0.49, rel=0.1)


async def test_a_service_that_no_longer_calls_what_it_called_behaves_otherwise() -> None:
    steps = {"checkout_requests": Step(10, 30), "mail_requests": Step(10, 0)}

    evidence = await call_tool("call_mix", context(steps, catalogue=SHOP), service="checkout")

    (row,) = evidence.facts.deviations
    assert (row.family, row.peer, row.direction) == ("behaviour", "mail", "down") and row.doublings > 1


async def test_more_load_all_the_way_down_is_the_same_mix_of_calls() -> None:
    steps = {"checkout_requests": Step(10, 30), "mail_requests": Step(10, 30)}

    evidence = await call_tool("call_mix", context(steps, catalogue=SHOP), service="checkout")

    assert evidence.facts.deviations[0].doublings <= 0 and "as often per request as before" in evidence.summary


async def test_calls_of_which_too_few_were_counted_are_not_called_as_many_as_before() -> None:
    times = np.arange(NOW.timestamp() - 30, NOW.timestamp(), 10.0)
    counted = {name: [Series({}, times, np.full(3, 10.0))] for name in ("checkout_requests", "mail_requests")}

    with pytest.raises(QueryFailed, match="too few samples"):
        await call_tool("call_mix", context(metrics=RecordedMetrics(counted), catalogue=SHOP), service="checkout")


async def test_a_service_that_calls_nobody_has_no_mix_of_calls() -> None:
    with pytest.raises(QueryFailed, match="not known"):
        await call_tool("call_mix", context({"mail_requests": Step(1, 1)}, catalogue=SHOP), service="mail")


def logged(*kinds: str, minutes: range) -> list[LogLine]:
    """Ten lines of each kind a minute, counted from the onset."""
    at = [ONSET + timedelta(minutes=minute, seconds=second) for minute in minutes for second in range(0, 60, 6)]
    return [LogLine(at=moment, text=kind) for moment in at for kind in kinds]


async def test_a_line_that_is_no_longer_logged_is_told_as_gone() -> None:
    past, now = logged("received", "stored", minutes=range(-30, 0)), logged("received", minutes=range(3))
    logs = RecordedLogs({"checkout": [*past, *now]})

    evidence = await call_tool("log_mix", context(logs=logs), service="checkout")

    assert "gone: 'stored'" in " ".join(evidence.details) and evidence.facts.deviations[0].doublings > 0
    assert evidence.user_controllable


async def test_without_lines_in_the_past_no_mix_can_be_compared() -> None:
    logs = RecordedLogs({"checkout": logged("received", minutes=range(1, 3))})

    with pytest.raises(QueryFailed, match="no mix to compare"):
        await call_tool("log_mix", context(logs=logs), service="checkout")


def spans(minute: int, waited: float) -> list[CallSummary]:
    """One caller that waits so long for a server that takes 10 ms."""
    at = int(ONSET.timestamp()) // 60 * 60 + 60 * minute
    client = CallSummary(at, "front", "front", "HTTP GET", "client", 20, waited, waited, waited)
    return [client, CallSummary(at, "front", "checkout", "/pay", "server", 20, 0.01, 0.01, 0.01)]


async def test_callers_that_wait_for_a_fast_server_point_at_the_way_to_it() -> None:
    recorded = [one for minute in range(-10, 0) for one in spans(minute, 0.012)]
    traces = RecordedTraces([*recorded, *spans(1, 1.2), *spans(2, 1.2)])

    evidence = await call_tool("call_waits", context(traces=traces))

    assert evidence.facts.deviations[0].service == "checkout" and evidence.facts.deviations[0].doublings > 2
    assert evidence.summary.startswith("Callers wait longer than the called services take")


async def test_without_a_trace_store_it_could_not_look() -> None:
    with pytest.raises(QueryFailed, match="no trace store"):
        await call_tool("call_waits", context())


async def test_without_a_service_all_known_ones_are_listed() -> None:
    evidence = await call_tool("dependencies", context(catalogue=SHOP, case={"service": ""}), service="")

    assert evidence.facts.services == ("checkout", "mail")


async def test_spans_after_the_look_are_not_seen() -> None:
    late = (NOW - ONSET) // timedelta(minutes=1) + 5
    traces = RecordedTraces([*(one for minute in range(-10, 3) for one in spans(minute, 0.012)), *spans(late, 9.0)])

    assert (await call_tool("call_waits", context(traces=traces))).facts.deviations == ()


async def test_lines_logged_while_a_rule_waited_are_no_part_of_the_usual_mix() -> None:
    """The alert waited ten minutes: what fell silent then must not count as usual."""
    usual = logged("received", "stored", minutes=range(-60, -10))
    logs = RecordedLogs({"checkout": [*usual, *logged("received", minutes=range(-10, 3))]})
    rule = {"name": "HighErrorRate", "query": "errors > 0.1", "labels": {}, "duration": 600.0}

    ctx = context(logs=logs, metrics=RecordedMetrics({}, [rule]))
    evidence = await call_tool("log_mix", ctx, service="checkout")

    assert evidence.window and evidence.window.start == ctx.case.started_at - timedelta(minutes=11)
    assert "gone: 'stored'" in " ".join(evidence.details)


@dataclass(frozen=True)
class Gappy:
    """A trace store that lost one service's spans."""

    async def spans(self, service: str, **_window: Any) -> Sample[Span]:
        return Sample(unread=("3 of 20 traces could not be read",))

    async def calls(self, services: Sequence[str], **_window: Any) -> Sample[CallSummary]:
        return Sample(spans(1, 1.2), unread=("payments could not be read: HTTP 500",))

    def query(self, service: str) -> str:
        return service


async def test_traces_that_could_not_be_read_are_listed_as_what_was_not_seen() -> None:
    waits, spent = [
        await call_tool(tool, context(traces=Gappy()), **asked)
        for tool, asked in (("call_waits", {}), ("search_traces", {"service": "checkout"}))
    ]

    assert waits.ok and waits.unseen == ("Could not check (traces): payments could not be read: HTTP 500",)
    assert spent.unseen == ("Could not check (traces): 3 of 20 traces could not be read",)
