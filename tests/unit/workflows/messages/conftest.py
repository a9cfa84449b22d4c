"""The sender as the tests have it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from tests.unit.workflows.messages.sender_fixture import SenderFixture


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[SenderFixture]:
    fixture = SenderFixture(tmp_path / "app.db")
    async with fixture.db.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield fixture
    await fixture.db.close()
