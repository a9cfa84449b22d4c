"""Show a whole triage, or a whole proposal."""

from bot.commands._subject import subject_of
from bot.core.incident import number_of
from bot.core.messages.replies import DetailsReply, PlanReply
from bot.plugins import Reply, Request, command
from bot.store.slack.investigation_contents import triage_content
from bot.store.slack.proposal_contents import proposal_content
from bot.workflows.command_context import CommandContext


@command("full", usage="full [AL-3|AP-3]", who="anyone")
async def full(ctx: CommandContext, request: Request) -> Reply:
    """Show a triage in full, with all its claims, evidence and queries, or a proposal with its exact request.

    It stands in a dialog where one can be opened. What was not triaged yet has nothing to show: investigate starts that.
    """
    if number_of(request.ref, "AP") is not None:
        return await _of_proposal(ctx, request.ref)
    subject = await subject_of(ctx, request)
    async with ctx.db.read() as session:
        triage = await triage_content(session, subject.group) if subject.group else None
    if triage is None:
        return Reply(f"{subject.ref} was not triaged yet. The verb investigate starts it.")
    return Reply(f"Details of {subject.group}", content=DetailsReply(triage=triage), dialog=True)


async def _of_proposal(ctx: CommandContext, ref: str) -> Reply:
    async with ctx.db.read() as session:
        proposal = await proposal_content(session, ref)
    if proposal is None:
        return Reply(f"There is no {ref}.")
    return Reply(f"Details of {ref}", content=PlanReply(proposal=proposal), dialog=True)
