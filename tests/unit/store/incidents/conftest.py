"""What the tests of incidents begin with."""

import pytest

from tests.unit.store.databases import SortingFixture, alert


@pytest.fixture
async def sorting(sorting: SortingFixture) -> SortingFixture:
    """With AL-1, a critical group of checkout that fires since 02:59, and its INC-1."""
    await sorting.receive(alert())
    return sorting
