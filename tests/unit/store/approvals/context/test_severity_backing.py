"""What opens an exception from a freeze: alerts, or the word of somebody rostered, who then has asked for it."""

from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.approvals.roster import Roster
from bot.store.approvals.context.decision_context import incidents_around
from bot.store.approvals.context.severity_backing import Backing, severity_backing
from bot.store.incidents import incidents
from bot.store.tables import IncidentRow
from tests.unit.approvals_fixture import ApprovalsFixture


async def backing(fixture: ApprovalsFixture) -> Backing:
    async with fixture.db.read() as session:
        return await severity_backing(fixture.db, session, Roster(fixture.config), await incidents_around(session, "checkout"))


async def declared(fixture: ApprovalsFixture, by: str, severity: Severity = Severity.SEV1) -> str:
    told: Any = {"title": "Errors", "service": "checkout", "channel": "C1", "by": by, "key": f"by-{by}"}
    return (await incidents.declare(fixture.db, severity=severity, **told)).ref


async def test_an_incident_that_nobody_stands_behind_opens_nothing(fixture: ApprovalsFixture) -> None:
    assert await backing(fixture) == Backing(Severity.NONE)


async def test_alerts_carry_a_severity_as_far_as_they_are_bad(fixture: ApprovalsFixture) -> None:
    await fixture.alert_fires("SEV3")
    assert (await backing(fixture)).severity is Severity.SEV3

    async with fixture.db.write() as session:
        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = "SEV1"

    assert (await backing(fixture)).severity is Severity.SEV3


async def test_what_somebody_rostered_declares_counts_and_is_asked_for_by_them(fixture: ApprovalsFixture) -> None:
    await declared(fixture, "bob")

    assert await backing(fixture) == Backing(Severity.SEV1, frozenset({"bob"}))


@pytest.mark.parametrize("by", ["mallory", "U_NOBODY"])
async def test_what_anybody_else_declares_does_not(fixture: ApprovalsFixture, by: str) -> None:
    await declared(fixture, by)

    assert await backing(fixture) == Backing(Severity.NONE)


async def test_where_alerts_carry_it_nobody_has_asked(fixture: ApprovalsFixture) -> None:
    await fixture.alert_fires("SEV2")
    await declared(fixture, "bob", Severity.SEV2)

    assert await backing(fixture) == Backing(Severity.SEV2)


async def test_a_severity_that_is_none_is_an_error_and_so_denies(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = ""

    with pytest.raises(ValueError, match="Severity"):
        await backing(fixture)
