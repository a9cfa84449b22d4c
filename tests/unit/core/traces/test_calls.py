"""Delays between services: found in the callers' spans alone, wherever they are added."""

from dataclasses import replace

import numpy as np
import pytest

from bot.core.traces.calls import CallSummary, detect_delays, fit_delays, summarize_calls, waits_by_caller
from bot.core.traces.spans import Span

SERVERS = ["cart", "stock", "price", "mail", "auth"]
CALLERS = {"front": ["cart", "price", "auth"], "orders": ["stock", "mail", "cart"], "back": ["auth", "mail", "stock", "price"]}


def minute(number: int, rng: np.random.Generator, *, delay: dict[str, float] | None = None) -> list[CallSummary]:
    """One minute of calls: each callee serves in some milliseconds; a delay shows in its callers' client spans only."""
    rows = []
    for caller, callees in CALLERS.items():
        waited: list[float] = []
        for callee in callees:
            served = rng.lognormal(-4, 0.6, size=int(rng.integers(1, 20)))
            waited += list(served + 0.003 + (delay or {}).get(callee, 0.0))
            rows.append(row(number, caller, callee, f"/{callee}", "server", served))
        rows.append(row(number, caller, caller, "HTTP GET", "client", np.array(waited)))
    return rows


def row(number: int, caller: str, service: str, operation: str, side: str, seconds: np.ndarray) -> CallSummary:
    p50, p95 = float(np.median(seconds)), float(np.quantile(seconds, 0.95))
    return CallSummary(60 * number, caller, service, operation, side, len(seconds), p50, p95, float(seconds.max()))  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_a_delay_on_the_way_to_any_service_is_found_there(seconds: float) -> None:
    hits = [_culprit(culprit, seconds, seed) == culprit for culprit in SERVERS for seed in range(8)]

    assert sum(hits) / len(hits) >= 0.85


def _culprit(culprit: str, seconds: float, seed: int) -> str:
    rng = np.random.default_rng(seed)
    history = waits_by_caller(one for number in range(5) for one in minute(number, rng))
    present = waits_by_caller(one for number in range(5, 8) for one in minute(number, rng, delay={culprit: seconds}))
    first = detect_delays(history, present)[0]
    return first.service if first.doublings > 0 else ""


def test_without_any_history_a_delay_is_no_less_found() -> None:
    present = waits_by_caller(minute(0, np.random.default_rng(3), delay={"stock": 2.0}))

    assert detect_delays([], present)[0].service == "stock" and detect_delays([], present)[0].doublings > 2


def test_a_server_that_is_slow_itself_is_no_delay_on_the_way() -> None:
    served = np.array([2.0, 2.1, 2.2, 2.3])
    slow = [row(0, "front", "cart", "/cart", "server", served), row(0, "front", "front", "HTTP GET", "client", served + 0.01)]

    assert fit_delays(waits_by_caller(slow)) == []


def test_calls_as_they_always_are_show_no_delay() -> None:
    rng = np.random.default_rng(5)
    history, present = (waits_by_caller(one for n in numbers for one in minute(n, rng)) for numbers in (range(5), range(5, 8)))

    assert detect_delays(history, present) == []


def test_a_service_that_always_waits_so_long_is_no_delay() -> None:
    rng = np.random.default_rng(9)
    history, present = (
        waits_by_caller(one for n in numbers for one in minute(n, rng, delay={"cart": 1.0}))
        for numbers in (range(6), range(6, 9))
    )

    assert detect_delays(history, present) == []


def test_of_two_that_are_always_called_together_spans_that_name_the_callee_find_the_delayed_one() -> None:
    def pair(number: int, stock: float) -> list[CallSummary]:
        served = np.full(8, 0.01)
        servers = [row(number, "front", name, "/", "server", served) for name in ("price", "stock")]
        waited = {"price": 0.012, "stock": stock}
        return servers + [
            replace(row(number, "front", "front", "GET", "client", np.full(8, s)), to=to) for to, s in waited.items()
        ]

    history, present = (
        waits_by_caller(c for n in range(6) for c in pair(n, 0.012)),
        waits_by_caller(c for n in (6, 7) for c in pair(n, 0.6)),
    )

    assert [one.service for one in detect_delays(history, present)] == ["stock"]


def test_single_spans_are_summed_up_by_who_called_whom_each_once() -> None:
    call = Span("t", "b", "a", "front", "HTTP GET", 60.0, 1.2, client=True)
    served = Span("t", "c", "b", "cart", "/cart", 60.1, 0.01)

    summed = {(one.side, one.caller, one.service): one for one in summarize_calls([call, served, served])}

    assert set(summed) == {("client", "front", "front"), ("server", "front", "cart")}
    assert summed["client", "front", "front"].to == "cart"
    assert summed["server", "front", "cart"].count == 1 and summed["client", "front", "front"].longest == 1.2
