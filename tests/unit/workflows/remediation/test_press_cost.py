"""How often the database is asked between a press and the request of its action: people wait for that at night."""

from sqlalchemy import event

from bot.store.tables import IncidentRow
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.builders import NOW


async def statements_of_a_press(fixture: ApprovalsFixture) -> int:
    """Between the press and the request, with an approval that runs."""
    proposal = await fixture.propose("restart", key=f"k{len(fixture.http.sent)}")
    statements: list[int] = []
    event.listen(
        fixture.db.engine.sync_engine, "before_cursor_execute", lambda *_: statements.append(len(fixture.http.sent) - sent)
    )
    sent = len(fixture.http.sent)
    await fixture.approve(proposal.ref)
    assert await fixture.ended(proposal.ref, seconds=1) == "succeeded"
    fixture.pass_time(minutes=61)
    return statements.count(0)


async def test_a_press_asks_the_database_at_most_ninety_times_until_its_request(fixture: ApprovalsFixture) -> None:
    assert await statements_of_a_press(fixture) <= 90


async def test_further_incidents_of_the_service_cost_a_press_no_further_questions(fixture: ApprovalsFixture) -> None:
    with_one = await statements_of_a_press(fixture)
    about = {"severity": "SEV3", "service": "checkout", "state": "OPEN", "channel": "C1", "declared_at": NOW}
    async with fixture.db.write() as session:
        session.add_all(IncidentRow(title=f"Slow {number}", **about) for number in range(3))

    assert await statements_of_a_press(fixture) == with_one
