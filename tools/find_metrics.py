"""The tool `find_metrics`: which metrics there are, what they mean, and which labels with which values they have."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.metrics.promql import Matcher, is_metric_name, selector
from bot.core.metrics.signals import service_matchers
from bot.core.systems import MetricDescription
from bot.core.text.stemming import stems
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import AnyService, Described
from tools._arguments import service_of
from tools._signals import metrics_of

BACK = timedelta(hours=1)
MAX_NAMES, MAX_LABELS, MAX_VALUES = 80, 30, 12


@tool(label="metrics{of}")
async def find_metrics(
    ctx: ToolContext,
    text: Annotated[str, Described('Words of name or description, e.g. "connection pool"')] = "",
    service: AnyService = "",
    metric: Annotated[str, Described("Whose labels and values are wanted")] = "",
) -> Evidence:
    """List the metrics that exist with type and meaning; or, of one `metric`, its labels with values.

    Call it before you write PromQL: a query on a name that does not exist shows nothing.
    """
    start = ctx.now - BACK
    matchers = await _matchers(ctx, service)
    window = TimeWindow(start=start, end=ctx.now)
    if metric.strip():
        return await _labels(ctx, metric.strip(), matchers, window)
    names, described = await asyncio.gather(
        metrics_of(ctx).names(selector("", matchers) if matchers else "", start=start, end=ctx.now), _metadata(ctx)
    )
    words = frozenset(stems(text.replace("_", " ")))
    fitting = [name for name in names if not words or words & _words(name, described.get(name))]
    fitting.sort(key=lambda name: (-len(words & _words(name, described.get(name))), name))
    of = f" of {service_of(ctx, service)}" if service.strip() else ""
    about = f" about {one_line(text, 60)!r}" if words else ""
    hidden = len(fitting) - MAX_NAMES
    return Evidence(
        summary=f"{len(fitting)} of {len(names)} metrics{of} have samples in the last hour{about}",
        query=f"GET /api/v1/label/__name__/values{_match(matchers)}",
        window=window,
        details=(
            *(_line(name, described.get(name)) for name in fitting[:MAX_NAMES]),
            *((f"and {hidden} more: give more words",) if hidden > 0 else ()),
        ),
        source="prometheus",
    )


async def _labels(ctx: ToolContext, metric: str, matchers: Sequence[Matcher], window: TimeWindow) -> Evidence:
    if not is_metric_name(metric):
        raise InvalidQuery(f"{one_line(metric, 80)!r} is no name of a metric")
    chosen = selector(metric, matchers)
    sets = await metrics_of(ctx).label_sets(chosen, start=window.start, end=window.end)
    values: dict[str, Counter[str]] = {}
    for labels in sets:
        for name, value in labels.items():
            if name != "__name__":
                values.setdefault(name, Counter())[value] += 1
    described = (await _metadata(ctx)).get(metric)
    return Evidence(
        summary=f"{metric}: {len(sets)} series with the labels {', '.join(sorted(values)) or 'none'}"
        if sets
        else f"{metric} has no series in the last hour",
        query=f"GET /api/v1/series?match[]={chosen}",
        window=window,
        details=(_line(metric, described), *(_values(name, values[name]) for name in sorted(values)[:MAX_LABELS])),
        source="prometheus",
        user_controllable=True,
    )


async def _matchers(ctx: ToolContext, service: str) -> Sequence[Matcher]:
    """The labels that name a service, of the ways to name it the first that any series has."""
    if not service.strip():
        return ()
    name = service_of(ctx, service)
    for matchers in service_matchers(name, ctx.case.labels, ctx.catalogue.get(name)):
        if await metrics_of(ctx).names(selector("", matchers), start=ctx.now - BACK, end=ctx.now):
            return matchers
    raise QueryFailed(f"no metric of {name} has samples in the last hour under any label that names services")


async def _metadata(ctx: ToolContext) -> Mapping[str, MetricDescription]:
    """Descriptions are a help and not the answer: without them the names stand alone."""
    try:
        return await metrics_of(ctx).metadata()
    except QueryFailed:
        return {}


def _words(name: str, description: MetricDescription | None) -> frozenset[str]:
    return frozenset(stems(f"{name.replace('_', ' ').replace(':', ' ')} {description.help if description else ''}"))


def _line(name: str, description: MetricDescription | None) -> str:
    if description is None:
        return one_line(name, 120)
    unit = f", {description.unit}" if description.unit else ""
    return f"{one_line(name, 120)} ({description.type or 'unknown'}{unit}): {one_line(description.help, 160)}"


def _values(name: str, values: Counter[str]) -> str:
    shown = ", ".join(f"{one_line(value, 60)} ({count})" for value, count in values.most_common(MAX_VALUES))
    more = f" and {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
    return f"label {one_line(name, 60)}: {shown}{more}"


def _match(matchers: Sequence[Matcher]) -> str:
    return f"?match[]={selector('', matchers)}" if matchers else ""
