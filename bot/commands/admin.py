"""Pause and resume everything."""

from bot.core.errors import NotAllowed, NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import Reply, Request, command
from bot.store.approvals.switches import ResumeResult, Switches
from bot.workflows.command_context import CommandContext


@command("admin", aliases=("pause",), usage="admin pause [reason] | admin resume", who="members", fresh_identity=True)
async def admin(ctx: CommandContext, request: Request) -> Reply:
    """Hold all automated actions everywhere (any on-call), or let them run again (an admin; two people after an alarm)."""
    word, _, rest = (f"pause {request.text}" if request.verb == "pause" else request.text).partition(" ")
    if word == "pause":
        return await _pause(ctx, request, rest.strip())
    if word == "resume":
        return await _resume(ctx, request)
    if word:
        raise NotFound(f"admin takes pause or resume, not {word[:40]}. Nothing was changed.")
    paused = await Switches(ctx.db).paused()
    return Reply(f"Paused by {paused}." if paused else "Automated actions are on. Say: admin pause [reason], or admin resume.")


async def _pause(ctx: CommandContext, request: Request, reason: str) -> Reply:
    person, roster = request.actor.person, await ctx.approvals.rotas.roster()
    own = roster.eligibility(person, "", ctx.clock())
    if not (roster.on_call_anywhere(person, ctx.clock()) or own.admin or own.deputy):
        raise NotAllowed("Any on-call, a deputy or an admin may pause. For one incident, anybody may say: stop.")
    if paused_by := await Switches(ctx.db).paused():
        return Reply(f"Already paused by {paused_by}. An admin resumes: admin resume.")
    halted = await Switches(ctx.db).pause(person, reason)
    await ctx.approvals.wake_all(halted, "pause")
    because = f" ({one_line(reason, 200)})" if reason else ""
    also = f" Not run: {', '.join(halted)}." if halted else ""
    return Reply(f"All automated actions are paused by {person}{because}.{also} An admin resumes: admin resume.", private=False)


async def _resume(ctx: CommandContext, request: Request) -> Reply:
    person = request.actor.person
    roster = await ctx.approvals.rotas.roster()
    if not roster.eligibility(person, "", ctx.clock()).admin:
        admins = ", ".join(ctx.config.approvers.admins) or "nobody is listed as admin in tocsin.yaml"
        raise NotAllowed(f"An admin resumes: {admins}.")
    result = await Switches(ctx.db).unpause(person)
    if result is ResumeResult.SECOND_PERSON_NEEDED:
        return Reply("An alarm is open, so a second admin has to say admin resume too.", private=False)
    if result is ResumeResult.NOT_PAUSED:
        return Reply("Nothing is paused.")
    return Reply(f"{person} resumed automated actions everywhere.", private=False)
