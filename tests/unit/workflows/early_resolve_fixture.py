"""A group that somebody resolves while its alerts fire, and the tick that looks at it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import RaisedContent
from bot.core.metrics.series import Series
from bot.store.alerts.sorting.early_resolves import EarlyResolves
from bot.store.incidents import incidents
from bot.store.slack import message_contents
from bot.store.tables import MessageRow
from bot.store.triage.triage import Triages
from bot.workflows.ends.early_resolves import EarlyResolvesTick
from tests.unit.store.databases import CATALOGUE, SortingFixture, alert

DOWN = QueryFailed("connection refused")


class RecordedAlerts:
    """A Prometheus that evaluates alerts: whether it does, and which of them fire now."""

    def __init__(self, *evaluated: Mapping[str, str], firing: bool = True) -> None:
        self.evaluated, self.firing, self.down = evaluated, firing, False

    async def instant(self, promql: str, *, at: datetime | None = None) -> list[Series]:
        if self.down:
            raise DOWN
        rows = [labels for labels in self.evaluated if f'alertname="{labels["alertname"]}"' in promql]
        states = {"__name__": "ALERTS", "alertstate": "firing"}
        return [Series({**states, **labels}) for labels in rows] if at or self.firing else []


async def ranked(sorting: SortingFixture, attempt: int) -> None:
    """The causes of AL-1 are ranked once more."""
    triages = Triages(sorting.db)
    await triages.open("AL-1", attempt, "", "")
    await triages.update("AL-1", attempt, state=TriageState.DONE, finished_at=sorting.clock())


class EarlyResolveFixture:
    """A group that somebody resolves, and the tick that looks at it."""

    def __init__(self, sorting: SortingFixture, metrics: Any = None, **config: Any) -> None:
        self.sorting = sorting
        self.config = Config.model_validate({"sources": {"prod": {"kind": "alertmanager"}}, "default_channel": "C0", **config})
        self.tick = EarlyResolvesTick(EarlyResolves(sorting.db, self.config, CATALOGUE), self.config, metrics)

    async def source_reports_ends(self) -> None:
        await self.sorting.receive(alert("before", start=-60, severity="none"))
        await self.sorting.receive(alert("before", "resolved", start=-60, severity="none"))

    async def resolved_while_firing(self) -> None:
        await self.sorting.receive(alert("a"))
        await self.resolve()

    async def resolve(self) -> None:
        await incidents.resolve(self.sorting.db, "AL-1", "alice")

    async def after(self, minutes: float) -> str:
        """The group's state once so much later the tick has looked."""
        self.sorting.clock.forward(minutes)
        await self.tick()
        return (await self.sorting.groups())[0].state

    async def lines(self) -> list[RaisedContent]:
        rows = [row for row in await self.sorting.rows(MessageRow) if row.kind == "reopened"]
        async with self.sorting.db.read() as session:
            contents = [await message_contents.load(session, row.kind, row.subject) for row in rows]
        return [content for content in contents if isinstance(content, RaisedContent)]
