"""Who leads an incident stands in the keyed audit, whatever else was written into its table."""

from pathlib import Path

from sqlalchemy import text

from bot.core.approvals.roster import IncidentRoles
from bot.store import audit
from bot.store.approvals.context.incident_roles import HANDED_OVER, roles_in
from bot.store.tables import IncidentRow
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals

COPIED = (
    'INSERT INTO audit (at, who, what, subject, "before", after, reason, policy, message, prev, hash) '
    'SELECT at, who, what, subject, "before", after, {reason}, policy, message, prev, hash FROM audit '
    "WHERE what IN ('lead', 'deputy') AND after IN ('mallory') ORDER BY seq"
)


async def led(folder: Path) -> ApprovalsFixture:
    """Mallory led and deputised once; now alice leads, and bob is the deputy."""
    fixture = await open_approvals(folder)
    for person, deputy in (("mallory", "mallory"), ("alice", "bob")):
        fixture.pass_time(hours=1)
        await says(fixture, person, deputy)
    return fixture


async def says(fixture: ApprovalsFixture, lead: str, deputy: str) -> None:
    async with fixture.db.write() as session:
        for what, name in (("lead", lead), ("deputy", deputy)):
            await audit.append(fixture.db, session, who="root", what=what, subject="INC-1", after=name, message=HANDED_OVER)
        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.lead, row.deputies = lead, [deputy]


async def roles(fixture: ApprovalsFixture) -> IncidentRoles:
    async with fixture.db.read() as session:
        return await roles_in(fixture.db, session, 1)


async def test_a_copied_row_of_an_earlier_lead_gives_no_right(tmp_path: Path) -> None:
    fixture = await led(tmp_path)
    async with fixture.db.engine.begin() as connection:
        await connection.execute(text(COPIED.format(reason="reason")))
        await connection.execute(text("UPDATE incidents SET lead = 'mallory', deputies = '[\"mallory\"]'"))
    found = await roles(fixture)
    await fixture.close()

    assert found == IncidentRoles("mallory", (), handed_over=False)


async def test_a_row_of_somebody_without_the_key_takes_nobodys_right(tmp_path: Path) -> None:
    fixture = await led(tmp_path)
    async with fixture.db.engine.begin() as connection:
        await connection.execute(text(COPIED.format(reason="'junk'")))
        await connection.execute(text("UPDATE audit SET at = '2030-01-01 00:00:00.000000' WHERE reason = 'junk'"))
    found = await roles(fixture)
    await fixture.close()

    assert found == IncidentRoles("alice", ("bob",), handed_over=True)
