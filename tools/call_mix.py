"""The tool `call_mix`: whether a service still calls what it used to call, per request that it serves."""

import asyncio
from collections.abc import Sequence

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.deviation import measure_deviation
from bot.core.metrics.series import Series, per_request
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import deviation_text
from bot.core.tool_calls import CALLS, ToolRole
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import alert_moment, service_of
from tools._reading import HISTORY, Reading, read
from tools._signals import metrics_of, signals_of

MAX_CALLEES = 20


@tool(label="what {service} calls", role=ToolRole.CALL_MIX, topic=CALLS, first_for={"load": 1})
async def call_mix(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Compare how often a service calls each dependency per request of its own, now and before the alert.

    Call it when a service fails without being slow: one that returns early stops calling what comes
    after; one that retries calls more. Load cancels out.
    """
    name = service_of(ctx, service)
    callees = ctx.catalogue.dependencies(name)[:MAX_CALLEES]
    own = await _requests(ctx, name)
    if own is None or not callees:
        raise QueryFailed(f"how often {name} calls what it depends on is not known: no callee or no count of requests")
    others = [reading for reading in await asyncio.gather(*(_requests(ctx, c) for c in callees)) if reading is not None]
    readings = await asyncio.to_thread(_judged, ctx, name, own, others)
    if not readings:
        raise QueryFailed(f"the requests of {name} and of what it calls have no samples in common")
    if not any(reading.deviation for reading in readings):
        raise QueryFailed(f"the requests of {name} and of what it calls have too few samples in common to say what is usual")
    readings.sort(key=lambda reading: -(reading.deviation.doublings if reading.deviation else -9))
    start, end = alert_moment(ctx) - HISTORY, ctx.now
    return Evidence(
        summary=_summary(name, readings),
        query="; ".join(reading.signal.promql for reading in readings),
        window=TimeWindow(start=start, end=end),
        details=tuple(deviation_text(reading.deviation) for reading in readings if reading.deviation),
        link=metrics_of(ctx).link(readings[0].signal.promql, start=start, end=end),
        source="prometheus",
        facts=EvidenceFacts(deviations=tuple(reading.fact for reading in readings if reading.fact)),
    )


async def _requests(ctx: ToolContext, service: str) -> Reading | None:
    """The requests a second of one service; None if none are counted."""
    try:
        counted = [s for s in await signals_of(ctx, service) if s.family == "traffic"]
        return await read(ctx, counted[0], alert_at=alert_moment(ctx)) if counted else None
    except QueryFailed:
        return None


def _judged(ctx: ToolContext, name: str, own: Reading, others: Sequence[Reading]) -> list[Reading]:
    readings = []
    for other in others:
        callee = other.signal.service
        promql = f"({other.signal.promql}) / ({own.signal.promql})"
        signal = SignalQuery(name, f"calls to {callee} per request", promql, "behaviour", "either")
        series, earlier = (_ratio(*pair) for pair in ((other.series, own.series), (other.earlier, own.earlier)))
        if series is None:
            continue
        deviation = measure_deviation(
            series,
            service=name,
            signal=signal.name,
            alert_at=alert_moment(ctx),
            family="behaviour",
            harm="either",
            reference=earlier,
            peer=callee,
        )
        readings.append(Reading(signal, other.start, other.end, [series], deviation, other.samples))
    return readings


def _ratio(callee: Sequence[Series], caller: Sequence[Series]) -> Series | None:
    return per_request(callee, caller) if callee and caller else None


def _summary(name: str, readings: Sequence[Reading]) -> str:
    first = readings[0].deviation
    if first is None or first.doublings <= 0:
        return f"{name} calls its {len(readings)} dependencies as often per request as before"
    moved = sum(reading.deviation is not None and reading.deviation.doublings > 0 for reading in readings)
    return f"{deviation_text(first)}; {moved} of {len(readings)} call rates deviate"
