"""The steps of a plan as rows: which has begun, when the one before was verified, and what ends a plan between two of them."""

from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import OutcomeState, Plan, ProposalState, VerificationState
from bot.core.approvals import plans
from bot.core.approvals.plans import StepRun
from bot.core.timeline import EntryKind
from bot.store.approvals import rows, signatures, transitions
from bot.store.db.database import Database
from bot.store.tables import AttemptRow, ClaimRow, ProposalRow


async def step_runs(session: AsyncSession, row: ProposalRow) -> list[StepRun]:
    """What is stored of each step that was begun, in order."""
    query = select(AttemptRow).where(AttemptRow.proposal_id == row.id).order_by(col(AttemptRow.step))
    attempts = (await session.exec(query)).all()
    return [StepRun(attempt.step, attempt.state, attempt.verification) for attempt in attempts]


async def newest_step(session: AsyncSession, row: ProposalRow) -> int:
    """The step whose right to run was taken last; 1 where none was."""
    query = select(func.max(ClaimRow.step)).where(ClaimRow.proposal_id == row.id)
    return (await session.exec(query)).one() or 1


def goes_on(row: ProposalRow, attempt: AttemptRow | None) -> bool:
    """Whether the plan goes on after this step: it was verified, is not the last, and it is certain that it ran once."""
    if attempt is None or attempt.state != OutcomeState.DONE:
        return False
    verified = attempt.verification.startswith(f"{VerificationState.RECOVERED}: ")
    return verified and attempt.step < len(rows.stored_terms(row).parts)


def keyed(key: str, plan: Plan, step: int) -> str:
    """The key of what is said once: of a plan once for each step."""
    return f"{key}:{step}" if plan.parts else key


async def note_verified(db: Database, session: AsyncSession, row: ProposalRow, step: int, text: str) -> None:
    """Sign in the audit that a step was verified, so that the next may begin; the card shows it."""
    row.verification = text
    row.rev += 1
    session.add(row)
    await session.flush()
    await signatures.sign(db, session, row, who="tocsin", what=verified_word(step), reason=text)
    await transitions.refresh_card(db, session, row)


def verified_word(step: int) -> str:
    """What the keyed audit calls the end of a step that lets the next one begin."""
    return f"step {step} verified"


async def verified_at(db: Database, session: AsyncSession, row: ProposalRow, step: int) -> datetime | None:
    """When this step was verified, by the keyed audit; None if it was not: no row in a table stands for it."""
    return await signatures.signed_at(db, session, row, what=verified_word(step), who="tocsin")


def halted_text(row: ProposalRow, why: str) -> str:
    """What is said of a proposal that something ended before its call, or a plan between two of its calls."""
    plan = rows.stored_terms(row)
    if not (plan.parts and row.steps_begun):
        return f"Not run: {why.rstrip('.')}."
    left = plans.not_run_text(plan, row.steps_begun)
    return f"Stopped after step {row.steps_begun} of {len(plan.parts)}: {why.rstrip('.')}.{left}"


def halted_state(row: ProposalRow, to: ProposalState) -> ProposalState:
    """A plan of which something ran is stopped, whatever an untouched one would be."""
    return ProposalState.STOPPED if row.steps_begun else to


async def halt(db: Database, session: AsyncSession, row: ProposalRow, to: ProposalState, why: str, policy: str) -> None:
    """End it before its next call, and say so in the timeline; of a plan whose steps ran in the thread too."""
    to, text, ref = halted_state(row, to), halted_text(row, why), transitions.ref_of(row)
    await transitions.move(db, session, row, to, reason=why, policy=policy, outcome=text)
    entry = f"{ref}: {text}" if row.steps_begun else f"{ref} was not run: {why}"
    await transitions.add_to_timeline(db, session, row, EntryKind.ACTION, entry, key=f"left:{ref}:{to.value}")
    if row.steps_begun:
        await transitions.post_line(db, session, row, f"halted:{ref}", f"{ref}: {text}")


async def post_line(db: Database, ref: str, key: str, line: str) -> None:
    """One line in the thread of a proposal, once for each key."""
    async with db.write() as session:
        await transitions.post_line(db, session, await rows.locked(session, ref), key, line)
