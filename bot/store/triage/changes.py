"""Changes as rows; the reader that tools get."""

from datetime import datetime

from sqlmodel import col, select

from bot.core.change import Change
from bot.store.db.database import Database
from bot.store.tables import ChangeRow


class Changes:
    """Reads what intake stored."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def since(self, service: str, since: datetime) -> list[Change]:
        """Changes on one service ("" = all) from `since` on, newest first, at most 200."""
        query = select(ChangeRow).where(col(ChangeRow.at) >= since).order_by(col(ChangeRow.at).desc()).limit(200)
        if service:
            query = query.where(ChangeRow.service == service)
        async with self.db.read() as session:
            return [Change.model_validate(row.model_dump(exclude={"received_at"})) for row in (await session.exec(query)).all()]
