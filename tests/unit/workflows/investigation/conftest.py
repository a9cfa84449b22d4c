"""What tests of investigations start from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.workflows.investigation.triage_fixture import TriageFixture


@pytest.fixture
async def before_any_alert(tmp_path: Path) -> AsyncIterator[TriageFixture]:
    fixture = TriageFixture(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await fixture.open()
    yield fixture
    await fixture.close()


@pytest.fixture
async def fixture(before_any_alert: TriageFixture) -> TriageFixture:
    """An alert on checkout fires, and its causes were ranked once."""
    await before_any_alert.fires()
    await before_any_alert.rank()
    return before_any_alert
