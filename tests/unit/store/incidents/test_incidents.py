"""What people do with groups and incidents: one transaction with audit, timeline and card."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.errors import NotFound
from bot.core.incident import Incident
from bot.store import audit, timeline
from bot.store.incidents import incidents
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.tables import AuditRow, GroupRow, IncidentRow, MessageRow
from tests.unit.store.databases import Clock, Desk, alert, open_database

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """With AL-1, a critical group of checkout, and its INC-1."""
    clock = Clock()
    desk = Desk(await open_database(tmp_path, clock), clock)
    await desk.connect()
    await desk.receive(alert())
    yield desk
    await desk.db.close()


async def told(desk: Desk) -> list[str]:
    async with desk.db.read() as session:
        return [entry.text for entry in await timeline.of(session, group_id=1, incident_id=1)]


async def declared(desk: Desk, **values: str) -> Incident:
    severity = Severity.SEV1
    return await incidents.declare(
        desk.db, title="Checkout is down", severity=severity, service="checkout", channel="C1", by="alice", **values
    )


async def test_a_critical_group_has_an_incident_that_policy_declared(desk: Desk) -> None:
    assert [(row.severity, row.declared_by, row.human_at) for row in await desk.rows(IncidentRow)] == [("SEV2", "policy", None)]


async def test_a_dialog_sent_again_declares_nothing_twice(desk: Desk) -> None:
    first, second = await declared(desk, key="view:1"), await declared(desk, key="view:1")
    other = await declared(desk, key="view:2")

    assert (first.ref, second.ref, other.ref) == ("INC-2", "INC-2", "INC-3")


async def test_a_note_sent_again_stands_once(desk: Desk) -> None:
    for key in ("note:1", "note:1", "note:2"):
        await incidents.note(desk.db, "INC-1", "looking", "alice", key=key)

    assert (await told(desk)).count("looking") == 2


async def test_the_first_to_acknowledge_stands(desk: Desk) -> None:
    await incidents.acknowledge(desk.db, "AL-1", "alice")
    group = await incidents.acknowledge(desk.db, "inc-1", "bob")

    assert (group.state, group.acknowledged_by) == ("ACKNOWLEDGED", "alice")
    assert [row.what for row in await desk.rows(AuditRow)] == ["declare", "acknowledge"]


async def test_resolving_an_incident_resolves_its_group_and_keeps_the_cause(desk: Desk) -> None:
    await incidents.resolve(desk.db, "INC-1", "alice", "bad deploy")
    await incidents.resolve(desk.db, "INC-1", "bob")

    assert [(row.state, row.resolved_by, row.cause) for row in await desk.rows(IncidentRow)] == [
        ("RESOLVED", "alice", "bad deploy")
    ]
    assert [row.state for row in await desk.rows(GroupRow)] == ["RESOLVED"]
    assert (await told(desk))[-2:] == ["alice confirmed the cause: bad deploy", "INC-1 was resolved by alice"]


async def test_declaring_for_a_group_that_has_an_incident_changes_nothing(desk: Desk) -> None:
    assert (await declared(desk, group_ref="AL-1")).declared_by == "policy"
    assert len(await desk.rows(IncidentRow)) == 1


async def test_an_incident_without_alerts_has_a_group_and_a_card_of_its_own(desk: Desk) -> None:
    incident = await declared(desk)

    assert (incident.ref, incident.group) == ("INC-2", "AL-2")
    assert [row.alerts for row in await desk.rows(GroupRow)] == [1, 0]
    assert "card:AL-2" in [row.key for row in await desk.rows(MessageRow)]


async def test_a_declared_incident_closes_when_a_person_says_so_alone(desk: Desk) -> None:
    incident = await declared(desk)
    desk.clock.forward(600)

    assert await close_quiet_groups(desk.db, HALF_AN_HOUR) == []
    await incidents.resolve(desk.db, incident.ref, "alice")
    assert [row.state for row in await desk.rows(GroupRow)] == ["FIRING", "RESOLVED"]


async def test_a_resolved_incident_of_an_older_version_gets_a_group_that_is_over(desk: Desk) -> None:
    async with desk.db.write() as session:
        fields: dict[str, Any] = {
            "title": "Old",
            "severity": "SEV2",
            "service": "checkout",
            "state": "RESOLVED",
            "channel": "C1",
        }
        session.add(IncidentRow(**fields, declared_at=desk.clock(), resolved_at=desk.clock()))

    group = await incidents.group_to_investigate(desk.db, "INC-2")

    assert (group.ref, group.state, group.declared) == ("AL-2", "RESOLVED", True)


async def test_every_change_asks_for_the_card_anew(desk: Desk) -> None:
    (before,) = await desk.rows(MessageRow)
    await incidents.set_lead(desk.db, "INC-1", "alice")
    (after,) = await desk.rows(MessageRow)

    assert after.wanted_rev == before.wanted_rev + 1


async def test_a_cleared_group_that_nobody_touched_closes_by_itself(desk: Desk) -> None:
    await desk.receive(alert(status="resolved"))
    early = await close_quiet_groups(desk.db, HALF_AN_HOUR)
    desk.clock.forward(31)

    assert (early, await close_quiet_groups(desk.db, HALF_AN_HOUR)) == ([], ["AL-1"])
    assert [(row.state, row.resolved_by) for row in await desk.rows(IncidentRow)] == [("RESOLVED", "policy")]


async def test_a_group_that_people_worked_on_waits_for_them(desk: Desk) -> None:
    await incidents.note(desk.db, "INC-1", "looking", "alice")
    await desk.receive(alert(status="resolved"))
    desk.clock.forward(60)

    assert await close_quiet_groups(desk.db, HALF_AN_HOUR) == []


async def test_a_declared_incident_mentions_the_on_call_although_the_card_stands_already(tmp_path: Path) -> None:
    clock = Clock()
    desk = Desk(await open_database(tmp_path, clock), clock)
    await desk.connect()
    await desk.receive(alert(severity="warning"))
    async with desk.db.write() as session:
        card = await session.get(MessageRow, "card:AL-1")
        assert card is not None
        card.sent_rev = 1
    for _ in range(2):
        await declared(desk, group_ref="AL-1")

    assert [row.thread_key for row in await desk.rows(MessageRow) if row.kind == "raised"] == ["card:AL-1"]
    await desk.db.close()


@pytest.mark.parametrize("ref", ["AL-9", "INC-9", "AP-1", "x", ""])
async def test_what_does_not_exist_cannot_be_changed(desk: Desk, ref: str) -> None:
    with pytest.raises(NotFound):
        await incidents.resolve(desk.db, ref, "alice")


async def test_the_audit_is_whole_until_a_row_is_changed(desk: Desk) -> None:
    await incidents.acknowledge(desk.db, "AL-1", "alice")
    whole = await audit.verify(desk.db)
    async with desk.db.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET who = 'bob' WHERE seq = 2")

    assert (whole, await audit.verify(desk.db)) == (None, 2)
