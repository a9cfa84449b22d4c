"""A stop ends the investigation: nothing is looked at, shown or said of it any more."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.evidence import Case, Evidence, Findings
from bot.core.incident import GroupState
from bot.plugins import ToolContext, tool
from bot.store.approvals.switches import ResumeResult, Switches
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.tables import GroupRow, TimelineRow
from bot.store.triage.triage import Triages
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    yield fixture
    await fixture.close()


async def stopped_case(fixture: ApprovalsFixture) -> Case:
    case = await Triages(fixture.db).open("AL-1", 1, "", "")
    await Switches(fixture.db).stop("AL-1", "mallory")
    return case


@tool
async def forbidden(ctx: ToolContext) -> Evidence:
    """Is never called."""
    raise AssertionError("called after a person stopped the investigation")


async def test_a_stopped_investigation_looks_at_nothing_more(fixture: ApprovalsFixture) -> None:
    case = await stopped_case(fixture)
    context: Any = None
    runner = ToolRunner(Triages(fixture.db), {"forbidden": forbidden}, lambda case: context)

    entry = await runner.call(case, "forbidden", {}, "c1")

    assert not entry.evidence.ok
    assert "a person stopped the investigation" in entry.evidence.summary


async def test_a_stopped_investigation_shows_nothing_more_and_still_counts_its_money(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    case = await stopped_case(fixture)
    nothing: Any = None
    findings = Findings(usd=0.25)

    shown = await TriageSteps(triages, nothing, nothing, fixture.config).show(case, findings, True)

    row = await triages.row("AL-1", 1)
    assert row is not None and (row.state, row.findings, row.usd) == ("stopped", {}, 0.25)
    assert shown.note == "A person stopped the investigation."
    assert [entry.text for entry in await fixture.rows(TimelineRow)] == ["Stopped by mallory"]


async def test_a_stop_is_work_of_a_person_and_so_the_group_does_not_close_by_itself(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.state, group.cleared_at, group.incident_id = GroupState.MONITORING, fixture.now, None
    await Switches(fixture.db).stop("AL-1", "mallory")
    fixture.pass_time(hours=1)

    assert await close_quiet_groups(fixture.db, timedelta(minutes=30)) == []


async def test_two_people_who_resume_after_an_alarm_end_it(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.tampered(proposal.ref)
    switches = Switches(fixture.db)
    await switches.pause("alice", "strange")

    second = ResumeResult.SECOND_PERSON_NEEDED
    assert [await switches.unpause(who) for who in ("root", "root", "bob")] == [second, second, ResumeResult.RESUMED]
    await switches.pause("alice", "again")
    assert await switches.unpause("root") == "resumed"


async def test_a_stop_of_an_incident_halts_what_was_approved_for_its_group_before(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.incident_id = None
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")

    assert await Switches(fixture.db).stop("INC-1", "mallory") == [proposal.ref]
