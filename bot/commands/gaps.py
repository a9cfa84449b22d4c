"""What could not be checked."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.config.fields import parse_duration
from bot.core.errors import NotFound
from bot.core.investigation.gaps import Gap, rank_gaps
from bot.core.text.moments import day
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import Tools, describe_call
from bot.plugins import Reply, Request, command
from bot.store.triage.gaps import failed_checks, groups_investigated, groups_that_checked
from bot.workflows.command_context import CommandContext

USUAL = "30d"
SHOWN = 12


@command("gaps", usage="gaps [since=30d] [service=]", options=("since", "service"), who="anyone")
async def gaps(ctx: CommandContext, request: Request) -> Reply:
    """List what the investigations could not check, the most often missed first: access worth setting up."""
    since, service = _since(ctx.clock(), request.options.get("since", USUAL)), request.options.get("service", "")
    visibilities = await ctx.read_access.readable(request)
    checks = [check for check in await failed_checks(ctx.db, since, visibilities) if service in ("", check.service)]
    investigated, ranked = await groups_investigated(ctx.db, since, visibilities), rank_gaps(checks)
    about = f" of {one_line(service, 60)}" if service else ""
    if not ranked:
        if service and service not in ctx.catalogue.services:
            raise NotFound(f"{one_line(service, 60)} is no service of the catalogue, and no check of it failed.")
        if not investigated:
            return Reply(f"Nothing was investigated since {day(since)}, so nothing was missed.")
        if service:
            return Reply(_nothing_missed(service, since, await groups_that_checked(ctx.db, since, visibilities, service)))
        return Reply(f"No check failed since {day(since)} ({counted(investigated, 'group')} investigated).")
    return Reply("\n".join([f"What could not be checked{about} since {day(since)}:", *_lines(ranked, investigated, ctx.tools)]))


def _since(now: datetime, duration: str) -> datetime:
    try:
        return now - parse_duration(duration)
    except (ValueError, OverflowError) as error:
        raise NotFound(f"since: {error}") from None


def _nothing_missed(service: str, since: datetime, groups: int) -> str:
    """No failed check says something only where there was one."""
    if not groups:
        return f"Nothing of {service} was checked since {day(since)}, so nothing was missed."
    return f"No check of {service} failed since {day(since)} (checked in {counted(groups, 'group')})."


def _lines(gaps: Sequence[Gap], investigated: int, tools: Tools) -> list[str]:
    lines = [f"{number}. {_line(gap, investigated, tools)}" for number, gap in enumerate(gaps[:SHOWN], 1)]
    left = len(gaps) - SHOWN
    return [*lines, f"and {left} more, each missed less often"] if left > 0 else lines


def _line(gap: Gap, investigated: int, tools: Tools) -> str:
    services = ", ".join(gap.services[:5]) + (" and others" if len(gap.services) > 5 else "")
    last = f"last {gap.last_group} on {day(gap.last_at)}"
    missed = f"missed in {counted(gap.groups, 'group')} of {investigated} investigated, {last}"
    return f"{describe_call(tools, gap.tool, {'service': services}, 200)}: {one_line(gap.reason, 200)}; {missed}"
