"""What could not be looked at."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.config import parse_duration
from bot.core.errors import NotFound
from bot.core.investigation.gaps import Gap, rank_gaps
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import Tools, describe_call
from bot.plugins import Reply, Request, command
from bot.store.triage.gaps import failed_looks, groups_looked_at
from bot.workflows.command_context import CommandContext

USUAL = "30d"
SHOWN = 12


@command("gaps", usage="gaps [since=30d] [service=]", options=("since", "service"))
async def gaps(ctx: CommandContext, request: Request) -> Reply:
    """List what the investigations could not check, the most often missed first: access worth setting up."""
    since, service = _since(ctx.clock(), request.options.get("since", USUAL)), request.options.get("service", "")
    looks = [look for look in await failed_looks(ctx.db, since) if service in ("", look.service)]
    of, found = await groups_looked_at(ctx.db, since), rank_gaps(looks)
    about = f" of {one_line(service, 60)}" if service else ""
    if not found:
        if service and service not in ctx.catalogue.services:
            raise NotFound(f"{one_line(service, 60)} is no service of the catalogue, and no look at it failed.")
        if not of:
            return Reply(f"Nothing was investigated since {since:%Y-%m-%d}, so nothing was missed.")
        at = f" at {one_line(service, 60)}" if service else ""
        return Reply(f"No look{at} failed since {since:%Y-%m-%d} ({counted(of, 'group')} investigated).")
    return Reply("\n".join([f"What could not be looked at{about} since {since:%Y-%m-%d}:", *_lines(found, of, ctx.tools)]))


def _since(now: datetime, wish: str) -> datetime:
    try:
        return now - parse_duration(wish)
    except (ValueError, OverflowError) as error:
        raise NotFound(f"since: {error}") from None


def _lines(found: Sequence[Gap], of: int, tools: Tools) -> list[str]:
    lines = [f"{number}. {_text(gap, of, tools)}" for number, gap in enumerate(found[:SHOWN], 1)]
    left = len(found) - SHOWN
    return [*lines, f"and {left} more, each missed less often"] if left > 0 else lines


def _text(gap: Gap, of: int, tools: Tools) -> str:
    services = ", ".join(gap.services[:5]) + (" and others" if len(gap.services) > 5 else "")
    where = f"missed in {counted(gap.groups, 'group')} of {of} investigated, last {gap.last_group} on {gap.last_at:%Y-%m-%d}"
    return f"{describe_call(tools, gap.tool, {'service': services}, 200)}: {one_line(gap.reason, 200)}; {where}"
