"""Whether a service's signal is back within its bound. An absent series or a dead Prometheus is never "recovered"."""

import math
from typing import Literal

from bot.core.action import Verification
from bot.core.config import VerifyConfig
from bot.core.errors import QueryFailed
from bot.core.service import Catalogue, Signal
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.ports import Metrics


async def look_at_signal(
    verify: VerifyConfig | None, service: str, catalogue: Catalogue, metrics: Metrics | None
) -> Verification:
    """One look at the signal of `verify` for `service`, now."""
    if verify is None:
        return Verification(state="could not verify", text="no signal is configured for this action")
    known = catalogue.get(service)
    signal = known.signals.get(verify.signal) if known else None
    if signal is None:
        return Verification(state="could not verify", text=f"{service or 'the service'} has no signal {verify.signal!r}")
    if metrics is None:
        return Verification(state="could not verify", text="no metrics are set up", query=signal.promql)
    try:
        series = await metrics.instant(signal.promql)
    except QueryFailed as error:
        return Verification(state="could not verify", text=one_line(str(error), 200), query=signal.promql)
    values = [found.last for found in series if not math.isnan(found.last)]
    return _judged(values, verify, signal)


def bounds(verify: VerifyConfig, signal: Signal | None) -> tuple[float | None, float | None]:
    """What the signal must stay below and above, in its own unit: the action's bounds, else those that its owners set."""
    below = verify.below if verify.below is not None or signal is None else signal.bad_above
    above = verify.above if verify.above is not None or signal is None else signal.bad_below
    return below, above


def _judged(values: list[float], verify: VerifyConfig, signal: Signal) -> Verification:
    below, above = bounds(verify, signal)
    query = signal.promql
    if not values:
        return Verification(state="could not verify", text=f"{verify.signal} has no value now", query=query)
    if below is None and above is None:
        return Verification(state="could not verify", text=f"{verify.signal} has no bound to hold", query=query)
    if below is not None and max(values) > below:
        return _told("not recovered", max(values), "above", below, verify.signal, signal)
    if above is not None and min(values) < above:
        return _told("not recovered", min(values), "below", above, verify.signal, signal)
    if below is not None:
        return _told("recovered", max(values), "within", below, verify.signal, signal)
    assert above is not None
    return _told("recovered", min(values), "at least", above, verify.signal, signal)


def _told(
    state: Literal["recovered", "not recovered"], value: float, relation: str, bound: float, name: str, signal: Signal
) -> Verification:
    text = f"{name}: {figure(value, signal.unit)}, {relation} the bound of {figure(bound, signal.unit)}"
    return Verification(state=state, text=text, query=signal.promql, value=value)
