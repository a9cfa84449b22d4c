"""The tool `log_mix`: whether a service still logs its usual mix of lines; new, vanished and surging kinds."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.logs.behaviour import Unusual, mix_of, unusual
from bot.core.metrics.deviation import Deviation
from bot.core.metrics.series import Direction
from bot.core.metrics.wording import range_text
from bot.core.text.figures import figure
from bot.core.text.untrusted import cut, one_line
from bot.core.tool_calls import LOGS, ToolRole
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import service_of
from tools._onset import onset_of

BACK = timedelta(hours=6)
LEAD = timedelta(minutes=1)
"""So long before the onset, or before the alert where no onset is known: one is a little late, the other more."""
READ_LINES = 5_000
"""Lines read of the past and of the present; of a service that logs more, the newest."""
MAX_SHOWN = 8
JUDGED = 3


@tool(label="kinds of log line of {service}", role=ToolRole.LOG_MIX, topic=LOGS, first_for={"logs": 1})
async def log_mix(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Compare the mix of a service's log lines since the onset with the hours before: new, vanished, surging kinds.

    Call it when metrics do not show why a service fails. A kind that fell silent means that code is no
    longer reached.
    """
    name = service_of(ctx, service)
    if ctx.logs is None:
        raise QueryFailed("no log store is configured (logs.loki or logs.files)")
    since = await onset_of(ctx, guess=timedelta(0)) - LEAD
    just_before = since - timedelta(microseconds=1)
    past, now = await asyncio.gather(
        ctx.logs.search(name, "", start=since - BACK, end=just_before, limit=READ_LINES),
        ctx.logs.search(name, "", start=since, end=ctx.now, limit=READ_LINES),
    )
    if not past or not now:
        raise QueryFailed(
            f"{name} logged {len(now)} lines since the onset and {len(past)} in the hours before: no mix to compare"
        )
    kinds = await asyncio.to_thread(lambda: unusual(mix_of([*past, *now], since=since)))
    return Evidence(
        summary=_summary(name, kinds),
        query=ctx.logs.query(name, ""),
        window=TimeWindow(start=since, end=ctx.now),
        details=tuple(_line(kind) for kind in kinds[:MAX_SHOWN]),
        source="loki" if ctx.logs.query(name, "").startswith("{") else "files",
        user_controllable=True,
        facts=EvidenceFacts(deviations=tuple(_deviation(name, kind).as_fact() for kind in _one_each(kinds))),
    )


def _one_each(kinds: Sequence[Unusual]) -> list[Unusual]:
    """The most unusual kinds; at least one, so that an ordinary mix is known to be ordinary."""
    return [kind for index, kind in enumerate(kinds[:JUDGED]) if index == 0 or kind.doublings > 0]


def _deviation(service: str, kind: Unusual) -> Deviation:
    signal = f"share of log line {cut(one_line(kind.kind, 120), 120)!r}"
    direction: Direction = "up" if kind.after >= kind.before else "down"
    return Deviation(service, signal, "behaviour", kind.doublings, kind.before, kind.after, "ratio", None, direction)


def _summary(name: str, kinds: Sequence[Unusual]) -> str:
    first = kinds[0]
    if first.doublings <= 0:
        return f"{name} logs its usual mix of {len(kinds)} kinds of lines"
    moved = sum(kind.doublings > 0 for kind in kinds)
    return f"{name} logs another mix than before, {moved} of {len(kinds)} kinds deviate; most: {_line(first)}"


def _line(kind: Unusual) -> str:
    shares = f"{figure(kind.before, 'ratio')} -> {figure(kind.after, 'ratio')} of its lines"
    return f"{_movement(kind)}: {one_line(kind.kind, 160)!r}, {shares}, {kind.count} now ({range_text(kind.doublings)})"


def _movement(kind: Unusual) -> str:
    if kind.after > 20 * kind.before:
        return "new"
    return "gone" if not kind.count else "more" if kind.after > kind.before else "fewer"
