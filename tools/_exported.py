"""Everything that a service exports, with two queries: gauges by the mean of their series, counters by their rate."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.loading.arrays import np
from bot.core.metrics.promql import Matcher, selector
from bot.core.metrics.series import Series
from bot.core.metrics.signals import SignalQuery, service_matchers
from bot.plugins import ToolContext
from tools._signals import metrics_of

MAX_METRICS = 120
_MAX_WAYS = 2
_COUNTERS = Matcher("__name__", ".+_(total|count)", "=~")
_NO_COUNTERS = Matcher("__name__", _COUNTERS.value, "!~")
_RUNTIMES = "go|process|python|jvm|nodejs|dotnet|promhttp|scrape|container|kube|otel|net_conntrack"
_OF_ITS_OWN = Matcher("__name__", f"({_RUNTIMES})_.*|up|ALERTS.*|.+_(bucket|sum|created|info)", "!~")
"""Not the runtime's, which are no behaviour of the service, and not what other series say better."""


async def exported(ctx: ToolContext, service: str, start: datetime, end: datetime) -> list[tuple[SignalQuery, list[Series]]]:
    """Each metric of a service by its name, one series each; empty where it exports none under any label that names services.

    Raises QueryFailed.
    """
    metrics, step = metrics_of(ctx), max(15.0, (end - start).total_seconds() / 2_000)
    for matchers in _ways(ctx, service):
        queries = {
            "gauge": f"avg by (__name__) ({_all(matchers, _NO_COUNTERS, _OF_ITS_OWN)})",
            "counter": f"sum by (__name__) ({_all(matchers, _COUNTERS, _OF_ITS_OWN)})",
        }
        answers = {kind: await metrics.range(promql, start=start, end=end, step=step) for kind, promql in queries.items()}
        if any(answers.values()):
            return [one for kind, series in answers.items() for one in _named(service, kind, queries[kind], series)][
                :MAX_METRICS
            ]
    return []


def _ways(ctx: ToolContext, service: str) -> Sequence[tuple[Matcher, ...]]:
    """The ways to select a service's series: its own, else by the labels by which the alert names its service.

    Many investigations ask for a service that was changed: each way costs two queries in every one of them.
    """
    entry, case = ctx.catalogue.get(service), ctx.case
    ways = service_matchers(service, case.labels, entry)
    named = {label for label, value in case.labels.items() if value == case.service}
    return [way for way in ways if way[0].label in named][:1] or ways[:_MAX_WAYS]


def _all(matchers: Sequence[Matcher], *names: Matcher) -> str:
    return selector("", (*matchers, *names))


def _named(service: str, kind: str, promql: str, series: Sequence[Series]) -> list[tuple[SignalQuery, list[Series]]]:
    counted = kind == "counter"
    lines = sorted(series, key=lambda line: line.labels.get("__name__", ""))
    signals = [
        SignalQuery(service, line.labels.get("__name__", ""), promql, "saturation", "either", "/s" if counted else "")
        for line in lines
    ]
    return [(signal, [_rate(line) if counted else line]) for signal, line in zip(signals, lines, strict=True)]


def _rate(line: Series) -> Series:
    """The rate of a counter between its samples, unknown where pods that ended took their part of the sum with them."""
    rates = np.diff(line.values) / np.diff(line.times)
    return Series(line.labels, line.times[1:], np.where(rates >= 0, rates, np.nan))
