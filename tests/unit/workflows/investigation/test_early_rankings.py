"""Causes that were ranked seconds after the alert, or while no metric could be queried, are ranked once more by themselves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.evidence import Findings, Hypothesis
from bot.core.incident import GroupState
from bot.core.investigation.early_ranking import FIRST_WAIT, MOST_EARLY
from bot.core.investigation.triage_state import TriageState
from bot.store.approvals.switches import Switches
from bot.store.tables import TriageRow
from bot.store.triage.early_rankings import MOST_AT_ONCE, EarlyRankings
from tests.unit.tools.looking import INFOS
from tests.unit.workflows.investigation.duty import Duty


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[Duty]:
    """Checkout fails, and nothing that can be checked shows why."""
    duty = Duty(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await duty.open()
    yield duty
    await duty.close()


async def rank(duty: Duty, *, after: timedelta = timedelta(seconds=5)) -> None:
    """The first attempt, so long after the alert."""
    duty.alert_at = duty.now - after
    await duty.fires()
    await duty.rank()


async def later(duty: Duty, wait: timedelta = FIRST_WAIT) -> list[str]:
    duty.now += wait
    return await duty.tick(settle=False)


async def test_it_is_ranked_again_soon_after_in_the_same_message(duty: Duty) -> None:
    await rank(duty)
    before = await duty.tick(settle=False)
    after = await later(duty)
    shown = await duty.shown()

    assert (before, after) == ([], ["AL-1"])
    assert (shown.attempt, shown.is_retry, shown.state) == (2, True, TriageState.DONE)


async def test_it_is_not_ranked_again_for_ever(duty: Duty) -> None:
    await rank(duty)
    for _ in range(MOST_EARLY + 3):
        await later(duty, timedelta(minutes=1))

    assert len(await duty.attempts()) == 1 + MOST_EARLY


async def test_while_it_is_ranked_again_people_read_what_was_found_before(duty: Duty) -> None:
    await rank(duty)
    first = await duty.shown()
    duty.now += FIRST_WAIT
    (due,) = await duty.early.due()
    await duty.triages.open(due.group, due.attempt, "", "")
    meanwhile = await duty.shown()
    await duty.triages.update(due.group, due.attempt, state=TriageState.FAILED)
    failed = await duty.shown()

    assert first.findings and meanwhile.findings == failed.findings == first.findings
    assert (meanwhile.facts, meanwhile.state, failed.state) == (first.facts, TriageState.FACTS, TriageState.FAILED)
    assert meanwhile.urgent_part == first.urgent_part != failed.urgent_part


async def test_what_could_not_be_queried_is_queried_again(duty: Duty) -> None:
    observed, duty.observed = duty.observed, {}
    await rank(duty, after=timedelta(hours=1))
    blind = await duty.shown()
    duty.observed = observed
    retried = await later(duty)
    shown = await duty.shown()

    assert blind.facts and "could not be checked" in blind.facts.onset_text
    assert retried == ["AL-1"] and shown.facts and shown.facts.onset is not None
    assert await later(duty, timedelta(minutes=5)) == []


async def test_what_had_been_measured_stays_where_the_metrics_do_not_answer_the_next_time(duty: Duty) -> None:
    await rank(duty)
    first = await duty.shown()
    duty.observed = {}
    await later(duty)
    shown = await duty.shown()

    assert first.findings and shown.findings and (shown.facts, shown.attempt) == (first.facts, 2)
    assert shown.findings.hypotheses == first.findings.hypotheses
    assert shown.findings.note.startswith("When they were ranked again the metrics did not answer.")


async def test_who_gives_a_hint_has_it_in_hand(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    before = await duty.early.due()
    await duty.triages.hint("AL-1", 1, "look at the provider", "alice", key="k")

    assert (len(before), await duty.early.due()) == (1, [])


async def test_only_so_many_are_ranked_again_at_a_time(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    async with duty.db.write() as session:
        for number in range(MOST_AT_ONCE):
            session.add(TriageRow(group_id=100 + number, attempt=2, state=TriageState.FACTS, started_at=duty.now))

    assert await duty.early.due() == []


async def test_the_next_process_finds_what_this_one_did_not_start(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT

    assert [due.attempt for due in await EarlyRankings(duty.db, INFOS).due()] == [2]


async def test_what_a_person_asked_or_stopped_or_what_cleared_is_left_alone(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    await duty.change(cleared_at=duty.now)
    cleared = await duty.early.due()
    await duty.change(cleared_at=None, state=GroupState.MONITORING)
    quiet = await duty.early.due()
    await duty.change(state=GroupState.FIRING)
    await Switches(duty.db).stop("AL-1", "alice")
    stopped = await duty.early.due()
    await duty.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await duty.engine.result("triage:AL-1:2")
    await Switches(duty.db).resume("AL-1", "alice")

    assert (cleared, quiet, stopped, await later(duty)) == ([], [], [], [])


async def test_what_is_about_something_new_since_is_not_due_as_too_early(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    await duty.change(renewed_at=duty.now, renewed_by=1)

    assert await duty.early.due() == []


async def test_after_a_new_outage_that_failed_to_be_ranked_nobody_reads_the_causes_of_the_one_before(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    await duty.change(renewed_at=duty.now, renewed_by=1)
    await duty.triages.open("AL-1", 2, "", "")
    await duty.triages.update("AL-1", 2, state=TriageState.FAILED)
    await duty.triages.open("AL-1", 3, "", "")
    shown = await duty.shown()

    assert (shown.attempt, shown.findings, shown.is_retry) == (3, None, False)


async def test_the_first_ranking_of_what_was_left_at_its_facts_is_no_retry(duty: Duty) -> None:
    await duty.fires()
    await duty.triages.open("AL-1", 1, "", "")
    await duty.triages.update("AL-1", 1, state=TriageState.DONE)
    await duty.triages.open("AL-1", 2, "", "")

    assert not (await duty.shown()).is_retry


async def test_somebody_who_approves_or_asks_for_an_action_has_it_in_hand(duty: Duty) -> None:
    await rank(duty)
    duty.now += FIRST_WAIT
    proposal = await duty.propose("restart")
    waits = await duty.early.due()
    await duty.press(proposal.ref, "bob")

    assert ([due.attempt for due in waits], await duty.early.due()) == ([2], [])


async def test_a_model_is_not_paid_twice_for_the_same_first_cause(duty: Duty) -> None:
    model = duty.with_model("checkout")
    await rank(duty)
    await later(duty)
    shown = await duty.shown()

    assert (model.asked, shown.attempt) == (1, 2)
    assert shown.findings and shown.findings.note.startswith("The model was asked in an attempt before")


async def test_an_attempt_that_ends_after_a_newer_one_proposes_nothing(duty: Duty) -> None:
    await rank(duty)
    await duty.told()
    await duty.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await duty.engine.result("triage:AL-1:2")
    case = await duty.triages.open("AL-1", 1, "", "")
    findings = (await duty.shown()).findings
    assert findings is not None

    assert await duty.steps.propose(case, findings) == []


@pytest.mark.parametrize(("service", "due"), [("checkout", 1), ("payments", 0)])
async def test_a_likely_cause_of_what_is_new_is_another_than_that_of_the_outage_before(
    duty: Duty, service: str, due: int
) -> None:
    await rank(duty)
    for attempt, named in ((1, "checkout"), (2, service)):
        cause = Hypothesis(cause="no memory", kind="resource", service=named, confidence="likely")
        findings = Findings(hypotheses=[cause]).model_dump(mode="json")
        await duty.triages.update("AL-1", attempt, findings=findings, state=TriageState.DONE, finished_at=duty.now)
        duty.now += FIRST_WAIT
        if attempt == 1:
            await duty.change(renewed_at=duty.now, renewed_by=1)
            await duty.triages.open("AL-1", 2, "", "")

    assert len(await duty.early.due()) == due


async def test_what_does_not_fire_any_more_is_not_ranked_again_while_its_flapping_holds_it_open(duty: Duty) -> None:
    await rank(duty)
    await duty.change(firing=0, flapping="HighErrorRate fired 5 times within 43 min")

    assert (await later(duty), len(await duty.attempts())) == ([], 1)
