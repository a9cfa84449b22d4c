"""A change that is told after the causes were ranked: one more attempt, in the same message, and no more than that."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.core.approvals.policy_types import PROPOSAL_LIFE
from bot.core.change import Change
from bot.core.changes.late_reports import MAX_ATTEMPTS, QUIET_PERIOD
from bot.core.errors import QueryFailed
from bot.core.incident import GroupState
from bot.store.approvals.switches import Switches
from bot.store.tables import MessageRow
from bot.store.triage.changes import Changes
from bot.store.triage.late_changes import LateChanges
from tests.unit.builders import NOW
from tests.unit.tools.looking import CATALOGUE, INFOS
from tests.unit.workflows.investigation.duty import Duty


class UnreadableChanges(Changes):
    """The stored changes while the database does not answer in time."""

    async def since(self, service: str, since: datetime) -> list[Change]:
        raise QueryFailed("the changes could not be read")


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[Duty]:
    duty = Duty(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await duty.open()
    await duty.fires()
    await duty.rank()
    yield duty
    await duty.close()


async def test_the_change_is_ranked_first_and_its_rollback_put_to_people_in_the_same_message(duty: Duty) -> None:
    before = await duty.shown()
    await duty.told()
    started = await duty.tick()

    after = await duty.shown()
    assert before.no_proposal.startswith("No action of the catalogue fits") and before.proposals == []
    assert started == ["AL-1"] and (after.attempt, after.for_late_change, after.no_proposal) == (2, True, "")
    assert after.hypotheses[0].change_id == "ci:v2"
    assert [proposal.ref for proposal in after.proposals] == ["AP-1"]
    assert [row.key for row in await duty.rows(MessageRow) if row.kind == "triage"] == ["triage:AL-1"]


async def test_one_change_brings_about_one_attempt_also_after_a_restart(duty: Duty) -> None:
    await duty.told("v2")
    await duty.tick()
    duty.late = LateChanges(duty.db, CATALOGUE, INFOS)

    assert await duty.tick() == []
    assert await duty.attempts() == [(1, []), (2, ["ci:v2"])]


async def test_an_attempt_that_could_not_read_the_changes_is_made_again(duty: Duty) -> None:
    duty.changes = UnreadableChanges(duty.db)
    await duty.told("v2")
    await duty.tick()
    unread = await duty.shown()
    duty.changes = Changes(duty.db)
    await duty.tick()

    assert "ci:v2" not in {cause.change_id for cause in unread.hypotheses}
    assert await duty.attempts() == [(1, []), (2, ["ci:v2"]), (3, ["ci:v2"])]
    assert (await duty.shown()).hypotheses[0].change_id == "ci:v2"
    assert await duty.tick() == []


async def test_changes_that_can_never_be_read_bring_about_no_endless_attempts(duty: Duty) -> None:
    duty.changes = UnreadableChanges(duty.db)
    await duty.told("v2")
    for _ in range(MAX_ATTEMPTS + 2):
        await duty.tick()

    assert len(await duty.attempts()) == 1 + MAX_ATTEMPTS


async def test_what_a_dead_process_did_not_start_the_next_one_finds(duty: Duty) -> None:
    await duty.told()
    duty.now += QUIET_PERIOD
    lost = await duty.late.due()

    assert await LateChanges(duty.db, CATALOGUE, INFOS).due() == lost != []


async def test_a_roll_out_of_several_services_is_one_attempt(duty: Duty) -> None:
    await duty.told("v2", "payments")
    assert await duty.tick(settle=False) == []
    duty.now += QUIET_PERIOD / 2
    await duty.told("v3")
    duty.now += QUIET_PERIOD / 2
    assert await duty.tick(settle=False) == []

    await duty.tick()

    assert await duty.attempts() == [(1, []), (2, ["ci:v2", "ci:v3"])]


async def test_while_a_proposal_stands_nothing_is_attempted_and_once_it_lapsed_something_is(duty: Duty) -> None:
    await duty.told("v2")
    await duty.tick()
    await duty.told("v3")
    assert await duty.tick() == []

    await duty.ended("AP-1", seconds=5)
    assert duty.now - NOW >= PROPOSAL_LIFE and await duty.state("AP-1") == "expired"

    assert await duty.tick() == ["AL-1"]


async def test_attempts_for_late_changes_are_counted_and_end(duty: Duty) -> None:
    duty.config.actions.clear()
    for number in range(MAX_ATTEMPTS + 2):
        await duty.told(f"v{number}")
        await duty.tick()

    assert len(await duty.attempts()) == 1 + MAX_ATTEMPTS


async def test_a_change_of_a_strange_service_or_after_the_onset_brings_about_nothing(duty: Duty) -> None:
    await duty.told("a", service="web")
    await duty.told("b", at=NOW)

    assert await duty.tick() == []


async def test_a_change_of_a_strange_service_counts_once_that_service_alerts_in_the_same_group(duty: Duty) -> None:
    await duty.told(service="web")
    assert await duty.tick() == []
    await duty.fires("web")

    assert await duty.tick() == ["AL-1"]


async def test_a_group_that_cleared_or_was_stopped_is_left_alone(duty: Duty) -> None:
    await duty.told()
    await duty.change(state=GroupState.MONITORING)
    assert await duty.tick() == []

    await duty.change(state=GroupState.FIRING)
    await Switches(duty.db).stop("AL-1", "mallory")
    assert await duty.tick() == []


async def test_the_further_attempt_answers_the_same_question_of_the_same_person(duty: Duty) -> None:
    await duty.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await duty.engine.result("triage:AL-1:2")
    await duty.told()
    await duty.tick()

    row = await duty.triages.row("AL-1")
    assert row is not None
    assert (row.attempt, row.question, row.requester) == (3, "is it the cache?", "alice")


async def test_a_late_change_ranks_nothing_again_that_does_not_fire_any_more(duty: Duty) -> None:
    await duty.change(firing=0, flapping="HighErrorRate fired 5 times within 43 min")
    await duty.told()

    assert (await duty.tick(), len(await duty.attempts())) == ([], 1)
