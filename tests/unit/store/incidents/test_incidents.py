"""What people do with groups and incidents: one transaction with audit, timeline and card."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.errors import NotFound
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.incident import Incident
from bot.slack.view_context import ViewContext
from bot.slack.views import card
from bot.store import audit, timeline
from bot.store.approvals import transitions
from bot.store.incidents import causes, incidents
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.slack.alert_contents import card_content
from bot.store.tables import AuditRow, GroupRow, IncidentRow, MessageRow
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database

HALF_AN_HOUR = timedelta(minutes=30)


async def told(sorting: SortingFixture) -> list[str]:
    async with sorting.db.read() as session:
        return [entry.text for entry in await timeline.of(session, group_id=1, incident_id=1)]


async def declared(sorting: SortingFixture, **values: str) -> Incident:
    severity = Severity.SEV1
    return await incidents.declare(
        sorting.db, title="Checkout is down", severity=severity, service="checkout", channel="C1", by="alice", **values
    )


async def test_a_critical_group_has_an_incident_that_policy_declared(sorting: SortingFixture) -> None:
    assert [(row.severity, row.declared_by, row.human_at) for row in await sorting.rows(IncidentRow)] == [
        ("SEV2", "policy", None)
    ]


async def test_a_dialog_sent_again_declares_nothing_twice(sorting: SortingFixture) -> None:
    first, second = await declared(sorting, key="view:1"), await declared(sorting, key="view:1")
    other = await declared(sorting, key="view:2")

    assert (first.ref, second.ref, other.ref) == ("INC-2", "INC-2", "INC-3")


async def test_a_note_sent_again_stands_once(sorting: SortingFixture) -> None:
    for key in ("note:1", "note:1", "note:2"):
        await incidents.note(sorting.db, "INC-1", "looking", "alice", key=key)

    assert (await told(sorting)).count("looking") == 2


async def test_the_first_to_acknowledge_stands(sorting: SortingFixture) -> None:
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    group = await incidents.acknowledge(sorting.db, "inc-1", "bob")

    assert (group.state, group.acknowledged_by) == ("ACKNOWLEDGED", "alice")
    assert [row.what for row in await sorting.rows(AuditRow)] == ["declare", "acknowledge"]


async def test_resolving_an_incident_resolves_its_group_and_keeps_the_cause(sorting: SortingFixture) -> None:
    await incidents.resolve(sorting.db, "INC-1", "alice", "bad deploy")
    await incidents.resolve(sorting.db, "INC-1", "bob")

    assert [(row.state, row.resolved_by, row.cause) for row in await sorting.rows(IncidentRow)] == [
        ("RESOLVED", "alice", "bad deploy")
    ]
    assert [row.state for row in await sorting.rows(GroupRow)] == ["RESOLVED"]
    assert (await told(sorting))[-2:] == ["alice confirmed the cause: bad deploy", "INC-1 was resolved by alice"]


async def test_declaring_for_a_group_that_has_an_incident_changes_nothing(sorting: SortingFixture) -> None:
    assert (await declared(sorting, group_ref="AL-1")).declared_by == "policy"
    assert len(await sorting.rows(IncidentRow)) == 1


async def test_an_incident_without_alerts_has_a_group_and_a_card_of_its_own(sorting: SortingFixture) -> None:
    incident = await declared(sorting)

    assert (incident.ref, incident.group) == ("INC-2", "AL-2")
    assert [row.alerts for row in await sorting.rows(GroupRow)] == [1, 0]
    assert "card:AL-2" in [row.key for row in await sorting.rows(MessageRow)]


async def test_the_card_of_a_declared_incident_is_open_since_the_person_says(sorting: SortingFixture) -> None:
    incident = await incidents.declare(
        sorting.db, title="Slow since 10 minutes ago", severity=Severity.SEV2, service="checkout", channel="C1", by="alice"
    )

    async with sorting.db.read() as session:
        content = await card_content(session, incident.group)
    assert content is not None and card.render(content, ViewContext())[0].startswith("Open since 02:50:00 UTC, severity 2: ")


@pytest.mark.parametrize(
    ("labels", "text"),
    [({}, "severity 2: DiskFull: “5 % left” (db-7), "), ({"job": "node-exporter"}, "severity 2: db-7 DiskFull: “5 % left”, ")],
)
async def test_a_card_names_the_host_of_the_alert_that_it_quotes_once(
    sorting: SortingFixture, labels: dict[str, str], text: str
) -> None:
    labels = {"instance": "db-7:9100", "service": "", **labels}
    await sorting.receive(alert("disk", name="DiskFull", labels=labels, annotations={"summary": "5 % left"}))

    async with sorting.db.read() as session:
        content = await card_content(session, "AL-2")
    assert content is not None and text in card.render(content, ViewContext())[0]


async def test_a_confirmed_cause_is_none_of_what_its_group_is_about_since(sorting: SortingFixture) -> None:
    async def confirmed() -> str:
        async with sorting.db.read() as session:
            content = await card_content(session, "AL-1")
        return content.confirmed_cause if content else ""

    cause = ConfirmedCause(text="bad deploy", confirmed_by="alice", at=sorting.clock())
    await causes.confirm(sorting.db, "INC-1", cause)
    before = await confirmed()
    sorting.clock.forward(1)
    await sorting.receive(alert("b", labels={"service": "payments"}))

    assert (before, await confirmed()) == ("bad deploy", "")


async def test_a_declared_incident_closes_when_a_person_says_so_alone(sorting: SortingFixture) -> None:
    incident = await declared(sorting)
    sorting.clock.forward(600)

    assert await close_quiet_groups(sorting.db, HALF_AN_HOUR) == []
    await incidents.resolve(sorting.db, incident.ref, "alice")
    assert [row.state for row in await sorting.rows(GroupRow)] == ["FIRING", "RESOLVED"]


async def test_a_resolved_incident_of_an_older_version_gets_a_group_that_is_over(sorting: SortingFixture) -> None:
    async with sorting.db.write() as session:
        fields: dict[str, Any] = {
            "title": "Old",
            "severity": "SEV2",
            "service": "checkout",
            "state": "RESOLVED",
            "channel": "C1",
        }
        session.add(IncidentRow(**fields, declared_at=sorting.clock(), resolved_at=sorting.clock()))

    group = await incidents.group_to_investigate(sorting.db, "INC-2")

    assert (group.ref, group.state, group.declared) == ("AL-2", "RESOLVED", True)


async def test_every_change_asks_for_the_card_anew(sorting: SortingFixture) -> None:
    (before,) = await sorting.rows(MessageRow)
    await incidents.set_lead(sorting.db, "INC-1", "alice")
    (after,) = await sorting.rows(MessageRow)

    assert after.wanted_rev == before.wanted_rev + 1


async def test_a_cleared_group_that_nobody_touched_closes_by_itself(sorting: SortingFixture) -> None:
    await sorting.receive(alert(status="resolved"))
    early = await close_quiet_groups(sorting.db, HALF_AN_HOUR)
    sorting.clock.forward(31)

    assert (early, await close_quiet_groups(sorting.db, HALF_AN_HOUR)) == ([], ["AL-1"])
    assert [(row.state, row.resolved_by) for row in await sorting.rows(IncidentRow)] == [("RESOLVED", "policy")]


async def test_a_group_that_people_worked_on_waits_for_them(sorting: SortingFixture) -> None:
    await incidents.note(sorting.db, "INC-1", "looking", "alice")
    await sorting.receive(alert(status="resolved"))
    sorting.clock.forward(60)

    assert await close_quiet_groups(sorting.db, HALF_AN_HOUR) == []


async def test_a_group_without_an_incident_in_which_a_person_decided_waits_for_people_too(tmp_path: Path) -> None:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    await sorting.connect()
    await sorting.receive(alert(severity="warning"))
    async with sorting.db.write() as session:
        await transitions.mark_human_activity(sorting.db, session, 1, None)
    await sorting.receive(alert(status="resolved", severity="warning"))
    clock.forward(60)

    assert await close_quiet_groups(sorting.db, HALF_AN_HOUR) == []
    await sorting.db.close()


async def test_a_declared_incident_mentions_the_on_call_although_the_card_stands_already(tmp_path: Path) -> None:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    await sorting.connect()
    await sorting.receive(alert(severity="warning"))
    async with sorting.db.write() as session:
        card = await session.get(MessageRow, "card:AL-1")
        assert card is not None
        card.sent_rev = 1
    for _ in range(2):
        await declared(sorting, group_ref="AL-1")

    assert [row.thread_key for row in await sorting.rows(MessageRow) if row.kind == "raised"] == ["card:AL-1"]
    await sorting.db.close()


@pytest.mark.parametrize("ref", ["AL-9", "INC-9", "AP-1", "x", ""])
async def test_what_does_not_exist_cannot_be_changed(sorting: SortingFixture, ref: str) -> None:
    with pytest.raises(NotFound):
        await incidents.resolve(sorting.db, ref, "alice")


async def test_the_audit_is_whole_until_a_row_is_changed(sorting: SortingFixture) -> None:
    await incidents.acknowledge(sorting.db, "AL-1", "alice")
    whole = await audit.verify(sorting.db)
    async with sorting.db.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET who = 'bob' WHERE seq = 2")

    assert (whole, await audit.verify(sorting.db)) == (None, 2)
