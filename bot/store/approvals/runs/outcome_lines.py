"""What people are told and asked when a call failed, or when nobody knows what came of it."""

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.action import OutcomeState
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import PageRow, ProposalRow


async def ask_people(db: Database, session: AsyncSession, row: ProposalRow, state: OutcomeState, text: str, left: str) -> None:
    """One line in the thread, and for what is unknown a page. `left`: which steps of a plan did not run."""
    ref = transitions.ref_of(row)
    if state is OutcomeState.FAILED:
        line = f"{ref} failed: {text} Nothing more was tried.{left}"
    else:
        line = (
            f"{ref}: it is not known whether it ran ({text}) It will not be repeated.{left} "
            f"Please check the remote side and press It ran or It did not on its card (`did {ref}`, `did_not {ref}`)."
        )
        summary = f"{ref} ({row.record['title']}): it is not known whether it ran; a person has to check"
        details = {"proposal": ref, "service": row.service}
        if await session.get(PageRow, f"unknown:{ref}") is None:
            page = PageRow(key=f"unknown:{ref}", summary=summary, severity="SEV2", details=details, at=db.clock())
            session.add(page)
    await transitions.post_line(db, session, row, f"outcome:{ref}", line)
