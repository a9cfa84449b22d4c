"""A temporary database with our tables, a clock that stands still until moved, and alerts to put into it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, true
from sqlmodel import SQLModel, col, select

from bot.core.actor import ChannelAccess, KnownChannels
from bot.core.alert import Alert
from bot.core.config import Config
from bot.core.service import Catalogue, Service
from bot.store.alerts.sorting.inbox import InboxReader
from bot.store.alerts.sorting.result import SortingResult
from bot.store.alerts.sorting.sorter import Sorter
from bot.store.db.database import Database
from bot.store.tables import AlertRow, EpisodeRow, GroupRow
from bot.store.triage.spending import spent
from tests.unit.builders import NOW

CATALOGUE = Catalogue(
    [
        Service(name="checkout", channel="C1", depends_on=("payments", "stock")),
        Service(name="payments", channel="C2"),
        Service(name="stock"),
        Service(name="search"),
    ]
)


PUBLIC = KnownChannels({channel: ChannelAccess() for channel in ("C0", "C1", "C2", "C9")})


class Clock:
    """Stands at NOW until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


async def open_database(folder: Path, clock: Clock) -> Database:
    db = Database(f"sqlite+aiosqlite:///{folder / 'app.db'}", audit_key=b"key", clock=clock)
    async with db.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    return db


async def dollars(db: Database) -> float:
    """What models cost or have set aside, as it stands in the database: by triages and by answers to questions."""
    async with db.read() as session:
        return await spent(session, true(), true())


def alert(fingerprint: str = "a", status: str = "firing", *, start: float = -1, **values: Any) -> Alert:
    """An alert that began `start` minutes from NOW, critical and of checkout unless said otherwise."""
    labels = {"alertname": values.get("name", f"Alert {fingerprint}"), "service": "checkout", **values.pop("labels", {})}
    fields: Mapping[str, Any] = {
        "source": "prod", "name": labels["alertname"], "severity": "critical", "starts_at": NOW + timedelta(minutes=start),
    }  # fmt: skip
    return Alert.model_validate({**fields, "fingerprint": fingerprint, "status": status, "labels": labels, **values})


class SortingFixture:
    """Puts alerts into the inbox and has them sorted, as the loop does."""

    def __init__(self, db: Database, clock: Clock, config: Config | None = None, channels: KnownChannels = PUBLIC) -> None:
        self.db, self.clock = db, clock
        self.inbox = InboxReader(db, Sorter(db, config or Config(default_channel="C0"), CATALOGUE, lambda: channels))

    async def receive(self, *alerts: Alert) -> list[SortingResult]:
        """Store and sort; in batches of at most 1000."""
        await self.store(alerts)
        results = []
        while (result := await self.inbox.take(1000)) is not None:
            results.append(result)
        return results

    async def store(self, alerts: Sequence[Alert]) -> None:
        if not alerts:
            return
        async with self.db.write() as session:
            connection = await session.connection()
            await connection.execute(insert(AlertRow), [{**one.model_dump(), "received_at": self.clock()} for one in alerts])

    async def connect(self) -> None:
        """Make the source known a day before NOW, so that nothing is a first connect."""
        at, self.clock.now = self.clock.now, NOW - timedelta(days=1)
        await self.receive(alert("first", severity="none"))
        self.clock.now = at

    async def groups(self) -> list[GroupRow]:
        async with self.db.read() as session:
            return list((await session.exec(select(GroupRow).order_by(col(GroupRow.id)))).all())

    async def episodes(self) -> list[EpisodeRow]:
        async with self.db.read() as session:
            query = select(EpisodeRow).where(EpisodeRow.fingerprint != "first").order_by(col(EpisodeRow.starts_at))
            return list((await session.exec(query)).all())

    async def rows(self, table: type[Any]) -> list[Any]:
        async with self.db.read() as session:
            return list((await session.exec(select(table))).all())
