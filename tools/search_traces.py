"""The tool `search_traces`: where the time of a service's requests goes, now against before."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import TimeSpentFact
from bot.core.text.durations import minutes_text
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.traces.spans import Sample, Span, TimeSpent, compare_spans, unread_parts
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Minutes, ServiceName
from bot.ports import Traces
from tools._arguments import limited_minutes, service_of
from tools._onset import onset_of

TRACES = 20
"""Traces read of each window."""
LEAD = timedelta(minutes=5)
"""So long before the onset the time before ends: traces show trouble before a rate does."""
MAX_SHOWN = 25


@tool(needs="traces", label="traces of {service}", first_for={"latency": 1, "network": 2})
async def search_traces(ctx: ToolContext, service: ServiceName, minutes: Minutes = 15) -> Evidence:
    """Compare where the time of requests through a service goes, now and before the alert.

    Call it when a service is slow and metrics do not tell which call makes it so. Gives each
    operation's own time, and the time on the wire between services.
    """
    name, minutes = service_of(ctx, service), limited_minutes(minutes)
    assert ctx.traces is not None
    length = timedelta(minutes=minutes)
    until = await onset_of(ctx) - LEAD
    present, past = await asyncio.gather(
        _read(ctx.traces, name, ctx.now - length, ctx.now), _read(ctx.traces, name, until - length, until)
    )
    now, before = present.rows, past.rows
    rows = await asyncio.to_thread(compare_spans, now, before)
    limits = present.limits or past.limits
    return Evidence(
        summary=_summary(name, minutes, now, before, rows) + (f" ({one_line(limits, 200)})" if limits else ""),
        query=ctx.traces.query(name),
        window=TimeWindow(start=ctx.now - length, end=ctx.now),
        details=tuple(_line(row) for row in rows[:MAX_SHOWN]),
        source="traces",
        unseen=unread_parts(present, past),
        user_controllable=True,
        facts=EvidenceFacts(spent=tuple(TimeSpentFact(**vars(row)) for row in rows[:MAX_SHOWN])),
    )


async def _read(traces: Traces, service: str, start: datetime, end: datetime) -> Sample[Span]:
    return await traces.spans(service, start=start, end=end, traces=TRACES)


def _summary(service: str, minutes: int, now: Sequence[Span], before: Sequence[Span], rows: list[TimeSpent]) -> str:
    traces, earlier = len({span.trace for span in now}), len({span.trace for span in before})
    count = "1 trace" if traces == 1 else f"{traces} traces"
    counts = f"{count} in the last {minutes_text(minutes)}, {earlier} before"
    if not now or not before:
        return f"{service}: {counts}: too few to compare"
    worst = rows[0]
    if worst.lost <= 0:
        return f"{service}: {counts}; no operation takes longer"
    where = f"{one_line(worst.service, 60)} {one_line(worst.operation, 80)}"
    return f"{service}: {counts}; most time lost in {where}: {figure(worst.before, 's')} to {figure(worst.now, 's')} a request"


def _line(row: TimeSpent) -> str:
    where = f"{one_line(row.service, 60)} {one_line(row.operation, 80)}"
    times = f"{figure(row.now, 's')} now over {row.requests}, {figure(row.before, 's')} before over {row.requests_before}"
    errors = f"; errors {row.errors} now, {row.errors_before} before" if row.errors or row.errors_before else ""
    return f"{where}: {times}{errors}"
