"""Take a stop back."""

from bot.commands._subject import subject_of
from bot.core.errors import NotAllowed
from bot.plugins import Reply, Request, command
from bot.store.approvals.switches import Switches
from bot.store.incidents.roles import roles_of
from bot.workflows.command_context import CommandContext


@command("resume", usage="resume [INC-3|AL-3]", who="members", fresh_identity=True)
async def resume(ctx: CommandContext, request: Request) -> Reply:
    """Let automation go on after a stop: the service's on-call, who leads the incident, or a deputy."""
    subject = await subject_of(ctx, request)
    ref, person = subject.incident or subject.group, request.actor.person
    roles = await roles_of(ctx.db, subject.incident)
    roster = await ctx.approvals.rotas.roster(subject.service)
    eligibility = roster.eligibility(person, subject.service, ctx.clock(), roles=roles)
    if not (eligibility.on_call or eligibility.commander or eligibility.deputy):
        raise NotAllowed(f"Who may resume {ref}: {subject.service} on-call, the incident commander or a deputy.")
    if not await Switches(ctx.db).resume(ref, person):
        return Reply(f"{ref} is not stopped.")
    return Reply(f"{ref} resumed by {person}.", private=False, about=ref)
