"""The tool `change_jumps`: what moved with the changes of a service."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from bot.core.change import Change
from bot.core.changes.jumps import AFTER, BEFORE, SETTLES, jump_at, moves_with_any_rollout
from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import JumpFact
from bot.core.metrics.series import Series
from bot.core.metrics.signals import SignalQuery, catalogue_signals
from bot.core.text.figures import figure
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, could_not_check
from bot.parallel import answers_or_failures
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import alert_moment, service_of
from tools._exported import exported
from tools._signals import metrics_of

BACK = timedelta(hours=6)
_Read = tuple[SignalQuery, Sequence[Series]]
MAX_CHANGES, MAX_SIGNALS, AT_ONCE = 6, 24, 6


@tool(label="what jumped with changes of {service}", role=ToolRole.JUMPS)
async def change_jumps(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Compare a service's signals just before and after each of its changes: what jumped with it and stayed?

    Call it for a change minutes or hours before the onset.
    """
    name, alert_at = service_of(ctx, service), alert_moment(ctx)
    recorded = await ctx.changes.since(name, alert_at - BACK)
    changes = sorted((c for c in recorded if c.at + SETTLES < alert_at), key=lambda c: c.at, reverse=True)[:MAX_CHANGES]
    if not changes:
        raise QueryFailed(f"{name} has no change of the six hours before the alert")
    span = TimeWindow(start=changes[-1].at - BEFORE, end=min(alert_at, changes[0].at + AFTER))
    read, failed = await _read_all(ctx, name, span)
    jumps = [jump for change in changes for jump in _jumps(change, read, span)]
    return Evidence(
        summary=_summary(name, changes, jumps, len(failed)),
        query="; ".join(dict.fromkeys(signal.promql for signal, _ in read)),
        window=span,
        details=tuple(_line(jump, changes) for jump in jumps),
        link=metrics_of(ctx).link(read[0][0].promql, start=span.start, end=span.end),
        source="prometheus",
        unseen=tuple(could_not_check(f"{name} {signal}", one_line(str(why), 160)) for signal, why in failed),
        facts=EvidenceFacts(jumps=tuple(jumps)),
    )


async def _read_all(ctx: ToolContext, name: str, span: TimeWindow) -> tuple[list[_Read], list[tuple[str, QueryFailed]]]:
    """What the catalogue names and all that a service exports, without what a roll-out alone moves; and what failed.

    Signals that are deduced come from the same metrics: many investigations at once must not ask for each by itself.
    Raises QueryFailed where nothing could be read.
    """
    entry = ctx.catalogue.get(name)
    named = catalogue_signals(entry) if entry else []
    signals = [signal for signal in named if not moves_with_any_rollout(signal.name)][:MAX_SIGNALS]
    results = await answers_or_failures(partial(_read, ctx, span), signals, at_once=AT_ONCE)
    read = [(s, series) for s, series in zip(signals, results, strict=True) if not isinstance(series, QueryFailed)]
    failed = [(s.name, error) for s, error in zip(signals, results, strict=True) if isinstance(error, QueryFailed)]
    try:
        further = await exported(ctx, name, span.start, span.end)
        read += [(signal, series) for signal, series in further if not moves_with_any_rollout(signal.name)]
    except QueryFailed as error:
        failed.append(("other metrics", error))
    if not read:
        raise failed[0][1] if failed else QueryFailed(f"{name} has no signal that a roll-out alone leaves as it was")
    return read, failed


async def _read(ctx: ToolContext, span: TimeWindow, signal: SignalQuery) -> Sequence[Series]:
    step = max(15.0, (span.end - span.start).total_seconds() / 2_000)
    series = await metrics_of(ctx).range(signal.promql, start=span.start, end=span.end, step=step)
    return [one for one in series if signal.concerns(one.labels)]


def _jumps(change: Change, read: Sequence[_Read], span: TimeWindow) -> list[JumpFact]:
    """What jumped with one change, the largest jump first."""
    jumps = [(signal, jump) for signal, series in read if (jump := jump_at(series, change.at, span.end))]
    return [
        JumpFact(
            change_id=change.id,
            service=signal.service,
            signal=signal.name,
            before=jump.before,
            after=jump.after,
            unit=signal.unit,
            scales=round(jump.scales, 1),
        )
        for signal, jump in sorted(jumps, key=lambda one: one[1].scales, reverse=True)
    ]


def _summary(name: str, changes: Sequence[Change], jumps: Sequence[JumpFact], failures: int) -> str:
    count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    gap = f"; {failures} could not be checked" if failures else ""
    if not jumps:
        return f"{name}: nothing jumped with {count} of the last 6 h{gap}"
    moved = "1 signal" if len(jumps) == 1 else f"{len(jumps)} signals"
    return f"{_line(jumps[0], changes)}; {moved} jumped with {count}{gap}"


def _line(jump: JumpFact, changes: Sequence[Change]) -> str:
    change = next(change for change in changes if change.id == jump.change_id)
    what = f"{change.kind} {one_line(change.version or change.title, 40)} at {clock(change.at)}"
    levels = f"{figure(jump.before, jump.unit)} to {figure(jump.after, jump.unit)}"
    return f"{jump.service} {jump.signal} went from {levels} with {what}"
