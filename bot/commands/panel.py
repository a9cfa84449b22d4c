"""The empty line."""

from bot.commands._subject import fitting
from bot.plugins import Reply, Request, command
from bot.store import overview
from bot.workflows.command_context import CommandContext


@command("panel", usage="")
async def panel(ctx: CommandContext, request: Request) -> Reply:
    """Show what can be done here, with buttons."""
    subject = await overview.belongs(ctx.db, request.ref) if request.ref else None
    state = {
        "ref": subject.group or subject.incident if subject else "",
        "title": subject.title if subject else "",
        "word": subject.state if subject else "",
        "fits": fitting(ctx, subject),
        "command": ctx.config.command,
    }
    return Reply("What you can do here", view="panel", subject=state)
