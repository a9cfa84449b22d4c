"""What opens an exception from a freeze: alerts, or the word of somebody rostered, who then has asked for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.approvals.roster import Roster
from bot.store.approvals.facts.backing import Backing, severity_backing
from bot.store.approvals.facts.context import incidents_around
from bot.store.incidents import incidents
from bot.store.tables import IncidentRow
from tests.unit.approving import Office, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def backing(house: Office) -> Backing:
    async with house.db.read() as session:
        return await severity_backing(house.db, session, Roster(house.config), await incidents_around(session, "checkout"))


async def declared(house: Office, by: str, severity: Severity = Severity.SEV1) -> str:
    told: Any = {"title": "Errors", "service": "checkout", "channel": "C1", "by": by, "key": f"by-{by}"}
    return (await incidents.declare(house.db, severity=severity, **told)).ref


async def test_an_incident_that_nobody_stands_behind_opens_nothing(house: Office) -> None:
    assert await backing(house) == Backing(Severity.NONE)


async def test_alerts_carry_a_severity_as_far_as_they_are_bad(house: Office) -> None:
    await house.alert_fires("SEV3")
    assert (await backing(house)).severity is Severity.SEV3

    async with house.db.write() as session:
        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = "SEV1"

    assert (await backing(house)).severity is Severity.SEV3


async def test_what_somebody_rostered_declares_counts_and_is_asked_for_by_them(house: Office) -> None:
    await declared(house, "bob")

    assert await backing(house) == Backing(Severity.SEV1, frozenset({"bob"}))


@pytest.mark.parametrize("by", ["mallory", "U_NOBODY"])
async def test_what_anybody_else_declares_does_not(house: Office, by: str) -> None:
    await declared(house, by)

    assert await backing(house) == Backing(Severity.NONE)


async def test_where_alerts_carry_it_nobody_has_asked(house: Office) -> None:
    await house.alert_fires("SEV2")
    await declared(house, "bob", Severity.SEV2)

    assert await backing(house) == Backing(Severity.SEV2)


async def test_a_severity_that_is_none_is_an_error_and_so_denies(house: Office) -> None:
    async with house.db.write() as session:
        row = await session.get(IncidentRow, 1)
        assert row is not None
        row.severity = ""

    with pytest.raises(ValueError, match="Severity"):
        await backing(house)
