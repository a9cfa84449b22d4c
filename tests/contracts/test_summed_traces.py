"""Spans summed up by caller, callee and minute: what each trace store answers, what it may leave out, and how that is told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.core.config.systems import TracesConfig
from bot.core.errors import QueryFailed
from bot.core.service import Catalogue, Service
from bot.core.traces.calls import CallSummary
from bot.core.traces.spans import Sample
from bot.monitoring.traces.jaeger import JaegerTraces
from bot.monitoring.traces.tempo import TempoTraces
from tests.contracts.trace_stores import JaegerStore, Row, Store, TempoStore, Trace
from tests.unit.builders import NOW as TOOLS_NOW
from tests.unit.tools.tool_fixture import call_tool, context

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDRESSES = TracesConfig(tempo="http://tempo.example.com", jaeger="http://jaeger.example.com")

Kind = type[JaegerTraces] | type[TempoTraces]
STORES: dict[Kind, type[Store]] = {JaegerTraces: JaegerStore, TempoTraces: TempoStore}


@pytest.fixture(params=[JaegerTraces, TempoTraces])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@asynccontextmanager
async def traces_of(kind: Kind, store: Store, seconds: float = 8.0) -> AsyncIterator[JaegerTraces | TempoTraces]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(store.answer)) as client:
        yield kind(ADDRESSES, client, seconds=seconds)


async def summed(kind: Kind, store: Store, *services: str, window: timedelta = timedelta(minutes=5)) -> Sample[CallSummary]:
    async with traces_of(kind, store) as traces:
        return await traces.calls(services or ("web", "checkout"), start=NOW - window, end=NOW)


def request(
    seconds_ago: float, *, wait: float = 0.25, work: float = 0.05, skew: float = 0.0, callee: str = "checkout"
) -> Trace:
    """One request of `web`, which waits `wait` for `callee`, whose clock is `skew` seconds ahead."""
    start = NOW.timestamp() - seconds_ago
    return (
        Row(1, 0, "web", "GET /pay", "server", start, wait + 0.05),
        Row(2, 1, "web", "POST", "client", start + 0.01, wait),
        Row(3, 2, callee, "POST /pay", "server", start + 0.02 + skew, work),
    )


def store_of(kind: Kind, traces: Sequence[Trace], **more: Any) -> Store:
    return STORES[kind](traces, **more)


async def test_spans_are_summed_up_by_minute_caller_and_side(kind: Kind) -> None:
    store = store_of(kind, [request(30), request(20, wait=0.35), request(90)])

    sample = await summed(kind, store)

    last = int(NOW.timestamp()) - 60
    rows = {(one.minute, one.caller, one.service, one.side): one for one in sample.rows}
    assert set(rows) == {
        (minute, *who)
        for minute in (last - 60, last)
        for who in (("", "web", "server"), ("web", "web", "client"), ("web", "checkout", "server"))
    }
    call = rows[last, "web", "web", "client"]
    assert (call.operation, call.count) == ("POST", 2)
    assert (round(call.p50, 6), round(call.longest, 6)) == (0.30, 0.35)
    assert not sample.more and sample.unread == ()


async def test_a_trace_that_both_services_are_asked_for_counts_once(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(30)]), "web", "checkout", "web")

    assert [one.count for one in sample.rows] == [1, 1, 1]


async def test_tempo_is_asked_once_for_a_trace_that_many_services_share() -> None:
    store = TempoStore([request(30)])

    await summed(TempoTraces, store)

    assert sum("/api/traces/" in address for address in store.asked) == 1


async def test_more_traces_than_are_read_are_told_as_a_sample(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(n) for n in range(1, 60)]), "checkout")

    assert sample.more and "a sample" in sample.limits
    assert sum(one.count for one in sample.rows if one.side == "client") == 30


async def test_as_many_traces_as_may_be_read_are_no_sample(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(n) for n in range(1, 31)]), "checkout")

    assert not sample.more and sum(one.count for one in sample.rows if one.side == "client") == 30


async def test_a_long_window_is_read_over_its_whole_length(kind: Kind) -> None:
    """A store answers the newest traces first: of a busy hour they would be its last seconds."""
    every_ten_seconds = [request(n * 10) for n in range(1, 360)]

    sample = await summed(kind, store_of(kind, every_ten_seconds), "checkout", window=HOUR)

    minutes = {one.minute for one in sample.rows}
    assert max(minutes) - min(minutes) >= 50 * 60 and sample.more


async def test_many_services_are_read_with_few_searches(kind: Kind) -> None:
    services = [f"s{n}" for n in range(60)]
    store = store_of(kind, [request(30, callee=one) for one in services])

    await summed(kind, store, *services, window=6 * HOUR)

    assert sum("service" in address for address in store.asked) == 60


@pytest.mark.parametrize("skew", [-3_600.0, 45.0, 3_600.0])
async def test_a_clock_that_is_ahead_or_behind_leaves_call_and_answer_in_one_minute(kind: Kind, skew: float) -> None:
    sample = await summed(kind, store_of(kind, [request(30, skew=skew)]))

    assert {one.minute for one in sample.rows} == {int(NOW.timestamp()) - 60}


async def test_a_span_whose_parent_was_not_kept_tells_no_caller(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(30)[2:]]))

    assert [(one.caller, one.service, one.side) for one in sample.rows] == [("", "checkout", "server")]


async def test_a_span_that_ended_before_it_began_counts_nowhere_and_tells_who_called(kind: Kind) -> None:
    root, call, served = request(30)
    sample = await summed(kind, store_of(kind, [(root, replace(call, seconds=-5.0), served)]))

    assert [(one.caller, one.service, one.side) for one in sample.rows] == [
        ("", "web", "server"),
        ("web", "checkout", "server"),
    ]


async def test_ids_in_hexadecimal_and_kinds_as_numbers_are_read_as_well() -> None:
    sample = await summed(TempoTraces, TempoStore([request(30)], hex_ids=True))

    assert [(one.caller, one.side) for one in sample.rows] == [("", "server"), ("web", "server"), ("web", "client")]


async def test_one_unreadable_trace_leaves_the_others_and_is_told(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(30), request(40)], broken=frozenset({1})), "checkout")

    assert [one.count for one in sample.rows] == [1, 1, 1]
    assert len(sample.unread) == 1 and ("1 of 2 traces" in sample.limits or "3 of 6 spans" in sample.limits)


async def test_where_no_span_could_be_read_nothing_was_seen(kind: Kind) -> None:
    with pytest.raises(QueryFailed):
        await summed(kind, store_of(kind, [request(30)], broken=frozenset({0})))


async def test_a_service_that_could_not_be_read_is_named_beside_those_that_could(kind: Kind) -> None:
    class Half(STORES[kind]):  # type: ignore[misc, valid-type]
        def answer(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(503) if "payments" in str(request.url) else super().answer(request)

    sample = await summed(kind, Half([request(30)]), "checkout", "payments")

    assert sample.rows and "payments could not be read" in sample.limits and "HTTP 503" in sample.limits


@pytest.mark.parametrize("name", ['say "pay"', "zahlung\\dienst", "a b&c=d/e?f#g", "søknad-日本", "x" * 500])
async def test_any_name_of_a_service_is_asked_for_as_it_is(kind: Kind, name: str) -> None:
    sample = await summed(kind, store_of(kind, [request(30, callee=name), request(31)]), name)

    assert sum(one.count for one in sample.rows if one.side == "client") == 1


async def test_a_window_without_traces_is_empty_and_no_failure(kind: Kind) -> None:
    assert await summed(kind, store_of(kind, [])) == Sample([], more=False, unread=())


async def test_a_window_of_less_than_a_second_can_be_asked(kind: Kind) -> None:
    sample = await summed(kind, store_of(kind, [request(30)]), window=timedelta(milliseconds=1))

    assert not sample.rows


@pytest.mark.parametrize(
    ("refuse", "why"),
    [
        (httpx.ConnectError("connection refused"), "cannot be reached"),
        (httpx.ReadTimeout("slow"), "did not answer within 8 s"),
        (httpx.Response(500, json={"data": None, "errors": [{"code": 500, "msg": "storage is down"}]}), "storage is down"),
        (httpx.Response(502, html="<html>Bad gateway</html>"), "HTTP 502"),
        (httpx.Response(200, html="<html>Log in</html>"), "no JSON"),
        (httpx.Response(200, json=[1, 2]), "is not the"),
        (httpx.Response(200, json={"hello": "world"}), "is not the"),
        (httpx.Response(200, content=b" " * (6 * 2**20)), "more than 5 MiB"),
        (httpx.Response(302, headers={"Location": "http://evil.example.com"}), "HTTP 302"),
    ],
)
async def test_a_store_that_does_not_answer_as_it_should_could_not_be_looked_at(
    kind: Kind, refuse: httpx.Response | Exception, why: str
) -> None:
    with pytest.raises(QueryFailed, match=why):
        await summed(kind, store_of(kind, [request(30)], refuse=refuse))


async def test_traces_too_large_for_one_answer_are_read_fewer_at_a_time() -> None:
    class Large(JaegerStore):
        def answered(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
            return httpx.Response(200, content=b" " * (6 * 2**20)) if int(asked["limit"]) > 8 else super().answered(path, asked)

    sample = await summed(JaegerTraces, Large([request(n) for n in range(1, 31)]), "checkout")

    assert sample.more and sum(one.count for one in sample.rows if one.side == "client") == 7


@pytest.mark.parametrize("answer", [{"data": None, "errors": [{"code": 500, "msg": "index is red"}]}, {"data": {}}])
async def test_jaegers_own_words_for_a_failure_are_not_taken_for_no_traces(answer: dict[str, Any]) -> None:
    with pytest.raises(QueryFailed):
        await summed(JaegerTraces, JaegerStore([], refuse=httpx.Response(200, json=answer)))


async def test_the_check_of_each_store_refuses_a_page_that_is_not_its_api(kind: Kind) -> None:
    async with traces_of(kind, store_of(kind, [request(30)])) as traces:
        await traces.check()
    async with traces_of(kind, store_of(kind, [], refuse=httpx.Response(200, json={"status": "ok"}))) as traces:
        with pytest.raises(QueryFailed):
            await traces.check()


SHOP = Catalogue([Service(name="web", depends_on=("checkout",)), Service(name="checkout")])


def shifted(trace: Trace) -> Trace:
    moved = TOOLS_NOW.timestamp() - NOW.timestamp()
    return [replace(row, start=row.start + moved) for row in trace]


async def test_the_tool_says_what_it_saw_only_a_part_of(kind: Kind) -> None:
    usual = [request(n * 30) for n in range(10, 300)]
    slow = [request(n, wait=2.0) for n in range(1, 60)]
    store = store_of(kind, [shifted(one) for one in [*usual, *slow]])

    async with traces_of(kind, store) as traces:
        evidence = await call_tool("call_waits", context(traces=traces, catalogue=SHOP))

    assert "calls to checkout" in evidence.summary and "a sample: there were more traces" in evidence.summary
    assert evidence.facts.deviations[0].doublings > 0


async def test_no_tool_reads_traces_of_nobody(kind: Kind) -> None:
    async with traces_of(kind, store_of(kind, [])) as traces:
        with pytest.raises(QueryFailed, match="tells no service"):
            await call_tool("call_waits", context(traces=traces, catalogue=Catalogue(), case={"service": ""}))
