"""The evidence, and why alerts stand together or are muted."""

from bot.commands._subject import subject_of
from bot.core.incident import number_of
from bot.core.messages.replies import GroupingReply, WhyReply
from bot.plugins import Reply, Request, command
from bot.store.alerts.reader import reasons_of
from bot.store.slack.investigation_contents import triage_content
from bot.workflows.command_context import CommandContext


@command("why", usage="why [n] [AL-3]", who="anyone")
async def why(ctx: CommandContext, request: Request) -> Reply:
    """Show the evidence behind hypothesis n, why the alerts are one card, and what mutes others."""
    subject = await subject_of(ctx, request)
    if not subject.group:
        return Reply(f"{subject.ref} has no alert group, so nothing was grouped, muted or triaged.")
    async with ctx.db.read() as session:
        triage = await triage_content(session, subject.group)
        reasons = await reasons_of(session, number_of(subject.group, "AL") or 0)
    hypotheses = triage.hypotheses if triage else ()
    if triage is None or not hypotheses:
        causes = _without_causes(triage is not None, triage is not None and triage.state.running)
        return Reply(causes, content=GroupingReply(ref=subject.group, reasons=reasons, causes=causes))
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
        reasons=reasons,
    )
    return Reply(f"Evidence for hypothesis {number}", content=content)


def _without_causes(triaged: bool, running: bool) -> str:
    if not triaged:
        return "It was not triaged yet. The verb investigate starts it."
    if running:
        return "The triage is still running; its facts stand in the thread."
    return "No cause was found; the facts stand in the thread."
