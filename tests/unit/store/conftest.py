"""Fixtures of the store's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.store.databases import Clock, SortingFixture, open_database


@pytest.fixture
async def sorting(tmp_path: Path) -> AsyncIterator[SortingFixture]:
    """Sorting on an empty SQLite database, with its source known."""
    clock = Clock()
    db = await open_database(tmp_path, clock)
    sorting = SortingFixture(db, clock)
    await sorting.connect()
    yield sorting
    await db.close()
