"""Show a group, incident or proposal in short."""

from bot.commands._subject import subject_of
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.core.messages.replies import ShowReply
from bot.plugins import EntryPoint, Reply, Request, command
from bot.store import timeline
from bot.store.alerts import groups
from bot.store.alerts.reader import reasons_of
from bot.store.incidents.rows import load_incident
from bot.store.slack.investigation_contents import triage_content
from bot.store.slack.proposal_contents import proposal_content
from bot.workflows.command_context import CommandContext


@command("show", usage="show [AL-3|INC-3|AP-3]", who="anyone")
async def show(ctx: CommandContext, request: Request) -> Reply:
    """Show a group, incident or proposal in short, with its timeline."""
    subject = await subject_of(ctx, request)
    if request.text and request.entry_point.is_typed:
        raise NotFound(f"show takes a reference such as {subject.ref}, not {request.text[:40]}.")
    if subject.group and request.entry_point == EntryPoint.BUTTON:
        await groups.give_card(ctx.db, subject.group, ctx.config)
    group_id = number_of(subject.group, "AL") if subject.group else None
    incident_id = number_of(subject.incident, "INC") if subject.incident else None
    async with ctx.db.read() as session:
        incident = await load_incident(session, subject.incident)
        triage = await triage_content(session, subject.group)
        proposal = await proposal_content(session, subject.ref) if subject.ref.startswith("AP-") else None
        reasons = await reasons_of(session, group_id) if group_id and proposal is None else None
        entries = await timeline.of(session, group_id=group_id, incident_id=incident_id)
    content = ShowReply(
        ref=subject.ref,
        title=subject.title,
        service=proposal.service if proposal else subject.service,
        severity=subject.severity,
        state=subject.state,
        group=subject.group,
        incident=subject.incident,
        lead=incident.lead if incident else "",
        cause=incident.cause if incident else "",
        findings=triage.findings if triage else None,
        proposal=proposal,
        proposals=triage.proposals if triage else (),
        reasons=reasons,
        timeline=entries,
    )
    return Reply(f"{subject.state} {subject.ref}", content=content)
