"""Record that a run whose outcome was unknown did not take place."""

from bot.commands.did import answer_unknown
from bot.plugins import Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("did_not", usage="did_not AP-3", who="members", fresh_identity=True)
async def did_not(ctx: CommandContext, request: Request) -> Reply:
    """Say that an action of unknown outcome did not run. Nothing is repeated: it may be proposed anew."""
    if not request.ref.startswith("AP-"):
        return Reply("Say which proposal, for example: did_not AP-3.")
    return await answer_unknown(ctx, request, ran=False)
