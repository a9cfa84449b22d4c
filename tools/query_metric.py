"""The tool `query_metric`: one signal, or one PromQL query, over a window."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from bot.core.errors import InvalidQuery
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.loading.arrays import np
from bot.core.metrics.promql import tokenize
from bot.core.metrics.series import Series, finite_or_none, known_samples
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import labels_text, series_text, threshold_text
from bot.core.text.durations import minutes_text
from bot.core.text.figures import figure
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, Minutes, ServiceName, SignalName
from tools._arguments import alert_moment, limited_minutes, moment_of, service_of
from tools._reading import STEP_SECONDS, Reading, read
from tools._signals import metrics_of, signal_of

MAX_SHOWN = 20
MAX_COURSES, COURSE_POINTS = 3, 16
FURTHEST = timedelta(days=31)


@tool(label="{service} {signal}")
async def query_metric(
    ctx: ToolContext,
    service: ServiceName = "",
    signal: SignalName = "",
    promql: Annotated[str, Described("Instead of service and signal")] = "",
    minutes: Minutes = 60,
    start: Annotated[str, Described("Begin of a window of the last month: ISO 8601 or 02:50 (UTC)")] = "",
    end: Annotated[str, Described("Its end; alone: of the `minutes` before")] = "",
) -> Evidence:
    """Read one metric over a window: newest, lowest and highest value of each series, and its course.

    Call it with a service and signal (without one: the signal behind the alert), or with PromQL
    aggregated to a few series.
    """
    minutes = limited_minutes(minutes)
    chosen = _free(ctx, promql) if promql.strip() else await signal_of(ctx, service_of(ctx, service), signal)
    before = timedelta(minutes=minutes)
    if start.strip() or end.strip():
        return await _window(ctx, chosen, start, end, before)
    moment = alert_moment(ctx)
    alert_at = moment if moment > ctx.now - before else ctx.now
    reading = await read(ctx, chosen, alert_at=alert_at, before=before - (ctx.now - alert_at))
    return _evidence(ctx, reading, minutes)


async def _window(ctx: ToolContext, signal: SignalQuery, start: str, end: str, length: timedelta) -> Evidence:
    """A window of the past, as it was: nothing is judged. Without a start it is so long, without an end it lasts till now."""
    until = moment_of(ctx, end, ctx.now)
    since = max(moment_of(ctx, start, until - length), ctx.now - FURTHEST)
    if since >= until:
        raise InvalidQuery("the window ends before it begins")
    step = max(STEP_SECONDS, (until - since).total_seconds() / 2_000)
    answer = await metrics_of(ctx).range(signal.promql, start=since, end=until, step=step)
    reading = Reading(signal, since, until, [line for line in answer if signal.concerns(line.labels)])
    name, span = (
        one_line(f"{signal.service} {signal.name}", 200),
        f"from {date_to_the_minute(since)} to {date_to_the_minute(until)}",
    )
    if not reading.series:
        summary = f"{name}: no series matches {span}, which is no sign of health"
    else:
        worst = known_samples(reading.worst).values
        low, high = (figure(float(edge), signal.unit) for edge in (worst.min(), worst.max())) if len(worst) else ("-", "-")
        more = f"; the worst of {len(reading.series)} series" if len(reading.series) > 1 else ""
        summary = f"{name}: {low} to {high}, at the end {figure(reading.last, signal.unit)}{more}, {span}"
    return Evidence(
        summary=summary,
        query=signal.promql,
        window=TimeWindow(start=since, end=until),
        details=_details(reading),
        link=metrics_of(ctx).link(signal.promql, start=since, end=until),
        source="prometheus",
    )


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
        facts=EvidenceFacts(deviations=(fact,) if fact and signal.harm != "either" else (), last=finite_or_none(reading.last)),
    )


def _details(reading: Reading) -> tuple[str, ...]:
    shown = [series_text(line, reading.signal.unit) for line in reading.series[:MAX_SHOWN]]
    hidden = len(reading.series) - len(shown)
    more = [f"and {hidden} more series"] if hidden > 0 else []
    return (*shown, *more, *(_course(line, reading.signal.unit) for line in reading.series[:MAX_COURSES]))


def _course(series: Series, unit: str) -> str:
    """A series' values at some moments of the window, evenly spread: `course of {...}: 02:00 0.1 %, 02:05 12 %`."""
    samples = known_samples(series)
    places = sorted({round(index) for index in np.linspace(0, len(samples.times) - 1, min(COURSE_POINTS, len(samples.times)))})
    moments = [datetime.fromtimestamp(float(samples.times[index]), UTC) for index in places]
    form = "%m-%d %H:%M" if len(moments) > 1 and moments[-1] - moments[0] > timedelta(hours=20) else "%H:%M"
    points = (f"{at:{form}} {figure(float(samples.values[index]), unit)}" for at, index in zip(moments, places, strict=True))
    return f"course of {labels_text(dict(series.labels))} (UTC): {', '.join(points)}"
