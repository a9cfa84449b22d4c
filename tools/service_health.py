"""The tool `service_health`: all signals of one service at once."""

from collections.abc import Sequence

from bot.core.errors import NothingMeasured, QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BeyondThresholdFact
from bot.core.metrics.signals import SignalQuery
from bot.core.metrics.wording import deviation_text, is_at_another_level, threshold_text
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import alert_moment, service_of
from tools._reading import HISTORY, Reading, read_all
from tools._signals import metrics_of, signals_of


@tool(label="health of {service}", role=ToolRole.HEALTH)
async def service_health(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Look at all signals of a service around the alert: which left their normal range, how far, since when.

    Call it first for the failing service, then for each that it depends on: which moved first is
    nearer to the cause.
    """
    name = service_of(ctx, service)
    alert_at = alert_moment(ctx)
    signals = await signals_of(ctx, name)
    if not signals:
        raise NothingMeasured(f"no metric of {name} was found, and neither the catalogue nor the alert tells a signal")
    results = await read_all(ctx, signals, alert_at=alert_at)
    readings = [result for result in results if isinstance(result, Reading)]
    failures = [result for result in results if isinstance(result, QueryFailed)]
    if not readings:
        raise failures[0]
    main = max(readings, key=_strength).signal
    start, end = alert_at - HISTORY, ctx.now
    failed_signals = _failed_signals(signals, results)
    return Evidence(
        summary=_summary(name, readings, failures),
        query="; ".join(reading.signal.promql for reading in readings),
        window=TimeWindow(start=start, end=end),
        details=(
            *(_line(reading) for reading in sorted(readings, key=_strength, reverse=True)),
            *(f"{signal} could not be checked: {why}" for signal, why in failed_signals),
        ),
        link=metrics_of(ctx).link(main.promql, start=start, end=end),
        source="prometheus",
        unseen=tuple(could_not_check(f"{name} {signal}", why) for signal, why in [*failed_signals, *_gaps(readings)]),
        # Without one judged signal nothing may be concluded, least of all that the service is well.
        ok=any(reading.deviation or (reading.series and reading.signal.has_threshold) for reading in readings),
        facts=EvidenceFacts(
            deviations=tuple(reading.fact for reading in sorted(readings, key=_strength, reverse=True) if reading.fact),
            beyond=tuple(_beyond(reading) for reading in readings if reading.is_bad),
        ),
    )


def _strength(reading: Reading) -> float:
    return reading.deviation.doublings if reading.deviation else -9.0


def _summary(name: str, readings: Sequence[Reading], failures: Sequence[QueryFailed]) -> str:
    moved = sorted((r for r in readings if _strength(r) > 0), key=_strength, reverse=True)
    judged = [r for r in readings if r.deviation is not None]
    unjudged = len(readings) - len(judged) + len(failures)
    gap = f"; {unjudged} could not be judged" if unjudged else ""
    beyond = [r for r in readings if r.is_bad and r not in moved]
    bad = f"; beyond the threshold: {beyond[0].signal.name}" if beyond else ""
    if moved and moved[0].deviation:
        return f"{deviation_text(moved[0].deviation)}; {len(moved)} of {len(readings)} signals deviate{bad}{gap}"
    if not judged:
        gap = next((reading.gap for reading in readings if reading.gap), "")
        why = f": {gap}" if gap else ", for want of samples"
        return f"{name}: none of {len(readings)} signals could be judged{why}{bad}"
    normal = [reading.deviation for reading in judged if not reading.is_bad and reading.deviation]
    verb = "stayed within the usual range" if any(map(is_at_another_level, normal)) else "look normal"
    look = f"{len(normal)} signals {verb} around the alert" if normal else "no signal left its usual range"
    return f"{name}: {look}{bad}{gap}"


def _line(reading: Reading) -> str:
    signal = reading.signal
    threshold = f" [{threshold_text(signal)}]" if threshold_text(signal) else ""
    if reading.deviation:
        return reading.text + threshold
    if not reading.series:
        return f"{signal.service} {signal.name}: no data{threshold}"
    why = reading.gap or "too few samples to judge"
    return f"{signal.service} {signal.name}: {figure(reading.last, signal.unit)}, {why}{threshold}"


def _beyond(reading: Reading) -> BeyondThresholdFact:
    """A signal beyond the threshold that its owners set, with or without a past to compare with."""
    signal = reading.signal
    text = f"{signal.service} {signal.name}: {figure(reading.last, signal.unit)} [{threshold_text(signal)}]"
    return BeyondThresholdFact(signal=signal.name, text=text)


def _gaps(readings: Sequence[Reading]) -> list[tuple[str, str]]:
    """Signals that have samples enough with why they could not be judged."""
    return [(reading.signal.name, reading.gap) for reading in readings if reading.gap]


def _failed_signals(signals: Sequence[SignalQuery], results: Sequence[Reading | QueryFailed]) -> list[tuple[str, str]]:
    """Signals with why they could not be checked."""
    pairs = zip(signals, results[: len(signals)], strict=True)
    return [(s.name, one_line(str(e), 160)) for s, e in pairs if isinstance(e, QueryFailed)]
