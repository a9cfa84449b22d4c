"""Pages as rows: wanted state against sent state, sent again until they arrive."""

from datetime import timedelta

from sqlmodel import select

from bot.store.db.database import Database
from bot.store.tables import PageRow

BACK_OFF = (5, 10, 20, 40, 60)
"""Seconds until the next try."""


class Pages:
    """The pages that should be open at the pager."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def open(self, key: str, summary: str, severity: str, **details: str) -> bool:
        """Want this page open; True if it was not. A cleared page of the same key opens anew."""
        async with self.db.write() as session:
            row = await session.get(PageRow, key)
            if row is not None and row.wanted == "open":
                return False
            if row is None:
                row = PageRow(key=key, summary=summary, severity=severity, details=details, at=self.db.clock())
            row.summary, row.severity, row.details, row.wanted = summary, severity, details, "open"
            row.sent, row.failures, row.retry_at = "", 0, None
            session.add(row)
            return True

    async def clear(self, key: str) -> bool:
        """Want this page closed; True if it was open."""
        async with self.db.write() as session:
            row = await session.get(PageRow, key)
            if row is None or row.wanted != "open":
                return False
            row.wanted, row.retry_at = "clear", None
            session.add(row)
            return True

    async def open_keys(self) -> list[str]:
        """Keys of the open pages."""
        async with self.db.read() as session:
            return list((await session.exec(select(PageRow.key).where(PageRow.wanted == "open"))).all())

    async def due(self) -> list[PageRow]:
        """Pages whose wanted state is not sent and whose next try has come."""
        now = self.db.clock()
        async with self.db.read() as session:
            query = select(PageRow).where(PageRow.wanted != PageRow.sent)
            return [row for row in (await session.exec(query)).all() if row.retry_at is None or row.retry_at <= now]

    async def sent(self, key: str, state: str) -> None:
        """Record that the pager took it."""
        async with self.db.write() as session:
            if (row := await session.get(PageRow, key)) is not None:
                row.sent, row.failures, row.retry_at = state, 0, None
                session.add(row)

    async def failed(self, key: str) -> None:
        """Record a failed try; the next comes later."""
        async with self.db.write() as session:
            if (row := await session.get(PageRow, key)) is not None:
                wait = BACK_OFF[min(row.failures, len(BACK_OFF) - 1)]
                row.failures, row.retry_at = row.failures + 1, self.db.clock() + timedelta(seconds=wait)
                session.add(row)
