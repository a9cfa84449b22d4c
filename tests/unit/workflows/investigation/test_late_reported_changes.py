"""A change that is told after the causes were ranked: one more attempt, in the same message, and no more than that."""

from datetime import datetime

from bot.core.approvals.policy_types import PROPOSAL_LIFE
from bot.core.change import Change
from bot.core.changes.late_reports import MAX_ATTEMPTS, QUIET_PERIOD
from bot.core.errors import QueryFailed
from bot.core.incident import GroupState
from bot.store.approvals.switches import Switches
from bot.store.tables import MessageRow
from bot.store.triage.changes import Changes
from bot.store.triage.retries.late_reported_changes import LateReportedChanges
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import CATALOGUE, INFOS
from tests.unit.workflows.investigation.triage_fixture import TriageFixture


class UnreadableChanges(Changes):
    """The stored changes while the database does not answer in time."""

    async def since(self, service: str, since: datetime) -> list[Change]:
        raise QueryFailed("the changes could not be read")


async def test_the_change_is_ranked_first_and_its_rollback_put_to_people_in_the_same_message(fixture: TriageFixture) -> None:
    before = await fixture.shown()
    await fixture.told()
    started = await fixture.tick()

    after = await fixture.shown()
    assert before.no_proposal is not None and before.no_proposal.none_fits and before.proposals == []
    assert started == ["AL-1"] and (after.attempt, after.for_late_change, after.no_proposal) == (2, True, None)
    assert after.hypotheses[0].change_id == "ci:v2"
    assert [proposal.ref for proposal in after.proposals] == ["AP-1"]
    assert [row.key for row in await fixture.rows(MessageRow) if row.kind == "triage"] == ["triage:AL-1"]


async def test_one_change_brings_about_one_attempt_also_after_a_restart(fixture: TriageFixture) -> None:
    await fixture.told("v2")
    await fixture.tick()
    fixture.late = LateReportedChanges(fixture.db, CATALOGUE, INFOS)

    assert await fixture.tick() == []
    assert await fixture.attempts() == [(1, []), (2, ["ci:v2"])]


async def test_an_attempt_that_could_not_read_the_changes_is_made_again(fixture: TriageFixture) -> None:
    fixture.changes = UnreadableChanges(fixture.db)
    await fixture.told("v2")
    await fixture.tick()
    unread = await fixture.shown()
    fixture.changes = Changes(fixture.db)
    await fixture.tick()

    assert "ci:v2" not in {cause.change_id for cause in unread.hypotheses}
    assert await fixture.attempts() == [(1, []), (2, ["ci:v2"]), (3, ["ci:v2"])]
    assert (await fixture.shown()).hypotheses[0].change_id == "ci:v2"
    assert await fixture.tick() == []


async def test_changes_that_can_never_be_read_bring_about_no_endless_attempts(fixture: TriageFixture) -> None:
    fixture.changes = UnreadableChanges(fixture.db)
    await fixture.told("v2")
    for _ in range(MAX_ATTEMPTS + 2):
        await fixture.tick()

    assert len(await fixture.attempts()) == 1 + MAX_ATTEMPTS


async def test_what_a_dead_process_did_not_start_the_next_one_finds(fixture: TriageFixture) -> None:
    await fixture.told()
    fixture.now += QUIET_PERIOD
    lost = await fixture.late.due()

    assert await LateReportedChanges(fixture.db, CATALOGUE, INFOS).due() == lost != []


async def test_a_roll_out_of_several_services_is_one_attempt(fixture: TriageFixture) -> None:
    await fixture.told("v2", "payments")
    assert await fixture.tick(settle=False) == []
    fixture.now += QUIET_PERIOD / 2
    await fixture.told("v3")
    fixture.now += QUIET_PERIOD / 2
    assert await fixture.tick(settle=False) == []

    await fixture.tick()

    assert await fixture.attempts() == [(1, []), (2, ["ci:v2", "ci:v3"])]


async def test_while_a_proposal_stands_nothing_is_attempted_and_once_it_lapsed_something_is(fixture: TriageFixture) -> None:
    await fixture.told("v2")
    await fixture.tick()
    await fixture.told("v3")
    assert await fixture.tick() == []

    await fixture.ended("AP-1", seconds=5)
    assert fixture.now - NOW >= PROPOSAL_LIFE and await fixture.state("AP-1") == "expired"

    assert await fixture.tick() == ["AL-1"]


async def test_attempts_for_late_changes_are_counted_and_end(fixture: TriageFixture) -> None:
    fixture.config.actions.clear()
    for number in range(MAX_ATTEMPTS + 2):
        await fixture.told(f"v{number}")
        await fixture.tick()

    assert len(await fixture.attempts()) == 1 + MAX_ATTEMPTS


async def test_a_change_of_a_strange_service_or_after_the_onset_brings_about_nothing(fixture: TriageFixture) -> None:
    await fixture.told("a", service="web")
    await fixture.told("b", at=NOW)

    assert await fixture.tick() == []


async def test_a_change_of_a_strange_service_counts_once_that_service_alerts_in_the_same_group(fixture: TriageFixture) -> None:
    await fixture.told(service="web")
    assert await fixture.tick() == []
    await fixture.fires("web")

    assert await fixture.tick() == ["AL-1"]


async def test_a_group_that_cleared_or_was_stopped_is_left_alone(fixture: TriageFixture) -> None:
    await fixture.told()
    await fixture.change(state=GroupState.MONITORING)
    assert await fixture.tick() == []

    await fixture.change(state=GroupState.FIRING)
    await Switches(fixture.db).stop("AL-1", "mallory")
    assert await fixture.tick() == []


async def test_the_further_attempt_answers_the_same_question_of_the_same_person(fixture: TriageFixture) -> None:
    await fixture.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await fixture.engine.result("triage:AL-1:2")
    await fixture.told()
    await fixture.tick()

    row = await fixture.triages.row("AL-1")
    assert row is not None
    assert (row.attempt, row.question, row.requester) == (3, "is it the cache?", "alice")
