"""The tool `query_metric`: one signal, or one PromQL query, over a window."""

from datetime import timedelta

from bot.core.errors import InvalidQuery
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.promql import tokenize
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import series_text, threshold_text
from bot.core.text.durations import minutes_text
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext, tool
from tools._arguments import alert_moment, limited_minutes, service_of
from tools._reading import Reading, read
from tools._signals import metrics_of, signal_of

MAX_SHOWN = 20


@tool(label="{service} {signal}")
async def query_metric(ctx: ToolContext, service: str = "", signal: str = "", promql: str = "", minutes: int = 60) -> Evidence:
    """Read one metric over the last minutes: newest, lowest and highest value of each series.

    Name a service and one of its signals ("errors", "latency", "traffic",
    ...); without a signal the one behind the alert is read. Or give PromQL in
    `promql`, aggregated to a few series with `sum by (...)` or `max by (...)`.
    Call it to see a value; to learn whether it changed call compare_metric.
    """
    minutes = limited_minutes(minutes)
    chosen = _free(ctx, promql) if promql.strip() else await signal_of(ctx, service_of(ctx, service), signal)
    moment, before = alert_moment(ctx), timedelta(minutes=minutes)
    alert_at = moment if moment > ctx.now - before else ctx.now
    reading = await read(ctx, chosen, alert_at=alert_at, before=before - (ctx.now - alert_at))
    return _evidence(ctx, reading, minutes)


def _free(ctx: ToolContext, promql: str) -> SignalQuery:
    """A query of the model's or a person's own. Prometheus judges it; only what cannot be PromQL is refused here."""
    try:
        tokenize(promql)
    except ValueError as error:
        raise InvalidQuery(f"the query cannot be read: {error}") from error
    return SignalQuery(ctx.case.service, one_line(promql, 80), promql.strip(), "saturation", "either")


def _evidence(ctx: ToolContext, reading: Reading, minutes: int) -> Evidence:
    signal, series = reading.signal, reading.series
    name = one_line(f"{signal.service} {signal.name}", 200)
    last = f"the last {minutes_text(minutes)}"
    if not series:
        summary = f"{name}: no series matches in {last}, which is no sign of health"
    else:
        threshold = f" ({threshold_text(signal)})" if threshold_text(signal) else ""
        more = f"; the worst of {len(series)} series" if len(series) > 1 else ""
        summary = f"{name}: {figure(reading.last, signal.unit)} now{threshold}{more}, over {last}"
    fact = reading.fact
    return Evidence(
        summary=summary,
        query=signal.promql,
        window=TimeWindow(start=reading.start, end=reading.end),
        details=_details(reading),
        link=metrics_of(ctx).link(signal.promql, start=reading.start, end=reading.end),
        source="prometheus",
        # A free query names no signal, so a deviation of it would be one of no signal.
        facts=EvidenceFacts(deviations=(fact,) if fact and signal.harm != "either" else (), last=_json(reading.last)),
    )


def _details(reading: Reading) -> tuple[str, ...]:
    shown = [series_text(one, reading.signal.unit) for one in reading.series[:MAX_SHOWN]]
    hidden = len(reading.series) - len(shown)
    return (*shown, f"and {hidden} more series") if hidden > 0 else tuple(shown)


def _json(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None
