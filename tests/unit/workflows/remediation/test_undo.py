"""What undoes a run is put to people with arguments of its own, once, and is recorded as the change that it is."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.store.tables import ChangeRow, MessageRow, ProposalRow
from bot.store.triage.changes import Changes
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.builders import NOW
from tests.unit.workflows.remediation.flags import FlagServer, open_flags

FREEZE = {"starts": NOW - timedelta(hours=1), "ends": NOW + timedelta(hours=1), "reason": "sale"}


async def switched_off_in_vain(tmp_path: Path, **config: Any) -> tuple[ApprovalsFixture, FlagServer]:
    """AP-1 switched the flag off, which did not help."""
    fixture, flag = await open_flags(tmp_path, **config)
    await fixture.alert_fires()
    fixture.metrics.values["errors"] = 0.4
    proposal = await fixture.propose("flag", change_id="ci:1")
    await fixture.approve(proposal.ref, reason="it came with the flag")
    assert await fixture.ended(proposal.ref, seconds=1) == "not recovered"
    return fixture, flag


async def lines(fixture: ApprovalsFixture) -> list[str]:
    return [row.subject for row in await fixture.rows(MessageRow) if row.kind == "line"]


async def test_a_flag_that_was_switched_off_in_vain_is_offered_to_be_switched_on_again(tmp_path: Path) -> None:
    fixture, flag = await switched_off_in_vain(tmp_path)

    undo = await fixture.store.load("AP-2")
    await fixture.approve("AP-2", reason="it was not the flag")
    await fixture.ended("AP-2", seconds=1)

    assert (undo.arguments, flag.value) == ({"flag": "pricing", "value": "true"}, True)
    await fixture.close()


async def test_what_an_undo_put_in_place_again_is_a_change_to_what_was_before(tmp_path: Path) -> None:
    fixture, _ = await switched_off_in_vain(tmp_path)
    await fixture.approve("AP-2", reason="it was not the flag")
    await fixture.ended("AP-2", seconds=1)

    changes = [(row.version, row.previous_version) for row in await fixture.rows(ChangeRow)]
    assert changes == [("on", "off"), ("off", "on"), ("on", "off")]
    await fixture.close()


async def test_what_a_pipeline_reports_of_an_undo_minutes_later_is_nobody_elses_change(tmp_path: Path) -> None:
    fixture, _ = await switched_off_in_vain(tmp_path)
    fixture.pass_time(minutes=15)
    await fixture.approvals.prepare(await fixture.store.load("AP-2"), actor("bob"))
    await fixture.approve("AP-2", reason="it was not the flag")
    await fixture.ended("AP-2", seconds=1)
    moments = {"at": fixture.now + timedelta(minutes=3), "received_at": fixture.now}
    versions = {"version": "on", "previous_version": "off"}
    async with fixture.db.write() as session:
        session.add(ChangeRow(id="ci:2", service="checkout", kind="flag", title="pricing", source="ci", **moments, **versions))

    changes = await Changes(fixture.db).since("checkout", NOW - timedelta(hours=1))

    assert {change.id: change.by_action for change in changes}["ci:2"] == "AP-2"
    await fixture.close()


async def test_an_undo_after_which_all_is_as_bad_as_before_is_not_taken_back(tmp_path: Path) -> None:
    fixture, _ = await switched_off_in_vain(tmp_path)
    await fixture.approve("AP-2", reason="it was not the flag")

    assert await fixture.ended("AP-2", seconds=1) == "not recovered"
    assert [row.id for row in await fixture.rows(ProposalRow)] == [1, 2]
    await fixture.close()


async def test_what_takes_the_place_of_an_undo_that_cannot_be_proposed_is_said_in_the_thread(tmp_path: Path) -> None:
    fixture, flag = await switched_off_in_vain(tmp_path)
    flag.value = True
    await fixture.approve("AP-2", reason="it was not the flag")
    await fixture.ended("AP-2", seconds=1)

    assert (await lines(fixture))[-1] == "What takes the place of AP-2 was not proposed: pricing is true already."
    await fixture.close()


async def test_a_freeze_that_lets_a_flag_be_switched_off_does_not_let_it_be_switched_on_again(tmp_path: Path) -> None:
    fixture, flag = await switched_off_in_vain(tmp_path, freezes=[FREEZE])

    assert (await lines(fixture))[-1].startswith("What undoes AP-1 was not proposed: Changes are frozen until")
    assert not flag.value
    await fixture.close()
