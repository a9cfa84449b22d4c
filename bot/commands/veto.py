"""Stop what a standing approval would start."""

from bot.commands._subject import name_of
from bot.core.approvals.standing import may_stop
from bot.core.errors import NotAllowed
from bot.plugins import Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("veto", usage="veto AP-3", who="members")
async def veto(ctx: CommandContext, request: Request) -> Reply:
    """Stop what a standing approval would start; any full member may. It waits for people then."""
    if not request.ref.startswith("AP-"):
        return Reply("Say which proposal, for example: veto AP-3.")
    actor = request.actor
    if not may_stop(actor):
        raise NotAllowed("Only full members of this workspace stop it.")
    return Reply(await ctx.approvals.standing_approvals.veto(request.ref, name_of(actor)))
