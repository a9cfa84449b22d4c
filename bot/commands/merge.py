"""Merge two alert groups."""

from contextlib import suppress
from dataclasses import replace

from bot.commands._grouping_rules import applying, why_none
from bot.commands._subject import name_of
from bot.core.actor import Visibility
from bot.core.errors import NotAllowed, NotFound
from bot.core.incident import number_of
from bot.plugins import Reply, Request, command
from bot.store.alerts import regroup
from bot.store.alerts.ties.grouping_rules import GroupingRules
from bot.store.incidents import overview
from bot.workflows.command_context import CommandContext


@command("merge", usage="merge AL-3 AL-5", who="members")
async def merge(ctx: CommandContext, request: Request) -> Reply:
    """Move the alerts of the second group into the first: they are one outage. The second card closes.

    Alerts of a private channel or incident stay where they are read: merge the other group into theirs.
    """
    into, other = request.ref.upper(), request.text.strip().upper()
    if number_of(into, "AL") is None or number_of(other, "AL") is None:
        raise NotFound("Name both groups: merge AL-3 AL-5 moves the alerts of AL-5 into AL-3. Nothing was merged.")
    await ctx.read_access.require(replace(request, ref=other))
    await _require_readers(ctx, into, other)
    await regroup.merge(ctx.db, into, other, name_of(request.actor))
    return Reply(f"{other} is part of {into} now; its card closes. {await _later(ctx, into)}")


async def _later(ctx: CommandContext, into: str) -> str:
    """What holds for such alerts from now on."""
    with suppress(NotFound):
        drafts = await GroupingRules(ctx.db).drafts(into)
        if not await applying(ctx, drafts):
            return why_none(drafts[0])
    return f"To group such alerts from now on: always {into}."


async def _require_readers(ctx: CommandContext, into: str, other: str) -> None:
    """Raises NotAllowed where somebody reads the card of `into` who may not read the alerts that would stand on it."""
    target, source = [(await overview.subject_of(ctx.db, ref)).visibility for ref in (into, other)]
    if await _is_read_by_all(ctx, source, target):
        return
    back = f" The other way works: merge {other} {into}." if await _is_read_by_all(ctx, target, source) else ""
    raise NotAllowed(f"The card of {into} is read by people who may not read {other}, so nothing was merged.{back}")


async def _is_read_by_all(ctx: CommandContext, of: Visibility, where: Visibility) -> bool:
    return bool(await ctx.read_access.recallable([of], where.channel))
