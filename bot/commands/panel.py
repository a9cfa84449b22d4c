"""The empty line."""

from bot.commands._subject import around_of, fitting
from bot.plugins import Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("panel", usage="")
async def panel(ctx: CommandContext, request: Request) -> Reply:
    """Show what can be done here, with buttons."""
    around = await around_of(ctx, request)
    subject = around.subject
    state = {
        "ref": subject.group or subject.incident if subject else "",
        "title": subject.title if subject else "",
        "word": subject.state if subject else "",
        "only_one": around.only_one,
        "open": around.open,
        "fits": fitting(ctx, subject),
        "command": ctx.config.command,
    }
    return Reply("What you can do here", view="panel", subject=state)
