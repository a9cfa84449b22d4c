"""Stop automation here."""

from bot.commands._subject import name_of, subject_of
from bot.core.text.untrusted import one_line
from bot.plugins import Reply, Request, command
from bot.store.approvals.switches import Switches
from bot.workflows.command_context import CommandContext


@command("stop", usage="stop [INC-3|AL-3] [reason]", who="members")
async def stop(ctx: CommandContext, request: Request) -> Reply:
    """Stop the investigation and everything approved here that has not begun. Any full member may; the on-call resumes."""
    subject = await subject_of(ctx, request)
    ref = subject.incident or subject.group
    halted = await Switches(ctx.db).stop(ref, name_of(request.actor), request.text)
    await ctx.approvals.wake_all(halted, "stop")
    also = f" Not run: {', '.join(halted)}." if halted else ""
    why = f" ({one_line(request.text, 200)})" if request.text else ""
    text = f"{ref} stopped by {name_of(request.actor)}{why}.{also} The on-call resumes with: resume {ref}."
    return Reply(text, private=False, about=ref)
