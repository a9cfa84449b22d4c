"""The empty line: what is meant here, and buttons of the commands that fit it."""

from bot.commands._subject import around_of, fitting
from bot.core.messages.replies import PanelReply
from bot.plugins import Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("panel", usage="", who="anyone")
async def panel(ctx: CommandContext, request: Request) -> Reply:
    """Show what can be done here: what is meant (its reference, title and state), and a button for each verb that fits it now.

    Without a reference or thread that is the only group or incident open here; where several are, it lists them. Nobody is
    refused, and only what you can read is shown.
    """
    around = await around_of(ctx, request)
    subject = around.subject
    content = PanelReply(
        ref=subject.group or subject.incident if subject else "",
        title=subject.title if subject else "",
        state=subject.state if subject else "",
        commands=fitting(ctx, subject),
        slash=ctx.config.command,
        only_one=around.only_one,
        open_here=[row.ref for row in around.open],
        where=around.where,
    )
    return Reply("What you can do here", content=content)
