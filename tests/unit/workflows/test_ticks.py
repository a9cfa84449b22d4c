"""Ticks that renew and forget, and one that fails."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.config import Config
from bot.engine.direct import DirectRun
from bot.store.retention.pruning import Pruning
from bot.store.slack.usergroups import Usergroups
from bot.workflows.rotas import Rotas
from bot.workflows.ticks import RetentionTick, RotaTick, as_workflow
from tests.unit.builders import NOW
from tests.unit.workflows.pager_fixture import PagerFixture, open_pager


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[PagerFixture]:
    async with open_pager(tmp_path) as fixture:
        yield fixture


async def test_a_tick_renews_the_copies_of_rotas(fixture: PagerFixture) -> None:
    async def members(group: str) -> frozenset[str]:
        return frozenset({"UALICE"})

    config = Config.model_validate({"services": {"checkout": {"on_call": {"usergroup": "S1"}}}})
    stored = Usergroups(fixture.db)
    await RotaTick(Rotas(config, members, stored, fixture.db.clock))()

    assert await stored.load("S1") == (frozenset({"UALICE"}), NOW)


async def test_journals_of_ticks_are_forgotten_before_those_of_other_workflows(fixture: PagerFixture) -> None:
    forgotten: list[tuple[datetime, str]] = []

    async def forget(before: datetime, prefix: str) -> None:
        forgotten.append((before, prefix))

    await RetentionTick(Pruning(fixture.db, Config()), forget)()

    assert forgotten == [(NOW - timedelta(hours=1), "tick:"), (NOW - timedelta(days=2), "")]


async def test_a_tick_that_fails_does_not_end_the_workflow() -> None:
    async def fails() -> None:
        raise RuntimeError("database is gone")

    assert await as_workflow("pager", fails)(DirectRun("tick:pager:1", clock=lambda: NOW)) is None
