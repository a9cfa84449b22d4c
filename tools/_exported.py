"""Everything that a service exports, with two queries: gauges by the mean of their series, counters by their rate."""

from datetime import datetime

from bot.core.loading.arrays import np
from bot.core.metrics.promql import Matcher, selector
from bot.core.metrics.series import Series
from bot.core.metrics.signals import SignalQuery, service_matchers
from bot.plugins import ToolContext
from tools._signals import metrics_of

MAX_METRICS = 120
_COUNTERS = r".+_(total|count)"
_RUNTIMES = "go|process|python|jvm|nodejs|dotnet|promhttp|scrape|container|kube|otel|net_conntrack"
_OF_THE_RUNTIME = rf"({_RUNTIMES})_.*|up|ALERTS.*|.+_(bucket|sum|created|info)"
"""What is no behaviour of the service, and what other series say better. Trusted text."""


async def exported(ctx: ToolContext, service: str, start: datetime, end: datetime) -> list[tuple[SignalQuery, list[Series]]]:
    """Each metric of a service by its name, one series each; empty where it exports none under any label that names services.

    Raises QueryFailed.
    """
    metrics, step = metrics_of(ctx), max(15.0, (end - start).total_seconds() / 2_000)
    for matchers in service_matchers(service, ctx.case, ctx.catalogue.get(service)):
        queries = {
            "gauge": f"avg by (__name__) ({_chosen(matchers, '!~', f'{_COUNTERS}|{_OF_THE_RUNTIME}')})",
            "counter": f"sum by (__name__) ({_chosen(matchers, '=~', _COUNTERS, Matcher('__name__', _OF_THE_RUNTIME, '!~'))})",
        }
        found = {kind: await metrics.range(promql, start=start, end=end, step=step) for kind, promql in queries.items()}
        if any(found.values()):
            return [one for kind, series in found.items() for one in _named(service, kind, queries[kind], series)][:MAX_METRICS]
    return []


def _chosen(matchers: tuple[Matcher, ...], operator: str, names: str, *more: Matcher) -> str:
    return selector("", (*matchers, Matcher("__name__", names, operator), *more))  # type: ignore[arg-type]


def _named(service: str, kind: str, promql: str, series: list[Series]) -> list[tuple[SignalQuery, list[Series]]]:
    named = sorted(((line.labels.get("__name__", ""), line) for line in series), key=lambda one: one[0])
    return [
        (
            SignalQuery(service, name, promql, "saturation", "either", "/s" if kind == "counter" else ""),
            [_rate(line) if kind == "counter" else line],
        )
        for name, line in named
        if name
    ]


def _rate(line: Series) -> Series:
    """The rate of a counter between its samples, unknown where pods that ended took their part of the sum with them."""
    rates = np.diff(line.values) / np.diff(line.times)
    return Series(line.labels, line.times[1:], np.where(rates >= 0, rates, np.nan))
