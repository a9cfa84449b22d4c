"""The content of a proposal's card, with the answers of people and how far its steps are."""

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.incident import number_of
from bot.core.messages.proposals import ProposalContent
from bot.store.approvals.plan_steps import step_runs
from bot.store.approvals.rows import decision_rows, stored_decision, stored_proposal
from bot.store.approvals.standing.starts import standing_offer
from bot.store.incidents.rows import to_group
from bot.store.tables import GroupRow, IncidentRow, ProposalRow


async def proposal_content(session: AsyncSession, ref: str) -> ProposalContent | None:
    """`AP-n` with the answers of people; None if there is none."""
    row = await session.get(ProposalRow, number_of(ref, "AP") or 0)
    if row is None:
        return None
    group = await session.get(GroupRow, row.group_id) if row.group_id else None
    number = row.incident_id or (group.incident_id if group else None)
    incident = await session.get(IncidentRow, number) if number else None
    return ProposalContent(
        proposal=stored_proposal(row),
        decisions=[stored_decision(decision) for decision in await decision_rows(session, row)],
        solo=row.solo,
        break_glass=row.break_glass,
        standing_offer=await standing_offer(session, row),
        manual=row.manual,
        lead=incident.lead if incident else "",
        deputies=tuple(incident.deputies) if incident else (),
        runs=await step_runs(session, row),
        alerts_cleared_at=group.cleared_at if group and to_group(group).cleared else None,
    )
