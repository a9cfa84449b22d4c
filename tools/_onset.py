"""When the trouble behind an alert began: from its own signal, from how long its rule waits, else from a guess."""

import asyncio
from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.metrics.signals import alert_signal
from bot.plugins import ToolContext
from tools._alert_wait import FURTHEST, GUESS, fault_began_by
from tools._arguments import alert_moment
from tools._reading import read_all
from tools._signals import signals_of

SECONDS = 3.0
"""Limit of the search for the onset: the tool that needs it has its own queries to make."""
MAX_SIGNALS = 4


async def onset_of(ctx: ToolContext, *, guess: timedelta = GUESS) -> datetime:
    """The earliest moment at which the trouble behind the alert may have begun, at most six hours before it.

    Where its signal left its normal range, and never later than its rule's `for` and the widest range of its expression
    before it fired; where neither is known, `guess` before. Raises nothing: the caller wants a window, not a finding.
    """
    at = alert_moment(ctx)
    moments = [moment for moment in await asyncio.gather(_measured(ctx, at), fault_began_by(ctx, at)) if moment]
    return max(min(moments, default=at - guess), at - FURTHEST)


async def _measured(ctx: ToolContext, at: datetime) -> datetime | None:
    """The first onset among the alert's own signal, or the signals of its service."""
    try:
        async with asyncio.timeout(SECONDS):
            own = alert_signal(ctx.case)
            signals = [own] if own else (await signals_of(ctx, ctx.case.service))[:MAX_SIGNALS] if ctx.case.service else []
            readings = await read_all(ctx, signals, alert_at=at) if ctx.metrics else []
    except (QueryFailed, TimeoutError):
        return None
    deviations = [reading.deviation for reading in readings if not isinstance(reading, QueryFailed) and reading.deviation]
    return min((deviation.onset for deviation in deviations if deviation.doublings > 0 and deviation.onset), default=None)
