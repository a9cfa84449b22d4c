"""The proposals for what a group is about now, and which of them nobody has decided nor asked for."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import WITHOUT_EFFECT, Proposal, ProposalState
from bot.core.incident import number_of
from bot.store.approvals.rows import stored_proposal
from bot.store.db.database import Database
from bot.store.tables import GroupRow, ProposalRow


async def proposals_in_force(session: AsyncSession, group: GroupRow) -> list[Proposal]:
    """Those that were put to people since the group is about what it is about, and that may still have or had an effect."""
    return [stored_proposal(row) for row in await _rows_in_force(session, group)]


async def undecided_by_key(db: Database, ref: str, prefix: str) -> dict[str, Proposal]:
    """By their keys, those of `AL-n` with a key that begins so, which nobody approved yet and nobody asked for."""
    async with db.read() as session:
        group = await session.get(GroupRow, number_of(ref, "AL") or 0)
        rows = await _rows_in_force(session, group) if group else []
        proposals = {row.key: stored_proposal(row) for row in rows if row.key.startswith(prefix)}
    return {key: one for key, one in proposals.items() if one.state is ProposalState.PENDING and not one.all_requesters}


async def _rows_in_force(session: AsyncSession, group: GroupRow) -> list[ProposalRow]:
    since = [col(ProposalRow.created_at) >= group.renewed_at] if group.renewed_at else []
    in_force = ProposalRow.group_id == group.id, col(ProposalRow.state).not_in(WITHOUT_EFFECT)
    return list((await session.exec(select(ProposalRow).where(*in_force, *since).order_by(col(ProposalRow.id)))).all())
