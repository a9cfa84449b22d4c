"""What all unit tests have: plain logs, and the incident with its approvals that most of them start from."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from tests.unit.approvals_fixture import ApprovalsFixture
    from tests.unit.store.databases import SortingFixture


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Whatever the test before configured: the default's coloured tracebacks cost seconds each."""
    structlog.reset_defaults()
    processors = [structlog.processors.add_log_level, structlog.processors.format_exc_info]
    structlog.configure(processors=[*processors, structlog.processors.KeyValueRenderer(key_order=["event"])])
    yield
    # A command that was called as a function leaves its own behind, for whatever test comes next.
    structlog.reset_defaults()


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator["ApprovalsFixture"]:
    """One incident with what approvals need; a folder or a file that starts from something else has its own."""
    # Here, since it imports the whole store, which tests of core alone need not wait for.
    from tests.unit.approvals_fixture import open_approvals

    fixture = await open_approvals(tmp_path)
    yield fixture
    await fixture.close()


@pytest.fixture
async def sorting(tmp_path: Path) -> AsyncIterator["SortingFixture"]:
    """Sorting on an empty SQLite database, with its source known."""
    # Here, since it imports the whole store.
    from tests.unit.store.databases import Clock, SortingFixture, open_database

    clock = Clock()
    db = await open_database(tmp_path, clock)
    sorting = SortingFixture(db, clock)
    await sorting.connect()
    yield sorting
    await db.close()
