"""Changes as tools read them."""

from datetime import timedelta
from pathlib import Path

from bot.core.errors import OutcomeUnknown
from bot.plugins import HttpAnswer
from bot.store.tables import ChangeRow
from bot.store.triage.changes import Changes
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import NOW, ApprovalsFixture, actor, open_approvals


async def test_what_an_approved_rollback_did_is_listed_as_its_own_change(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    async with fixture.db.write() as session:
        deploy = {"service": "checkout", "kind": "deploy", "title": "x", "received_at": NOW}
        session.add(ChangeRow(id="ci:bad", at=NOW - timedelta(hours=1), version="2", previous_version="1", **deploy))
    await fixture.propose("rollback", change_id="ci:bad")
    await fixture.approve("AP-1")
    await fixture.ended("AP-1", seconds=10)
    async with fixture.db.write() as session:
        at = NOW + timedelta(seconds=30)
        session.add(ChangeRow(id="ci:back", at=at, version="1", previous_version="2", **deploy))

    changes = await Changes(fixture.db).since("checkout", NOW - timedelta(hours=2))

    assert {change.id: change.by_action for change in changes} == {"ci:back": "AP-1", "ci:bad": ""}
    assert [change.id for change in changes if change.undone_at] == ["ci:bad"]
    await fixture.close()


async def with_deploy(tmp_path: Path) -> ApprovalsFixture:
    fixture = await open_approvals(tmp_path)
    async with fixture.db.write() as session:
        at = NOW - timedelta(hours=1)
        session.add(
            ChangeRow(
                id="ci:bad",
                at=at,
                received_at=at,
                service="checkout",
                kind="config",
                title="x",
                version="2",
                previous_version="1",
            )
        )
    return fixture


async def listed(fixture: ApprovalsFixture) -> list[tuple[str, str, str, str]]:
    """Kind, versions and proposal of each change, newest first."""
    changes = await Changes(fixture.db).since("checkout", NOW - timedelta(hours=2))
    return [(change.kind, change.previous_version, change.version, change.by_action) for change in changes]


async def test_a_rollback_that_no_pipeline_reports_is_a_change_all_the_same(tmp_path: Path) -> None:
    fixture = await with_deploy(tmp_path)
    await fixture.propose("rollback", change_id="ci:bad")
    await fixture.approve("AP-1")
    await fixture.ended("AP-1", seconds=10)

    assert await listed(fixture) == [("config", "2", "1", "AP-1"), ("config", "1", "2", "")]
    newest = await fixture.store.newest_change("checkout", ())
    assert newest is not None and newest.id == "ci:bad"
    await fixture.close()


async def test_a_rollback_that_did_not_help_and_its_undo_are_two_changes(tmp_path: Path) -> None:
    fixture = await with_deploy(tmp_path)
    fixture.metrics.values["errors"] = 0.4
    for ref in ("AP-1", "AP-2"):
        if ref == "AP-1":
            await fixture.propose("rollback", change_id="ci:bad")
        await fixture.approve(ref)
        await fixture.ended(ref, seconds=1)
        changes = await Changes(fixture.db).since("checkout", NOW - timedelta(hours=2))
        assert not any(change.undone_at for change in changes)

    assert await listed(fixture) == [("config", "1", "2", "AP-2"), ("config", "2", "1", "AP-1"), ("config", "1", "2", "")]
    await fixture.close()


async def test_a_restart_and_a_rollback_that_failed_change_no_version(tmp_path: Path) -> None:
    fixture = await with_deploy(tmp_path)
    await fixture.propose("restart", key="k2")
    await fixture.approve("AP-1")
    await fixture.ended("AP-1", seconds=1)
    fixture.http.answer = HttpAnswer(500, "no", None)
    await fixture.propose("rollback", key="k3", change_id="ci:bad")
    await fixture.approve("AP-2")
    await fixture.ended("AP-2", seconds=1)

    assert await listed(fixture) == [("config", "1", "2", "")]
    await fixture.close()


async def test_a_rollback_of_unknown_outcome_is_a_change_once_somebody_knows_that_it_ran(tmp_path: Path) -> None:
    fixture = await with_deploy(tmp_path)
    fixture.http.answer = OutcomeUnknown("lost.")
    await fixture.propose("rollback", change_id="ci:bad")
    await fixture.approve("AP-1")
    await fixture.ended("AP-1", seconds=1)
    before = len(await listed(fixture))

    await ManualRuns(fixture.approvals).answer_unknown("AP-1", actor("alice"), ran=True)

    assert (before, len(await listed(fixture))) == (1, 2)
    await fixture.close()
