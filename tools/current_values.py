"""The tool `current_values`: what the signals of a service read at this moment, beside what is usual for them."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Literal

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import CurrentFact
from bot.core.metrics.deviation import FULL_SHARE
from bot.core.metrics.series import Series, between, known_samples, median_and_scale
from bot.core.metrics.signals import SignalQuery
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, could_not_check
from bot.parallel import answers_or_failures
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import alert_moment, service_of
from tools._signals import metrics_of, signals_of

BACK = timedelta(hours=1)
BEFORE_ALERT = timedelta(minutes=15)
"""Few rules wait longer than that: what is usual is read before it."""
STALE = timedelta(minutes=5)
"""Prometheus' own limit: an older sample is no value of now."""
MIN_SAMPLES = 8
USUAL_SCALES = 4.0
LEAST_SHARE = 0.002
"""The smallest scale of a share: a movement within 0.2 % of all is nobody's trouble."""
MAX_SIGNALS, AT_ONCE = 24, 6

State = Literal["usual", "high", "low", "unknown"]


@tool(label="current values of {service}", role=ToolRole.CURRENT)
async def current_values(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Read the newest value of every signal of a service, beside what was usual before the alert.

    Call it to learn whether the trouble still stands, has grown or is over.
    """
    name = service_of(ctx, service)
    all_signals = await signals_of(ctx, name)
    signals, left_out = all_signals[:MAX_SIGNALS], all_signals[MAX_SIGNALS:]
    if not signals:
        raise QueryFailed(f"no metric of {name} was found, and neither the catalogue nor the alert tells a signal")
    results = await answers_or_failures(partial(_current, ctx), signals, at_once=AT_ONCE)
    current = [result for result in results if isinstance(result, CurrentFact)]
    failed = [(signal.name, error) for signal, error in zip(signals, results, strict=True) if isinstance(error, QueryFailed)]
    if not current:
        raise failed[0][1]
    start = alert_moment(ctx) - BACK
    return Evidence(
        summary=_summary(name, current, len(failed) + len(left_out)),
        query="; ".join(signal.promql for signal in signals),
        window=TimeWindow(start=start, end=ctx.now),
        details=tuple(fact.text for fact in sorted(current, key=lambda fact: not fact.trouble)),
        link=metrics_of(ctx).link(signals[0].promql, start=start, end=ctx.now),
        source="prometheus",
        unseen=tuple(_unseen(name, current, failed, left_out)),
        ok=any(fact.state != "unknown" or fact.trouble for fact in current),
        facts=EvidenceFacts(current=tuple(current)),
    )


def _unseen(
    name: str, current: Sequence[CurrentFact], failed: Sequence[tuple[str, QueryFailed]], left_out: Sequence[SignalQuery]
) -> Iterator[str]:
    for signal, error in failed:
        yield could_not_check(f"{name} {signal} now", one_line(str(error), 160))
    for fact in current:
        if fact.value is None:
            yield could_not_check(f"{name} {fact.signal} now", "it has no value now")
    if left_out:
        names = one_line(", ".join(signal.name for signal in left_out), 160)
        yield could_not_check(f"{name} {names} now", f"at most {MAX_SIGNALS} signals are read at once")


async def _current(ctx: ToolContext, signal: SignalQuery) -> CurrentFact:
    alert_at = alert_moment(ctx)
    start = alert_at - BACK
    step = max(5.0, (ctx.now - start).total_seconds() / 2_000)
    series = [
        known_samples(line)
        for line in await metrics_of(ctx).range(signal.promql, start=start, end=ctx.now, step=step)
        if signal.concerns(line.labels)
    ]
    oldest = (ctx.now - max(STALE, timedelta(seconds=2 * step))).timestamp()
    facts = [
        _fact(signal, line, between(line, start, alert_at - BEFORE_ALERT))
        for line in series
        if len(line.times) and line.times[-1] >= oldest
    ]
    if not facts:
        return _without_value(signal)
    return max(facts, key=lambda fact: (fact.trouble, _excess(fact)))


def _fact(signal: SignalQuery, series: Series, before: Series) -> CurrentFact:
    value, enough = series.last, len(before.values) >= MIN_SAMPLES
    least = LEAST_SHARE * FULL_SHARE.get(signal.unit, 0.0)
    usual, scale = median_and_scale(before.values, least=least) if enough else (math.nan, math.nan)
    state: State = "unknown" if not enough else _state(value, usual, scale)
    harmful = {"up": ("high",), "down": ("low",)}.get(signal.harm, ("high", "low"))
    beyond = signal.is_bad(value)
    # A threshold of the owners decides where there is one: a value within it is no trouble, however unusual.
    trouble = beyond if signal.has_threshold else state in harmful
    name = f"{signal.service} {signal.name}"
    compared = f", usually {figure(usual, signal.unit)}" if enough else ", what is usual is not known"
    words = _beside_threshold(signal, value) or (f", {state} for it" if state in ("high", "low") else "")
    return CurrentFact(
        service=signal.service,
        signal=signal.name,
        family=signal.family,
        value=value,
        usual=usual if enough else None,
        unit=signal.unit,
        state="usual" if state == "unknown" and signal.has_threshold and not beyond else state,
        trouble=trouble,
        text=f"{name}: {figure(value, signal.unit)} now{words}{compared}",
    )


def _beside_threshold(signal: SignalQuery, value: float) -> str:
    """`, above the threshold of 2 %`; "" where its owners set none."""
    high, low = signal.bad_above, signal.bad_below
    if high is not None and value > high:
        return f", above the threshold of {figure(high, signal.unit)}"
    if low is not None and value < low:
        return f", below the threshold of {figure(low, signal.unit)}"
    limit = low if high is None else high
    return "" if limit is None else f", within the threshold of {figure(limit, signal.unit)}"


def _state(value: float, usual: float, scale: float) -> State:
    if abs(value - usual) <= USUAL_SCALES * scale:
        return "usual"
    return "high" if value > usual else "low"


def _without_value(signal: SignalQuery) -> CurrentFact:
    text = f"{signal.service} {signal.name} has no value now, which is no sign of health"
    return CurrentFact(service=signal.service, signal=signal.name, family=signal.family, value=None, usual=None, text=text)


def _excess(fact: CurrentFact) -> float:
    return abs((fact.value or 0.0) - (fact.usual or 0.0))


def _summary(name: str, current: list[CurrentFact], unread: int) -> str:
    troubled = [fact for fact in current if fact.trouble]
    silent = sum(fact.value is None for fact in current)
    unknown = sum(fact.state == "unknown" and not fact.trouble for fact in current)
    gaps = [
        f"{unknown - silent} could not be judged" if unknown > silent else "",
        f"{silent} without a value now" if silent else "",
        f"{unread} could not be read" if unread else "",
    ]
    gap = "".join(f"; {text}" for text in gaps if text)
    total = len(current) + unread
    if troubled:
        return f"{troubled[0].text}; {len(troubled)} of {total} signals are in trouble now{gap}"
    usual = len(current) - unknown
    return f"{name}: {usual} of {total} signals are as usual or within their thresholds now{gap}"
