"""A declared incident is investigated from its text, its service and its time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.commands.declare import declare
from bot.commands.investigate import investigate
from bot.plugins import Request
from bot.store.tables import GroupRow, IncidentRow
from bot.store.triage.triage import Triages
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.commands.using import Started, context


async def using(fixture: ApprovalsFixture, verb: Any, text: str, **values: Any) -> tuple[str, list[tuple[Any, ...]]]:
    """The reply, and what was started."""
    engine: Any = Started()
    fields = {"verb": verb.name, "text": text, "entry_point": "slash", "channel": "C7", "key": "1", **values}
    reply = await verb.fn(replace(context(fixture), engine=engine), Request(actor=actor("alice"), **fields))
    return reply.text, engine.runs


async def test_the_service_and_the_moment_in_its_text_are_what_is_investigated(fixture: ApprovalsFixture) -> None:
    text, runs = await using(fixture, declare, "Checkout is slow since 02:40", options={"sev": "4"})

    group = runs[0][1]
    case = await Triages(fixture.db).open(group, 1, "", "alice")
    assert runs == [(f"triage:{group}:1", group, 1, "", "alice")]
    assert (case.service, case.started_at, case.summary) == (
        "checkout",
        fixture.now - timedelta(minutes=20),
        "Checkout is slow since 02:40",
    )
    assert "investigates checkout, since 02:40 UTC" in text


async def test_a_text_without_service_or_moment_says_so(fixture: ApprovalsFixture) -> None:
    text, _ = await using(fixture, declare, "Nothing works", options={"sev": "1"})

    assert "names no service of the catalogue" in text
    assert "gives no time that Tocsin can read" in text


async def test_a_moment_that_is_not_understood_is_said_and_not_taken(fixture: ApprovalsFixture) -> None:
    text, runs = await using(fixture, declare, "Checkout is slow since 9am CST", options={"sev": "4"})

    assert 'It counts from now, because the time zone "CST" is not understood (write it in UTC: since 14:05)' in text
    assert (await Triages(fixture.db).open(runs[0][1], 1, "", "alice")).started_at == fixture.now


async def test_the_named_service_counts_more_than_the_text(fixture: ApprovalsFixture) -> None:
    _, runs = await using(fixture, declare, "Checkout is slow", options={"sev": "4", "service": "search"})

    assert (await Triages(fixture.db).open(runs[0][1], 1, "", "alice")).service == "search"


async def test_an_incident_of_an_older_version_gets_its_group_when_it_is_investigated(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        fields: dict[str, Any] = {
            "title": "Checkout is down",
            "severity": "SEV2",
            "service": "checkout",
            "state": "OPEN",
            "channel": "C7",
        }
        row = IncidentRow(**fields, declared_at=fixture.now)
        session.add(row)
        await session.flush()
        number = row.id

    for _ in range(2):
        _, runs = await using(fixture, investigate, "", ref=f"INC-{number}")

    async with fixture.db.read() as session:
        incident = await session.get(IncidentRow, number)
        assert incident is not None and f"AL-{incident.group_id}" == runs[0][1]
        group = await session.get(GroupRow, incident.group_id)
        assert group is not None and (group.service, group.alerts, group.incident_id) == ("checkout", 0, number)


@pytest.mark.parametrize(("findings", "started"), [({}, True), ({"hypotheses": []}, False)])
async def test_an_alert_group_of_which_only_facts_were_gathered_is_investigated_once_declared(
    fixture: ApprovalsFixture, findings: dict[str, Any], started: bool
) -> None:
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.incident_id = None
        session.add(group)
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    await triages.update("AL-1", 1, state="done", findings=findings)

    text, runs = await using(fixture, declare, "Checkout is down", options={"sev": "1"}, ref="AL-1")

    assert runs == ([("triage:AL-1:2", "AL-1", 2, "", "alice")] if started else [])
    assert ("looks for its cause" in text) is started
