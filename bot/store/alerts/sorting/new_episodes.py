"""The episodes that one batch makes: written together at its end, for half of what the ORM takes to write them one by one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import event, func, insert
from sqlalchemy.orm import Session
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.tables import EpisodeRow

_COLUMNS = tuple(name for name in EpisodeRow.model_fields if name != "id")
_NEWEST = select(func.max(col(EpisodeRow.id)))
_INSERT = insert(EpisodeRow)
_INSERT_NUMBERED = _INSERT.returning(col(EpisodeRow.id), sort_by_parameter_order=True)


class NewEpisodes:
    """Rows that are no part of the session yet; where it writes anything else meanwhile, it writes them with it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._rows: list[EpisodeRow] = []
        event.listen(session.sync_session, "before_flush", self._hand_over)

    def add(self, row: EpisodeRow) -> None:
        """One more; it may be changed until it is written."""
        self._rows.append(row)

    def _hand_over(self, session: Session, *_: object) -> None:
        session.add_all(self._rows)
        self._rows = []

    async def flush(self) -> None:
        """Write all now, as the session writes its own."""
        self._hand_over(self._session.sync_session)
        await self._session.flush()

    async def write(self) -> None:
        """Write those that are left, and give them their ids; what is changed of them afterwards is not written."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        values = [{name: row.__dict__[name] for name in _COLUMNS} for row in rows]
        for row, number in zip(rows, await self._insert(values), strict=True):
            row.id = number

    async def _insert(self, values: list[dict[str, Any]]) -> Sequence[int | None]:
        connection = await self._session.connection()
        if connection.dialect.name != "sqlite":
            return (await connection.execute(_INSERT_NUMBERED, values)).scalars().all()
        # SQLite has one writer, and this transaction is it: nobody else takes the next numbers.
        newest = (await connection.execute(_NEWEST)).scalar_one() or 0
        numbers = range(newest + 1, newest + 1 + len(values))
        await connection.execute(_INSERT, [{**row, "id": number} for row, number in zip(values, numbers, strict=True)])
        return numbers
