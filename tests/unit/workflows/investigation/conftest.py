"""What tests of attempts that follow a first ranking start from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.workflows.investigation.triage_fixture import TriageFixture


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[TriageFixture]:
    """An alert on checkout fires, and its causes were ranked once."""
    fixture = TriageFixture(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await fixture.open()
    await fixture.fires()
    await fixture.rank()
    yield fixture
    await fixture.close()
