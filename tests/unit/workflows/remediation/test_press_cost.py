"""How often the database is asked between a press and the request of its action: people wait for that at night."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.store.tables import IncidentRow
from tests.unit.approving import Office, office
from tests.unit.builders import NOW


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def statements_of_a_press(house: Office) -> int:
    """Between the press and the request, with an approval that runs."""
    proposal = await house.propose("restart", key=f"k{len(house.http.sent)}")
    statements: list[int] = []
    event.listen(
        house.db.engine.sync_engine, "before_cursor_execute", lambda *_: statements.append(len(house.http.sent) - sent)
    )
    sent = len(house.http.sent)
    await house.approve(proposal.ref)
    assert await house.ended(proposal.ref, seconds=1) == "succeeded"
    house.pass_time(minutes=61)
    return statements.count(0)


async def test_a_press_asks_the_database_at_most_ninety_times_until_its_request(house: Office) -> None:
    assert await statements_of_a_press(house) <= 90


async def test_further_incidents_of_the_service_cost_a_press_no_further_questions(house: Office) -> None:
    with_one = await statements_of_a_press(house)
    about = {"severity": "SEV3", "service": "checkout", "state": "OPEN", "channel": "C1", "declared_at": NOW}
    async with house.db.write() as session:
        session.add_all(IncidentRow(title=f"Slow {number}", **about) for number in range(3))

    assert await statements_of_a_press(house) == with_one
