"""The tool `call_waits`: from spans, whose callers wait longer than any server says it took: a delay on the way."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.core.calls import Calls, Delay, delayed, waits
from bot.core.deviation import Deviation
from bot.core.errors import LookFailed
from bot.core.evidence import Evidence, Window
from bot.core.figures import figure
from bot.core.text import one_line
from bot.plugins import ToolContext, tool
from tools._reading import alert_moment

BACK = timedelta(hours=6)
LEAD = timedelta(minutes=1)
TOLD = 8


@tool
async def call_waits(ctx: ToolContext) -> Evidence:
    """Compare in traces what callers wait with what the called services say they took: whose calls lose time on the way?

    Call it when services are slow but none of them reports being slow
    itself: a delayed network shows in the client spans of the callers alone.
    It looks at all services at once.
    """
    if ctx.traces is None:
        raise LookFailed("no trace store is configured")
    since = alert_moment(ctx) - LEAD
    calls = await ctx.traces.calls(start=since - BACK, end=ctx.now)
    if not calls:
        raise LookFailed("no spans were found around the alert and in the hours before")
    found = await asyncio.to_thread(_delays, calls, since.timestamp())
    return Evidence(
        summary=_summary(found),
        query=ctx.traces.query(),
        window=Window(start=since, end=ctx.now),
        details=tuple(_line(one) for one in found[:TOLD]),
        source="traces",
        facts={"deviations": [_deviation(one).as_fact() for one in found[:TOLD]]},
    )


def _delays(calls: Sequence[Calls], since: float) -> list[Delay]:
    found = waits(calls)
    return delayed([one for one in found if one.minute < since], [one for one in found if one.minute >= since])


def _deviation(one: Delay) -> Deviation:
    return Deviation(one.service, "time of a call on the wire", "network", one.score, 0.0, round(one.seconds * one.fit, 3), "s")


def _summary(found: Sequence[Delay]) -> str:
    if not found or found[0].score <= 0:
        return "No service's callers wait longer than the services take"
    return f"Callers wait longer than the called services take; most: {_line(found[0])}"


def _line(one: Delay) -> str:
    seconds = figure(round(one.seconds * one.fit, 3), "s")
    return f"calls to {one_line(one.service, 80)}: {seconds} on the wire, fits {one.fit:.0%} of the slow calls"
