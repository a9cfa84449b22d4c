"""Whether a service's signal is back within its threshold. An absent series or a dead Prometheus is never "recovered"."""

import math
from datetime import datetime

from bot.core.action import Verification, VerificationState
from bot.core.config.actions import VerifyConfig
from bot.core.errors import QueryFailed
from bot.core.service import Signal
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.plugins import ActionContext


async def read_signal(ctx: ActionContext, service: str) -> Verification:
    """One reading of the signal of the entry's `verify`, now. Where it was well before the call too, the text says so."""
    now = await _reading(ctx, service, None)
    if now.state is not VerificationState.RECOVERED or ctx.begun_at is None:
        return now
    before = await _reading(ctx, service, ctx.begun_at)
    well_before = before.state is VerificationState.RECOVERED
    return now.model_copy(update={"text": f"{now.text}, as before it ran"}) if well_before else now


async def _reading(ctx: ActionContext, service: str, at: datetime | None) -> Verification:
    verify, metrics = ctx.config.verify, ctx.metrics
    if verify is None:
        return _unverified("no signal is configured for this action")
    entry = ctx.catalogue.get(service)
    signal = entry.signals.get(verify.signal) if entry else None
    if signal is None:
        return _unverified(f"{service or 'the service'} has no signal {verify.signal!r}")
    if metrics is None:
        return _unverified("no metrics are set up", signal.promql)
    try:
        series = await metrics.instant(signal.promql, at=at)
    except QueryFailed as error:
        return _unverified(one_line(str(error), 200), signal.promql)
    values = [line.last for line in series if not math.isnan(line.last)]
    return _judged(values, verify, signal, f"{service} {verify.signal}".strip())


def bounds(verify: VerifyConfig, signal: Signal | None) -> tuple[float | None, float | None]:
    """What the signal must stay below and above, in its own unit: the action's bounds, else those that its owners set."""
    below = verify.below if verify.below is not None or signal is None else signal.bad_above
    above = verify.above if verify.above is not None or signal is None else signal.bad_below
    return below, above


def _judged(values: list[float], verify: VerifyConfig, signal: Signal, name: str) -> Verification:
    """`name`: of the signal, with its service: what recovers is not always what alerts."""
    below, above = bounds(verify, signal)
    if not values:
        return _unverified(f"{name} has no value now", signal.promql)
    if below is None and above is None:
        return _unverified(f"{name} has no threshold to hold", signal.promql)
    if below is not None and max(values) > below:
        return _verified(VerificationState.NOT_RECOVERED, max(values), "above", below, name, signal)
    if above is not None and min(values) < above:
        return _verified(VerificationState.NOT_RECOVERED, min(values), "below", above, name, signal)
    if below is not None:
        return _verified(VerificationState.RECOVERED, max(values), "within", below, name, signal)
    assert above is not None
    return _verified(VerificationState.RECOVERED, min(values), "at least", above, name, signal)


def _verified(
    state: VerificationState, value: float, relation: str, threshold: float, name: str, signal: Signal
) -> Verification:
    text = f"{name}: {figure(value, signal.unit)}, {relation} the threshold of {figure(threshold, signal.unit)}"
    return Verification(state=state, text=text, query=signal.promql, value=value)


def _unverified(why: str, query: str = "") -> Verification:
    return Verification(state=VerificationState.COULD_NOT_VERIFY, text=why, query=query)
