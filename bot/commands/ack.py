"""Acknowledge an alert group or incident."""

from bot.commands._subject import name_of, subject_of
from bot.core.incident import GroupState
from bot.plugins import EntryPoint, Reply, Request, command
from bot.store.incidents import incidents
from bot.workflows.command_context import CommandContext


@command("ack", aliases=("acknowledge",), usage="ack [AL-3]", who="members")
async def ack(ctx: CommandContext, request: Request) -> Reply:
    """Say that you look after it; the card shows your name and nobody is paged for it. "@tocsin I'm on it" does the same."""
    subject = await subject_of(ctx, request)
    if not subject.group:
        return Reply(f"{subject.ref} has no alert group to acknowledge. The verb lead says who leads it.")
    group = await incidents.acknowledge(ctx.db, subject.group, name_of(request.actor))
    if group.acknowledged_by != name_of(request.actor) or group.state is GroupState.RESOLVED:
        return Reply(f"{subject.group} is {group.state}; {group.acknowledged_by or 'nobody'} acknowledged it.")
    # A press sees the card change; words need words.
    return Reply("" if request.entry_point == EntryPoint.BUTTON else f"Acknowledged {subject.group}.")
