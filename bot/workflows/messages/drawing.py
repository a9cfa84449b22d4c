"""Pictures of one signal with the moments that matter: a graph that cannot be drawn never stops a workflow."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.core.errors import QueryFailed
from bot.core.metrics.graph import SignalGraph, alternative_text
from bot.core.service import Signal
from bot.ports import Metrics

log = structlog.get_logger(__name__)
QUERY_SECONDS = 3.0
MAX_POINTS = 720
MAX_SERIES = 5

Draw = Callable[[SignalGraph], bytes]
"""Draws a graph as PNG; called in a thread."""
Picture = tuple[bytes, str, str]
"""PNG, alternative text and title."""


async def picture(
    metrics: Metrics,
    draw: Draw,
    signal: Signal,
    title: str,
    *,
    onset: datetime | None,
    marks: Sequence[tuple[datetime, str]],
    start: datetime,
    end: datetime,
    levels: str = "",
    level: float | None = None,
) -> Picture | None:
    """The signal over [start, end] with the marks that lie in it; None if it cannot be read or drawn.

    `levels`: before and after the onset, as the message beside it tells them; `level`: the second of them.
    """
    step = max(5.0, (end - start).total_seconds() / MAX_POINTS)
    try:
        async with asyncio.timeout(QUERY_SECONDS):
            series = await metrics.range(signal.promql, start=start, end=end, step=step)
    except (QueryFailed, TimeoutError) as error:
        log.warning("no graph", why=str(error) or "no answer in time")
        return None
    if not series:
        return None
    inside = [mark for mark in marks if start <= mark[0] <= end]
    graph = SignalGraph(title, signal.unit, series[:MAX_SERIES], onset, inside, signal.bad_above, levels, level)
    try:
        return await asyncio.to_thread(draw, graph), alternative_text(graph), title
    except (ValueError, TypeError, ArithmeticError, RuntimeError, OSError) as error:
        log.warning("the graph could not be drawn", why=str(error))
        return None
