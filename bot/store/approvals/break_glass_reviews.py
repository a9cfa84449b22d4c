"""The review of each use of break-glass by a second person, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.config import Config
from bot.core.errors import NotFound
from bot.core.messages.content import MessageKind
from bot.store import audit, messages
from bot.store.db.database import Database
from bot.store.tables import BreakGlassRow, PageRow


@dataclass(frozen=True)
class BreakGlassUse:
    """One use of break-glass: every proposal that one person approved so for one service within its time."""

    person: str
    service: str
    reason: str
    proposals: Sequence[str]
    opened_at: datetime
    review_by: datetime
    reviewed_by: str = ""
    review: str = ""

    @property
    def ref(self) -> str:
        """The first of its proposals names it."""
        return self.proposals[0]


class BreakGlassReviews:
    """What was approved by break-glass and waits for a second person."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config

    async def newest(self, most: int = 10) -> list[BreakGlassUse]:
        """The newest uses: those that wait for a review first."""
        async with self.db.read() as session:
            reviewed = col(BreakGlassRow.reviewed_by) != ""
            query = select(BreakGlassRow).order_by(reviewed, col(BreakGlassRow.id).desc()).limit(most)
            return [_use_of(row) for row in (await session.exec(query)).all()]

    async def waiting(self) -> list[BreakGlassUse]:
        """Everything that nobody has reviewed yet, oldest first."""
        async with self.db.read() as session:
            query = select(BreakGlassRow).where(BreakGlassRow.reviewed_by == "").order_by(col(BreakGlassRow.id))
            return [_use_of(row) for row in (await session.exec(query)).all()]

    async def of(self, ref: str) -> BreakGlassUse:
        """The use in which this proposal was approved. Raises NotFound."""
        async with self.db.read() as session:
            return _use_of(await _row_of(session, ref))

    async def review(self, ref: str, reviewer: str, text: str) -> BreakGlassUse:
        """Record what a second person says of it; a review that stands already stays. Raises NotFound."""
        async with self.db.write() as session:
            row = await _row_of(session, ref)
            if row.reviewed_by or row.person == reviewer:
                return _use_of(row)
            row.reviewed_by, row.reviewed_at, row.review = reviewer, self.db.clock(), text
            session.add(row)
            await session.flush()
            refs = ", ".join(row.proposals)
            await audit.append(
                self.db, session, who=reviewer, what="break-glass reviewed", subject=row.proposals[0], before=row.person,
                after=refs, reason=text,
            )  # fmt: skip
            pages = [f"break-glass:{one}" for one in row.proposals]
            await session.exec(update(PageRow).where(col(PageRow.key).in_(pages)).values(wanted="clear", retry_at=None))
            line = f"Reviewed by {reviewer}: the break-glass of {row.person} on {refs}."
            channel, key = self.config.default_channel, f"line:break-glass-reviewed:{row.id}"
            await messages.touch(self.db, session, key, channel=channel, kind=MessageKind.LINE, subject=line)
            return _use_of(row)


async def _row_of(session: AsyncSession, ref: str) -> BreakGlassRow:
    rows = (await session.exec(select(BreakGlassRow).order_by(col(BreakGlassRow.id).desc()))).all()
    row = next((row for row in rows if ref in row.proposals), None)
    if row is None:
        raise NotFound(f"{ref} was not approved by break-glass.")
    return row


def _use_of(row: BreakGlassRow) -> BreakGlassUse:
    return BreakGlassUse(
        person=row.person,
        service=row.service,
        reason=row.reason,
        proposals=tuple(row.proposals),
        opened_at=row.opened_at,
        review_by=row.review_by,
        reviewed_by=row.reviewed_by,
        review=row.review,
    )
