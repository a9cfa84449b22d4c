"""That no alert is reported any more is an all-clear only if somebody could look."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.core.messages.alerts import CardContent
from bot.slack.view_context import ViewContext
from bot.slack.views import card as view
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds
from bot.store.slack import message_contents
from bot.store.tables import MessageRow
from bot.workflows.ends import EndsTick
from tests.unit.approvals_fixture import RecordedMetrics
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database

DOWN = QueryFailed("connection refused")


class Watch:
    """A group that cleared, and the tick that looks at it."""

    def __init__(self, sorting: SortingFixture, kind: str = "alertmanager") -> None:
        self.sorting, self.metrics = sorting, RecordedMetrics()
        self.config = Config.model_validate({"sources": {"prod": {"kind": kind}}})
        self.tick = EndsTick(UnconfirmedEnds(sorting.db, self.config), self.metrics)

    async def clears(self) -> None:
        await self.sorting.receive(alert())
        await self.sorting.receive(alert(status="resolved", ends_at=self.sorting.clock()))

    async def after(self, minutes: float, *, readable: bool) -> str:
        """The card after a round of the tick."""
        self.metrics.values["vector(1)"] = 1.0 if readable else DOWN
        self.sorting.clock.forward(minutes)
        await self.tick()
        return await self.card()

    async def card(self) -> str:
        async with self.sorting.db.read() as session:
            content = await message_contents.load(session, "card", "AL-1")
        assert isinstance(content, CardContent)
        return str(view.render(content, ViewContext()))

    async def lines(self) -> list[str]:
        return [row.subject for row in await self.sorting.rows(MessageRow) if row.kind == "line"]


@pytest.fixture
async def sorting(tmp_path: Path) -> AsyncIterator[SortingFixture]:
    clock = Clock()
    db = await open_database(tmp_path, clock)
    yield SortingFixture(db, clock)
    await db.close()


async def test_an_end_while_prometheus_is_away_is_no_all_clear(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    card = await watch.after(0.1, readable=False)

    assert "NOT CONFIRMED" in card and "this is no all-clear" in card and view.CLEARED not in card
    (line,) = await watch.lines()
    assert "cannot be read (connection refused). This is no all-clear" in line
    await watch.after(30, readable=False)
    assert await close_quiet_groups(sorting.db, timedelta(minutes=15)) == [], "nobody looked, so it does not close by itself"


async def test_it_is_confirmed_once_prometheus_could_be_read_for_a_while_and_nothing_fires(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)

    at_once = await watch.after(1, readable=True)
    later = await watch.after(3, readable=True)

    assert "NOT CONFIRMED" in at_once
    assert "NOT CONFIRMED" not in later and view.CLEARED in later
    assert (await watch.lines())[-1] == "Prometheus can be read again since 03:01 UTC, and nothing of this fires."
    assert await close_quiet_groups(sorting.db, timedelta(minutes=1)) == ["AL-1"]


async def test_what_fires_again_is_simply_firing(sorting: SortingFixture) -> None:
    watch = Watch(sorting)
    await watch.clears()
    await watch.after(0.1, readable=False)
    await sorting.receive(alert(start=1))

    assert "NOT CONFIRMED" not in await watch.card()


@pytest.mark.parametrize(("kind", "readable"), [("alertmanager", True), ("datadog", False)])
async def test_an_end_that_somebody_saw_is_an_end(sorting: SortingFixture, kind: str, readable: bool) -> None:
    watch = Watch(sorting, kind)
    await watch.clears()

    assert "NOT CONFIRMED" not in await watch.after(0.1, readable=readable) and await watch.lines() == []
