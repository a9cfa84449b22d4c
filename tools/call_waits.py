"""The tool `call_waits`: from spans, whose callers wait longer than any server says it took: a delay on the way."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.deviation import Deviation
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import CALLS, ToolRole
from bot.core.traces.calls import WIRE_TIME, Delay, detect_delays, waits_by_caller
from bot.core.traces.spans import unread_parts
from bot.plugins import ToolContext, tool
from tools._onset import onset_of

BACK = timedelta(hours=6)
LEAD = timedelta(minutes=1)
MAX_SHOWN = 8
MAX_SERVICES = 60


@tool(
    needs="traces",
    label="waits of calls between services",
    role=ToolRole.CALL_WAITS,
    topic=CALLS,
    first_for={"network": 1},
)
async def call_waits(ctx: ToolContext) -> Evidence:
    """Compare in traces what callers wait with what the called services say they took.

    Call it when services are slow but none reports being slow itself, as with a delayed network.
    """
    if ctx.traces is None:
        raise QueryFailed("no trace store is configured")
    since = await onset_of(ctx, guess=timedelta(0)) - LEAD
    services = _services(ctx)
    if not services:
        raise QueryFailed("the alert tells no service and there is no catalogue: whose traces should be read is not known")
    past, now = await asyncio.gather(
        ctx.traces.calls(services, start=since - BACK, end=since), ctx.traces.calls(services, start=since, end=ctx.now)
    )
    if not now.rows:
        raise QueryFailed("no spans were found since the onset")
    delays = await asyncio.to_thread(lambda: detect_delays(waits_by_caller(past.rows), waits_by_caller(now.rows)))
    limits = now.limits or past.limits
    return Evidence(
        summary=_summary(delays) + (f" ({one_line(limits, 200)})" if limits else ""),
        query="; ".join(map(ctx.traces.query, services)),
        window=TimeWindow(start=since, end=ctx.now),
        details=tuple(_line(delay) for delay in delays[:MAX_SHOWN]),
        source="traces",
        unseen=unread_parts(now, past),
        facts=EvidenceFacts(deviations=tuple(_deviation(delay).as_fact() for delay in delays[:MAX_SHOWN])),
    )


def _services(ctx: ToolContext) -> list[str]:
    """Around the alerting service: what it calls and who calls it; all of the catalogue where none is named."""
    own = ctx.case.service
    if not own:
        return sorted(ctx.catalogue.services)[:MAX_SERVICES]
    return list(dict.fromkeys([own, *ctx.catalogue.downstream(own), *ctx.catalogue.dependents(own)]))[:MAX_SERVICES]


def _deviation(delay: Delay) -> Deviation:
    return Deviation(delay.service, WIRE_TIME, "network", delay.doublings, 0.0, delay.seconds, "s")


def _summary(delays: Sequence[Delay]) -> str:
    if not delays or delays[0].doublings <= 0:
        return "No service's callers wait longer than the services take"
    return f"Callers wait longer than the called services take; most: {_line(delays[0])}"


def _line(delay: Delay) -> str:
    seconds = figure(delay.seconds, "s")
    explained = f"explains {delay.fit:.0%} of what callers wait longer"
    return f"calls to {one_line(delay.service, 80)}: about {seconds} on the wire, {explained}"
