"""Fixtures of the store's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.store.databases import Clock, Desk, open_database


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on an empty SQLite database, with its source known."""
    clock = Clock()
    db = await open_database(tmp_path, clock)
    desk = Desk(db, clock)
    await desk.connect()
    yield desk
    await db.close()
