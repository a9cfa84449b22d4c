"""The sender's room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from tests.unit.workflows.messages.room import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path / "app.db")
    async with room.db.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield room
    await room.db.close()
