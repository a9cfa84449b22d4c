"""A database of its own in which cases are replayed: the live code writes its evidence there, and it is thrown away."""

import asyncio
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.core.evidence import Case
from bot.core.history.frozen_cases import FrozenCase
from bot.core.investigation.triage_state import TriageState
from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.tables import GroupRow, TriageRow
from bot.store.triage.triage import Triages


class ReplayDatabase:
    """`async with ReplayDatabase(folder) as stage`: an empty database in `folder`; its clock stands at the case's moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._moment: datetime | None = None
        self._groups = 0

    async def __aenter__(self) -> Self:
        path = self._folder / "replay.db"
        await asyncio.to_thread(upgrade, f"sqlite:///{path}")
        self.db = Database(async_url(f"sqlite:///{path}", self._folder), clock=self._clock)
        return self

    async def __aexit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        await self.db.close()

    def _clock(self) -> datetime:
        assert self._moment is not None
        return self._moment

    async def set(self, case: FrozenCase) -> tuple[Triages, Case]:
        """A fresh group for one investigation of this case, without any evidence yet, and what is asked about it."""
        self._moment = case.moment
        self._groups += 1
        question = case.case.model_copy(update={"group": f"AL-{self._groups}", "attempt": 1})
        async with self.db.write() as session:
            session.add(
                GroupRow(
                    id=self._groups,
                    key=case.ref,
                    title=question.alert_name,
                    service=question.service,
                    severity=question.severity,
                    state="FIRING",
                    channel="",
                    opened_at=question.started_at,
                    last_alert_at=question.started_at,
                )
            )
            session.add(TriageRow(group_id=self._groups, attempt=1, state=TriageState.INVESTIGATING, started_at=case.moment))
        return Triages(self.db), question
