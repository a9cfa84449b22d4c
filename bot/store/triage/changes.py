"""Changes as rows; the reader that tools get."""

from datetime import datetime

from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import ProposalState
from bot.core.change import MAX_LISTED, Change
from bot.core.changes.own_changes import REPORTED_WITHIN, ActionRun, with_own
from bot.core.incident import number_of
from bot.store.approvals.rows import stored_proposal, undoes
from bot.store.db.database import Database
from bot.store.tables import AttemptRow, ChangeRow, ProposalRow


class Changes:
    """Reads what intake stored."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def since(self, service: str, since: datetime) -> list[Change]:
        """Changes on one service ("" = all) from `since` on, newest first, at most MAX_LISTED."""
        query = select(ChangeRow).where(col(ChangeRow.at) >= since).order_by(col(ChangeRow.at).desc()).limit(MAX_LISTED)
        if service:
            query = query.where(ChangeRow.service == service)
        async with self.db.read() as session:
            rows = (await session.exec(query)).all()
            runs = await runs_since(session, since - REPORTED_WITHIN)
        return with_own([Change.model_validate(row.model_dump(exclude={"received_at"})) for row in rows], runs)


async def runs_since(session: AsyncSession, since: datetime) -> list[ActionRun]:
    """What the bot ran itself, and what people said that they ran for a proposal."""
    query = select(ProposalRow, AttemptRow).outerjoin(AttemptRow, col(AttemptRow.proposal_id) == col(ProposalRow.id))
    ran = or_(col(AttemptRow.at) >= since, and_(col(ProposalRow.manual), col(ProposalRow.created_at) >= since))
    rows = (await session.exec(query.where(ran))).all()
    undone = {number_of(undoes(proposal.key), "AP") for proposal, _ in rows} - {None}
    # What undoes a run is about the same change and versions, and names none of them itself.
    originals = (await session.exec(select(ProposalRow).where(col(ProposalRow.id).in_(undone)))).all() if undone else ()
    by_ref = {f"AP-{row.id}": row for row in originals if not row.record.get("parts")}
    return [_run_of(proposal, attempt, by_ref.get(undoes(proposal.key), proposal)) for proposal, attempt in rows]


def _run_of(proposal: ProposalRow, attempt: AttemptRow | None, about: ProposalRow) -> ActionRun:
    """`about`: the proposal whose arguments say what it is about."""
    step = attempt.step - 1 if attempt and about is proposal else 0
    arguments = stored_proposal(about).runs[step].arguments
    versions = {str(arguments[name]) for name in ("version", "previous_version") if arguments.get(name)}
    at = attempt.at if attempt else proposal.created_at
    change, verified = str(arguments.get("change_id", "")), proposal.state == ProposalState.SUCCEEDED
    return ActionRun(f"AP-{proposal.id}", proposal.service, at, versions, change, verified)
