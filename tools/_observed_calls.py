"""Whom a service calls as far as its traces and log lines show it: for services whose dependencies nobody wrote down."""

import asyncio
from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.logs.mentions import named_services
from bot.core.logs.parsing import message_of
from bot.core.traces.spans import neighbours
from bot.plugins import ToolContext
from tools._onset import onset_of

TRACES, LINES = 20, 1_000
_LEVELS = frozenset({"warn", "error", "fatal"})
_LEAD = timedelta(minutes=5)


async def observed_calls(ctx: ToolContext, service: str) -> tuple[list[str], list[str], str]:
    """What the service calls, who calls it, and the queries; empty lists where neither traces nor lines tell.

    A line of trouble that names another service speaks of a call to it: a service knows whom it calls, not who calls it.
    """
    since = await onset_of(ctx) - _LEAD
    (called, calling), mentioned = await asyncio.gather(_in_traces(ctx, service), _in_lines(ctx, service, since))
    calls = sorted({*called, *mentioned} - {service} - set(calling))
    queries = [ctx.traces.query(service)] if ctx.traces else []
    queries += [ctx.logs.query(service, "")] if ctx.logs else []
    return calls, sorted(set(calling) - {service}), "; ".join(queries)


async def _in_traces(ctx: ToolContext, service: str) -> tuple[set[str], set[str]]:
    if ctx.traces is None:
        return set(), set()
    try:
        sample = await ctx.traces.spans(service, start=ctx.now - timedelta(hours=1), end=ctx.now, traces=TRACES)
    except QueryFailed:
        return set(), set()
    return neighbours(sample.rows, service)


async def _in_lines(ctx: ToolContext, service: str, since: datetime) -> set[str]:
    own = [ctx.case.summary] if ctx.case.service == service else []
    others = [name for name in ctx.catalogue.services if name != service]
    try:
        lines = await ctx.logs.search(service, "", start=since, end=ctx.now, limit=LINES) if ctx.logs else []
    except QueryFailed:
        lines = []
    trouble = [message_of(line.text) for line in lines if line.level in _LEVELS]
    return named_services([*own, *dict.fromkeys(trouble)], others)
