"""How well each action did on each service, as rows tell it, and what was only suggested and whether people did it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Plan, ProposalState
from bot.core.approvals.autonomy import TrackRecord
from bot.store.approvals.rows import Owner
from bot.store.db.database import Database
from bot.store.tables import ChangeRow, ProposalRow, SuggestionRow

FAILED = (ProposalState.FAILED, ProposalState.NOT_RECOVERED)
UNCLEAR = (ProposalState.COULD_NOT_VERIFY, ProposalState.UNKNOWN)
RAN = tuple(state.value for state in (ProposalState.SUCCEEDED, *FAILED, *UNCLEAR))
"""States of what was run and whose watching is over."""


async def suggest(db: Database, session: AsyncSession, key: str, owner: Owner, plan: Plan) -> None:
    """Write down once what would have been put to people."""
    if (await session.exec(select(SuggestionRow.key).where(SuggestionRow.key == key))).first() is not None:
        return
    session.add(
        SuggestionRow(
            key=key, at=db.clock(), group_id=owner.group_id, incident_id=owner.incident_id, service=plan.service,
            action=plan.action, arguments=dict(plan.arguments),
        )
    )  # fmt: skip
    await session.flush()


async def track_records(db: Database, services: Iterable[str]) -> Sequence[TrackRecord]:
    """Of these services, by service and action: what the bot ran itself, and what it only suggested."""
    names = list(services)
    async with db.read() as session:
        here = col(ProposalRow.service).in_(names), col(ProposalRow.manual).is_(False)
        columns = select(ProposalRow.service, ProposalRow.action, ProposalRow.state).where(*here)
        runs = (await session.exec(columns.where(col(ProposalRow.state).in_(RAN)))).all()
        suggestions = (await session.exec(select(SuggestionRow).where(col(SuggestionRow.service).in_(names)))).all()
        followed = [row for row in suggestions if await _followed(session, row)]
    by_state = Counter((service, action, ProposalState(state)) for service, action, state in runs)
    keys = {(service, action) for service, action, _ in by_state} | {(row.service, row.action) for row in suggestions}
    return [_record(key, by_state, suggestions, followed) for key in sorted(keys)]


def _record(
    key: tuple[str, str],
    by_state: Counter[tuple[str, str, ProposalState]],
    suggestions: Sequence[SuggestionRow],
    followed: Sequence[SuggestionRow],
) -> TrackRecord:
    counts = {state: by_state[*key, state] for state in (ProposalState.SUCCEEDED, *FAILED, *UNCLEAR)}
    return TrackRecord(
        *key,
        tries=sum(counts.values()),
        verified=counts[ProposalState.SUCCEEDED],
        failed=sum(counts[state] for state in FAILED),
        suggested=sum((row.service, row.action) == key for row in suggestions),
        followed=sum((row.service, row.action) == key for row in followed),
    )


async def _followed(session: AsyncSession, row: SuggestionRow) -> bool:
    """Whether people did the same: they said so, or the service was brought to the version that it would have had."""
    manual = select(ProposalRow.id).where(
        col(ProposalRow.manual).is_(True), ProposalRow.service == row.service, ProposalRow.action == row.action,
        ProposalRow.group_id == row.group_id, col(ProposalRow.created_at) >= row.at,
    )  # fmt: skip
    if (await session.exec(manual.limit(1))).first() is not None:
        return True
    if not (version := str(row.arguments.get("previous_version", ""))):
        return False
    deployed = ChangeRow.service == row.service, ChangeRow.version == version, col(ChangeRow.at) >= row.at
    return (await session.exec(select(ChangeRow.id).where(*deployed).limit(1))).first() is not None
