"""Record what a person ran by hand."""

from bot.commands._subject import subject_of
from bot.plugins import Reply, Request, command
from bot.workflows.command_context import CommandContext


@command("did", usage="did AP-3 | did <action> [service=]", options=("service",), who="members")
async def did(ctx: CommandContext, request: Request) -> Reply:
    """Say that you ran it by hand: the signal is watched and the timeline written as if the bot had run it."""
    if request.ref.startswith("AP-"):
        what, service, owner = request.ref, (await ctx.approvals.store.load(request.ref)).service, ""
    else:
        words = request.text.split()
        if not words:
            return Reply("Say what you ran, for example: did AP-3, or: did rollback service=checkout.")
        subject = await subject_of(ctx, request)
        what, owner = words[0], subject.incident or subject.group
        service = request.options.get("service", "") or (words[1] if len(words) > 1 else subject.service)
    key = f"did:{what}" if what.startswith("AP-") else f"did:{request.key}"
    proposal = await ctx.approvals.record_manual(what, request.actor, service=service, group_ref=owner, key=key)
    return Reply(f"Recorded as {proposal.ref}: you ran it by hand. Its signal is being watched.")
