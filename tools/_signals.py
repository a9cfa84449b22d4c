"""Which signals a service has: from the catalogue, from its alert, or deduced from its metrics."""

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.metrics.promql import selector
from bot.core.metrics.signals import (
    CODE_LABELS,
    SignalQuery,
    alert_signal,
    catalogue_signals,
    derived_signals,
    service_matchers,
)
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext
from bot.ports import Metrics


def metrics_of(ctx: ToolContext) -> Metrics:
    """The metrics, or QueryFailed when none are configured."""
    if ctx.metrics is None:
        raise QueryFailed("no Prometheus is configured (prometheus.url)")
    return ctx.metrics


async def signals_of(ctx: ToolContext, service: str) -> list[SignalQuery]:
    """The signals of a service: its catalogue's, else its alert's and those that its metrics suggest."""
    entry = ctx.catalogue.get(service)
    if entry and entry.signals:
        return catalogue_signals(entry)
    own = alert_signal(ctx.case) if service == ctx.case.service else None
    deduced = await _deduced(ctx, service)
    return ([own] if own else []) + deduced


async def signal_of(ctx: ToolContext, service: str, name: str) -> SignalQuery:
    """The signal of this name, or of this family; without a name the alert's own or the first. Raises QueryFailed."""
    signals = await signals_of(ctx, service)
    if not signals:
        raise QueryFailed(f"no signal of {service} is known: neither the catalogue nor the alert nor its metrics tell one")
    needle = name.strip().casefold()
    fitting = [s for s in signals if s.name.casefold() == needle] or [s for s in signals if s.family == needle]
    if not needle:
        fitting = signals
    if not fitting:
        raise InvalidQuery(f"{service} has no signal {one_line(name, 60)!r}; it has {', '.join(s.name for s in signals)}")
    return fitting[0]


async def _deduced(ctx: ToolContext, service: str) -> list[SignalQuery]:
    metrics, codes = metrics_of(ctx), ", ".join(CODE_LABELS)
    for matchers in service_matchers(service, ctx.case.labels, ctx.catalogue.get(service)):
        series = await metrics.instant(f"count by (__name__, {codes}) ({selector('', matchers)})", at=ctx.now)
        if series:
            up = await metrics.instant(f"max(count_over_time({selector('up', matchers)}[5m]))", at=ctx.now)
            window = _rate_window(up[0].last if up else float("nan"))
            return derived_signals(service, [s.labels for s in series], matchers, rate_window=window)
    return []


def _rate_window(scrapes: float) -> str:
    """Four scrapes, so that one may be missed: from how many came within five minutes."""
    seconds = 4 * 300 / scrapes if scrapes >= 2 else 300
    return f"{int(min(max(seconds, 20), 600))}s"
