"""How long an alert waits before it fires, as its rule says: its trouble began by then."""

import asyncio
from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Case
from bot.core.metrics.expression import widest_range
from bot.core.systems import AlertRule
from bot.plugins import ToolContext

GUESS = timedelta(minutes=15)
"""So long before the alert, where neither its rule nor its signal could be queried: few rules wait longer."""
FURTHEST = timedelta(hours=6)
"""No onset is sought further before the alert."""
SECONDS = 3.0
"""Limit of the search for the rule: the tool that needs it has its own queries to make."""


async def fault_began_by(ctx: ToolContext, at: datetime) -> datetime | None:
    """The alert's start less what its rule says it waited, its `for` and its widest range; None where its rule is not known."""
    if ctx.metrics is None or not ctx.case.alert_name:
        return None
    try:
        async with asyncio.timeout(SECONDS):
            rules = [rule for rule in await ctx.metrics.rules() if rule.get("name") == ctx.case.alert_name]
    except (QueryFailed, TimeoutError):
        return None
    own = [rule for rule in rules if _fits(rule, ctx.case)] or rules
    return min((at - _wait(rule) for rule in own), default=None)


def _fits(rule: AlertRule, case: Case) -> bool:
    """One name may stand over several rules that differ in their labels, e.g. in severity."""
    return all(case.labels.get(name) == value for name, value in dict(rule.get("labels") or {}).items())


def _wait(rule: AlertRule) -> timedelta:
    try:
        window = widest_range(str(rule.get("query", "")))
    except ValueError:
        window = timedelta(0)
    return min(timedelta(seconds=min(float(rule.get("duration") or 0), FURTHEST.total_seconds())) + window, FURTHEST)
