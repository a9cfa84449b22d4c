"""The tool `metric_breakdown`: which value of a label carries a change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BreakdownFact
from bot.core.metrics.breakdown import Breakdown, BreakdownPart, break_down, candidate_labels, most_informative
from bot.core.metrics.expression import selectors, split_by, without_divisor
from bot.core.metrics.promql import is_label_name
from bot.core.metrics.series import Series
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import deviation_text
from bot.core.text.figures import figure
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, ServiceName, SignalName
from tools._arguments import alert_moment, service_of
from tools._earlier_outages import NOT_USUAL, outages_over_before
from tools._reading import STEP_SECONDS, Reading, read, without_outages
from tools._signals import metrics_of, signal_of

MAX_PARTS = 12
_AVERAGED = frozenset({"ratio", "share", "percent", "%", "s", "seconds", "ms"})


@tool(label="{service} {signal} split", role=ToolRole.BREAKDOWN)
async def metric_breakdown(
    ctx: ToolContext,
    service: ServiceName,
    signal: SignalName,
    by: Annotated[str, Described("A label; empty: the telling ones")] = "",
) -> Evidence:
    """Split one signal by a label: which version, pod, status code or provider carries the change?

    Call it once a signal deviates.
    """
    name = service_of(ctx, service)
    chosen = await signal_of(ctx, name, signal)
    reading = await read(ctx, chosen, alert_at=alert_moment(ctx))
    if reading.gap:
        raise QueryFailed(f"{name} {signal}: {reading.gap}")
    labels = [_label_name(by)] if by.strip() else await _candidates(ctx, chosen)
    breakdowns, failures = await _split(ctx, reading, labels)
    if failures and not breakdowns:
        raise failures[0]
    normal = reading.deviation is not None and reading.deviation.doublings <= 0
    # Noise always has a largest part: without a change nobody carries it.
    best = breakdowns[0] if by.strip() and breakdowns else None if normal else most_informative(breakdowns)
    return _evidence(ctx, reading, best, breakdowns)


def _label_name(by: str) -> str:
    if not is_label_name(by.strip()):
        raise InvalidQuery(f"{one_line(by, 60)!r} cannot be the name of a label")
    return by.strip()


async def _candidates(ctx: ToolContext, signal: SignalQuery) -> list[str]:
    """Labels found on the series that the signal's query reads."""
    labels = []
    for part in _parts_of(signal)[:2]:
        labels += [series.labels for series in await metrics_of(ctx).instant(part, at=ctx.now)]
    return candidate_labels(labels)


def _parts_of(signal: SignalQuery) -> tuple[str, ...]:
    try:
        return selectors(signal.promql)
    except ValueError as error:
        raise QueryFailed(f"the query of {signal.name} cannot be taken apart: {error}") from error


async def _split(ctx: ToolContext, reading: Reading, labels: Sequence[str]) -> tuple[list[Breakdown], list[QueryFailed]]:
    """A breakdown for each label; a label by which the query cannot be split is left out."""
    signal, breakdowns, failures = reading.signal, [], []
    onset = reading.deviation.onset if reading.deviation and reading.deviation.onset else alert_moment(ctx)
    step = max(STEP_SECONDS, (reading.end - reading.start).total_seconds() / 1_000)
    over = await outages_over_before(ctx, signal.service, alert_moment(ctx))
    for label in labels:
        try:
            part = part_of(signal, label)
            series = await metrics_of(ctx).range(part.promql, start=reading.start, end=reading.end, step=step)
        except QueryFailed as error:
            failures.append(error)
            continue
        split = [line for line in series if label in line.labels]  # `or vector(0)` has no label
        own = [line for line in split if signal.concerns({name: text for name, text in line.labels.items() if name != label})]
        usual = without_outages(over, own)
        if _reaches_before(onset, own) and not _reaches_before(onset, usual):
            # What is left began with the outage: each value of the label would have come from nothing.
            failures.append(QueryFailed(f"{signal.service} {signal.name} by {label}: {NOT_USUAL}"))
        elif usual:
            averaged = part.unit in _AVERAGED
            breakdowns.append(break_down(usual, label, onset=onset, harm=signal.harm, averaged=averaged))
    return breakdowns, failures


def _reaches_before(moment: datetime, series: Sequence[Series]) -> bool:
    return any((one.times < moment.timestamp()).any() for one in series)


def part_of(signal: SignalQuery, label: str) -> SignalQuery:
    """The signal split by one label; of a ratio that the label defines, the dividend. Raises QueryFailed if it cannot be."""
    try:
        counted = without_divisor(signal.promql, label)
        promql = split_by(counted, label)
    except ValueError as error:
        raise QueryFailed(f"{signal.name} cannot be split by {label}: {error}") from error
    unit = signal.unit if counted == signal.promql else "/s" if "rate(" in counted else ""
    return replace(signal, promql=promql, unit=unit)


def _evidence(ctx: ToolContext, reading: Reading, best: Breakdown | None, breakdowns: Sequence[Breakdown]) -> Evidence:
    signal = part_of(reading.signal, best.label) if best else reading.signal
    parts = best.parts[:MAX_PARTS] if best else ()
    fact = reading.fact
    return Evidence(
        summary=_summary(reading, signal.unit, best, breakdowns),
        query=signal.promql,
        window=TimeWindow(start=reading.start, end=reading.end),
        details=tuple(_line(signal, best.label, part) for part in parts) if best else (),
        link=metrics_of(ctx).link(signal.promql, start=reading.start, end=reading.end),
        source="prometheus",
        facts=EvidenceFacts(
            deviations=(fact,) if fact else (),
            by=best.label if best else "",
            unit=signal.unit,
            breakdown=tuple(_fact(best.label, part, averaged=signal.unit in _AVERAGED) for part in parts) if best else (),
            tried=tuple(breakdown.label for breakdown in breakdowns),
        ),
    )


def _summary(reading: Reading, unit: str, best: Breakdown | None, breakdowns: Sequence[Breakdown]) -> str:
    name, tried = f"{reading.signal.service} {reading.signal.name}", ", ".join(breakdown.label for breakdown in breakdowns)
    if reading.deviation is not None and reading.deviation.doublings <= 0:
        return f"{deviation_text(reading.deviation)}: there is no change to split"
    if best is None:
        return f"{name}: no label tells the change apart" + (
            f" (tried {tried})" if tried else " (its series have none to split by)"
        )
    if not best.parts or best.parts[0].share <= 0:
        return f"{name} by {best.label}: no value carries a change"
    first = best.parts[0]
    onset = reading.deviation.onset if reading.deviation else None
    since = f" since {clock(onset)}" if onset else ""
    share = f"{best.label}={one_line(first.value, 60) or 'none'} carries {100 * first.share:.0f} % of the change"
    moved = f"({figure(first.before, unit)} to {figure(first.after, unit)}){since}"
    alone = "it is the only one with data since then, which tells nothing"
    return f"{name}: {share} {moved}, of {best.present} values" if best.present > 1 else f"{name}: {share} {moved}; {alone}"


def _line(signal: SignalQuery, label: str, part: BreakdownPart) -> str:
    averaged = signal.unit in _AVERAGED
    before = figure(part.before, signal.unit) if part.existed or not averaged else "new"
    after = figure(part.after, signal.unit) if part.present or not averaged else "gone"
    return f"{label}={one_line(part.value, 80) or 'none'}: {before} -> {after}, {part.share:.0%} of the change"


def _fact(label: str, part: BreakdownPart, *, averaged: bool) -> BreakdownFact:
    until = datetime.fromtimestamp(part.until, UTC) if part.until else None
    return BreakdownFact(
        labels={label: part.value},
        before=part.before,
        # A share or a latency of a value that serves nothing any more is unknown, and not zero.
        after=part.after if part.present or not averaged else None,
        share=part.share,
        until=until,
        existed=part.existed,
    )
