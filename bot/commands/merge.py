"""Merge two alert groups."""

from dataclasses import replace

from bot.commands._subject import name_of
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.plugins import Reply, Request, command
from bot.store.alerts import regroup
from bot.workflows.command_context import CommandContext


@command("merge", usage="merge AL-3 AL-5", who="members")
async def merge(ctx: CommandContext, request: Request) -> Reply:
    """Move the alerts of the second group into the first: they are one outage. The second card closes."""
    into, other = request.ref.upper(), request.text.strip().upper()
    if number_of(into, "AL") is None or number_of(other, "AL") is None:
        raise NotFound("Name both groups: merge AL-3 AL-5 moves the alerts of AL-5 into AL-3. Nothing was merged.")
    await ctx.reading.require(replace(request, ref=other))
    await regroup.merge(ctx.db, into, other, name_of(request.actor))
    return Reply(f"{other} is part of {into} now; its card closes. To group such alerts from now on: always {into}.")
