"""Fixtures of the contract tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from tests.contracts.agent_fixture import AgentFixture, NewAgentFixture, database, serving
from tests.real.postgres import postgres_server, postgres_url
from tests.real.scripted_model import Script
from tests.unit.store.databases import Clock, SortingFixture

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
async def new_agent(tmp_path: Path) -> AsyncIterator[NewAgentFixture]:
    """`await new_agent(turn, ..., budget={}, settings={})`: an agent whose model plays these turns."""
    async with AsyncExitStack() as stack:
        db = await database(tmp_path / "app.db")
        stack.push_async_callback(db.close)

        async def build(*turns: dict[str, Any], budget: dict[str, Any] | None = None, **settings: Any) -> AgentFixture:
            script = Script(list(turns))
            return AgentFixture(db, script, await stack.enter_async_context(serving(script)), budget or {}, **settings)

        yield build


@pytest.fixture(params=["sqlite", "postgresql"])
async def sorting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SortingFixture]:
    """Sorting whose source is known, on either database."""
    url = f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    await asyncio.to_thread(upgrade, url)
    clock = Clock()
    db = Database(async_url(url, tmp_path), audit_key=b"key", clock=clock)
    sorting = SortingFixture(db, clock)
    await sorting.connect()
    yield sorting
    await db.close()
