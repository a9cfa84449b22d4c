"""The tick that pages on a real database, a pager that keeps what it gets, and a clock that a test moves."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel, col, select

from bot.core.config import Config
from bot.core.errors import PagerFailed, QueryFailed
from bot.store.db.database import Database
from bot.store.oversight.pages import Pages
from bot.store.oversight.paging import PagingQueries
from bot.store.oversight.reminders import ReminderLines
from bot.store.slack.usergroups import Usergroups
from bot.store.tables import GroupRow, MessageRow, TriageRow
from bot.workflows.pager_tick import PagerTick
from bot.workflows.reminders import Reminders
from bot.workflows.rotas import Rotas
from tests.unit.builders import NOW


class RecordedPager:
    """A pager that keeps what it was told; while `down` it takes nothing."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.summaries: list[str] = []
        self.down = False

    async def page(self, *, key: str, summary: str, severity: str, details: Mapping[str, str]) -> None:
        self._take("page", key)
        self.summaries.append(summary)

    async def clear(self, *, key: str) -> None:
        self._take("clear", key)

    def _take(self, what: str, key: str) -> None:
        if self.down:
            raise PagerFailed("no answer")
        self.told.append((what, key))


def reminders_of(db: Database, config: Config) -> Reminders:
    """Reminders where Slack answers for no user group."""

    async def usergroup(_group: str) -> frozenset[str]:
        raise QueryFailed("Slack does not answer")

    return Reminders(ReminderLines(db), Rotas(config, usergroup, Usergroups(db), db.clock), config)


PEOPLE = {"people": {"alice": {"slack": "U1"}, "bob": {"slack": "U2"}, "dave": {"slack": "U5"}}}
START = "2026-01-05T09:00:00Z"


class PagerFixture:
    """A tick on a real database with a clock that a test moves."""

    def __init__(self, path: Path) -> None:
        self.moment = NOW
        self.db = Database(f"sqlite+aiosqlite:///{path}", clock=lambda: self.moment)
        self.pager = RecordedPager()
        self.configure()

    def configure(self, **more: Any) -> None:
        """The tick of a process that starts now with this configuration."""
        config = Config.model_validate({"sources": {"am": {"kind": "alertmanager"}}, "heartbeat_every": "1m", **more})
        reminders = reminders_of(self.db, config)
        self.tick = PagerTick(Pages(self.db), PagingQueries(self.db), self.pager, config, reminders)

    async def reminders(self) -> list[tuple[str, str, list[str]]]:
        """Thread, text and mentions of each reminder that is wanted in Slack."""
        async with self.db.read() as session:
            rows = (await session.exec(select(MessageRow).order_by(col(MessageRow.created_at), col(MessageRow.key)))).all()
        return [(row.thread_key, row.subject, row.mentions) for row in rows if row.kind == "line"]

    async def add(self, *rows: Any) -> None:
        async with self.db.write() as session:
            session.add_all(rows)

    async def change(self, table: Any, key: Any, **values: Any) -> None:
        async with self.db.write() as session:
            row = await session.get(table, key)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    async def after(self, minutes: float) -> list[tuple[str, str]]:
        """Everything the pager was told until a tick this long after NOW."""
        self.moment = NOW + timedelta(minutes=minutes)
        await self.tick()
        return self.pager.told

    async def firing(self, severity: str = "SEV2", minutes_ago: float = 0) -> None:
        """One group with its card and its triage: nothing for the auditor."""
        at = NOW - timedelta(minutes=minutes_ago)
        await self.add(
            GroupRow(
                key="checkout", title="HighErrorRate", service="checkout", severity=severity, state="FIRING", channel="C1",
                opened_at=at, last_alert_at=at,
            ),
            TriageRow(group_id=1, attempt=1, state="done", started_at=at),
            message("card:AL-1", at, sent_rev=1, ts="1.0"),
        )  # fmt: skip


def message(key: str, at: datetime, *, sent_rev: int = 0, kind: str = "card", **values: Any) -> MessageRow:
    more = {"sent_rev": sent_rev, "created_at": at, "changed_at": at, **values}
    return MessageRow(key=key, channel="C1", kind=kind, subject="AL-1", **more)


@asynccontextmanager
async def open_pager(folder: Path) -> AsyncIterator[PagerFixture]:
    """A new database with its tables."""
    fixture = PagerFixture(folder / "app.db")
    async with fixture.db.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield fixture
    await fixture.db.close()
