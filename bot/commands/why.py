"""The evidence."""

from bot.commands._subject import subject_of
from bot.core.messages.replies import WhyReply
from bot.plugins import Reply, Request, command
from bot.store.slack.message_contents import triage_content
from bot.workflows.command_context import CommandContext


@command("why", usage="why [n] [AL-3]")
async def why(ctx: CommandContext, request: Request) -> Reply:
    """Show the evidence behind hypothesis n, with the queries to run again."""
    subject = await subject_of(ctx, request)
    async with ctx.db.read() as session:
        triage = await triage_content(session, subject.group) if subject.group else None
    if triage is None:
        return Reply(f"{subject.ref} was not triaged yet. The verb investigate starts it.")
    hypotheses = triage.hypotheses
    if not hypotheses:
        return Reply(
            "The triage is still running; its facts stand in the thread."
            if triage.state.running
            else "No cause was found; the facts stand in the thread."
        )
    number = request.text.strip().lstrip("#") or "1"
    if not number.isdecimal() or not 1 <= int(number) <= len(hypotheses):
        count = len(hypotheses)
        which = "1 hypothesis: write why 1" if count == 1 else f"{count} hypotheses: write why 1 to why {count}"
        return Reply(f"{subject.group} has {which}.")
    content = WhyReply(
        ref=subject.group,
        n=int(number),
        count=len(hypotheses),
        hypothesis=hypotheses[int(number) - 1],
        ruled_out=triage.findings.ruled_out if triage.findings else (),
        evidence=triage.evidence,
    )
    return Reply(f"Evidence for hypothesis {number}", content=content)
