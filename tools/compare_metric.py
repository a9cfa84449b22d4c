"""The tool `compare_metric`: one signal now against what was normal before."""

from datetime import timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.wording import series_text, threshold_text
from bot.core.text.durations import minutes_text
from bot.core.text.figures import figure
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Minutes, ServiceName, SignalName
from tools._arguments import limited_minutes, service_of
from tools._reading import Reading, read
from tools._signals import metrics_of, signal_of


@tool(label="{service} {signal} compared")
async def compare_metric(ctx: ToolContext, service: ServiceName, signal: SignalName, minutes: Minutes = 30) -> Evidence:
    """Compare one signal now with the time before: how far it moved, since when, how unusual that is.

    Call it to learn whether a service takes part in the incident. The period of equal length before
    `minutes` is what is normal.
    """
    minutes = limited_minutes(minutes)
    chosen = await signal_of(ctx, service_of(ctx, service), signal)
    reading = await read(ctx, chosen, alert_at=ctx.now, before=timedelta(minutes=2 * minutes))
    return Evidence(
        summary=f"{_summary(reading)}, over the last {minutes_text(2 * minutes)}",
        query=chosen.promql,
        window=TimeWindow(start=reading.start, end=reading.end),
        details=_details(reading),
        link=metrics_of(ctx).link(chosen.promql, start=reading.start, end=reading.end),
        source="prometheus",
        facts=EvidenceFacts(deviations=(reading.fact,) if reading.fact else ()),
    )


def _summary(reading: Reading) -> str:
    if not reading.series:
        return f"{reading.signal.service} {reading.signal.name}: no series matches, which is no sign of health"
    if reading.gap:
        raise QueryFailed(f"{reading.signal.service} {reading.signal.name}: {reading.gap}")
    if reading.deviation is None:
        raise QueryFailed(
            f"{reading.signal.service} {reading.signal.name} has {reading.samples} samples in this window, "
            "too few to say what is normal"
        )
    return reading.text


def _details(reading: Reading) -> tuple[str, ...]:
    signal = reading.signal
    threshold = [f"{threshold_text(signal)}; now {figure(reading.last, signal.unit)}"] if threshold_text(signal) else []
    return (*threshold, *(series_text(line, signal.unit) for line in reading.series[:10]))
