"""What a run of an action changed, as a reported change: the pipeline behind it may report nothing, or later."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import Plan
from bot.core.approvals.canonical_record import terms_of
from bot.core.approvals.policy import undo_of_change
from bot.core.changes.own_changes import OWN, ChangedVersions, Direction, changed_versions, own_id
from bot.core.config import Config
from bot.store.approvals.rows import undoes
from bot.store.tables import AttemptRow, ChangeRow, ProposalRow


async def record_change(
    session: AsyncSession, config: Config, row: ProposalRow, *, at: datetime, by: str = "tocsin", step: int = 1
) -> None:
    """Record once that a service runs another version since `at`; nothing for an action that changes none."""
    plan = terms_of(row.record, row.dry_run)
    run = plan.runs[step - 1]
    id = own_id(f"AP-{row.id}{f':{step}' if plan.parts else ''}")
    # What undoes a run goes to where that came from, whatever its own arguments say: they may name no version.
    undone = await session.get(ChangeRow, own_id(undoes(row.key))) if not plan.parts else None
    versions = ChangedVersions(undone.previous_version, undone.version) if undone else _versions(config, run)
    if versions is None or not versions.now or await session.get(ChangeRow, id) is not None:
        return
    reverted = undone or await session.get(ChangeRow, str(run.arguments.get("change_id", "")))
    session.add(
        ChangeRow(
            id=id,
            at=at,
            service=row.service,
            kind=reverted.kind if reverted else "deploy",
            title=run.title,
            author=by,
            version=versions.now,
            previous_version=versions.before,
            source=OWN,
            received_at=at,
        )
    )


def _versions(config: Config, run: Plan) -> ChangedVersions | None:
    direction = _direction(config, run.action)
    return changed_versions(run.arguments, direction) if direction else None


def _direction(config: Config, action: str) -> Direction | None:
    """Whether a catalogue entry takes a change back or puts it in place again; None for all others."""
    entry = config.actions.get(action)
    if entry is not None and undo_of_change(entry):
        return Direction.BACK
    restores = any(other.undo == action and undo_of_change(other) for other in config.actions.values())
    return Direction.FORWARD if entry is not None and restores else None


async def record_change_of_attempt(session: AsyncSession, config: Config, row: ProposalRow, *, by: str = "tocsin") -> None:
    """The same for a run that the bot began itself."""
    query = select(AttemptRow).where(AttemptRow.proposal_id == row.id).order_by(col(AttemptRow.step).desc()).limit(1)
    if (attempt := (await session.exec(query)).first()) is not None:
        await record_change(session, config, row, at=attempt.at, by=by, step=attempt.step)
