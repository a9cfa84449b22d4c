"""Causes that were ranked seconds after the alert, or while no metric could be queried, are ranked once more by themselves."""

from datetime import timedelta

import pytest

from bot.core.evidence import Findings, Hypothesis
from bot.core.incident import GroupState
from bot.core.investigation.early_ranking import FIRST_WAIT, MAX_EARLY
from bot.core.investigation.triage_state import TriageState
from bot.store.approvals.switches import Switches
from bot.store.tables import TriageRow
from bot.store.triage.retries.early_rankings import MAX_AT_ONCE, EarlyRankings
from tests.unit.tools.tool_fixture import INFOS
from tests.unit.workflows.investigation.triage_fixture import TriageFixture


@pytest.fixture
def fixture(before_any_alert: TriageFixture) -> TriageFixture:
    """Checkout fails, and nothing that can be checked shows why."""
    return before_any_alert


async def rank(fixture: TriageFixture, *, after: timedelta = timedelta(seconds=5)) -> None:
    """The first attempt, so long after the alert."""
    fixture.alert_at = fixture.now - after
    await fixture.fires()
    await fixture.rank()


async def later(fixture: TriageFixture, wait: timedelta = FIRST_WAIT) -> list[str]:
    fixture.now += wait
    return await fixture.tick(settle=False)


async def test_it_is_ranked_again_soon_after_in_the_same_message(fixture: TriageFixture) -> None:
    await rank(fixture)
    before = await fixture.tick(settle=False)
    after = await later(fixture)
    shown = await fixture.shown()

    assert (before, after) == ([], ["AL-1"])
    assert (shown.attempt, shown.is_retry, shown.state) == (2, True, TriageState.DONE)


async def test_it_is_not_ranked_again_for_ever(fixture: TriageFixture) -> None:
    await rank(fixture)
    for _ in range(MAX_EARLY + 3):
        await later(fixture, timedelta(minutes=1))

    assert len(await fixture.attempts()) == 1 + MAX_EARLY


async def test_while_it_is_ranked_again_people_read_what_was_found_before(fixture: TriageFixture) -> None:
    await rank(fixture)
    first = await fixture.shown()
    fixture.now += FIRST_WAIT
    (due,) = await fixture.early.due()
    await fixture.triages.open(due.group, due.attempt, "", "")
    meanwhile = await fixture.shown()
    await fixture.triages.update(due.group, due.attempt, state=TriageState.FAILED)
    failed = await fixture.shown()

    assert first.findings and meanwhile.findings == failed.findings == first.findings
    assert (meanwhile.facts, meanwhile.state, failed.state) == (first.facts, TriageState.FACTS, TriageState.FAILED)
    assert meanwhile.urgent_part == first.urgent_part != failed.urgent_part


async def test_what_could_not_be_queried_is_queried_again(fixture: TriageFixture) -> None:
    observed, fixture.observed = fixture.observed, {}
    await rank(fixture, after=timedelta(hours=1))
    blind = await fixture.shown()
    fixture.observed = observed
    retried = await later(fixture)
    shown = await fixture.shown()

    assert blind.facts and "could not be checked" in blind.facts.onset_text
    assert retried == ["AL-1"] and shown.facts and shown.facts.onset is not None
    assert await later(fixture, timedelta(minutes=5)) == []


async def test_what_had_been_measured_stays_where_the_metrics_do_not_answer_the_next_time(fixture: TriageFixture) -> None:
    await rank(fixture)
    first = await fixture.shown()
    fixture.observed = {}
    await later(fixture)
    shown = await fixture.shown()

    assert first.findings and shown.findings and (shown.facts, shown.attempt) == (first.facts, 2)
    assert shown.findings.hypotheses == first.findings.hypotheses
    assert shown.findings.note.startswith("When they were ranked again the metrics did not answer.")


async def test_who_gives_a_hint_has_it_in_hand(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    before = await fixture.early.due()
    await fixture.triages.hint("AL-1", 1, "look at the provider", "alice", key="k")

    assert (len(before), await fixture.early.due()) == (1, [])


async def test_only_so_many_are_ranked_again_at_a_time(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    async with fixture.db.write() as session:
        for number in range(MAX_AT_ONCE):
            session.add(TriageRow(group_id=100 + number, attempt=2, state=TriageState.FACTS, started_at=fixture.now))

    assert await fixture.early.due() == []


async def test_the_next_process_finds_what_this_one_did_not_start(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT

    assert [due.attempt for due in await EarlyRankings(fixture.db, INFOS).due()] == [2]


async def test_what_a_person_asked_or_stopped_or_what_cleared_is_left_alone(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    await fixture.change(cleared_at=fixture.now)
    cleared = await fixture.early.due()
    await fixture.change(cleared_at=None, state=GroupState.MONITORING)
    quiet = await fixture.early.due()
    await fixture.change(state=GroupState.FIRING)
    await Switches(fixture.db).stop("AL-1", "alice")
    stopped = await fixture.early.due()
    await fixture.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await fixture.engine.result("triage:AL-1:2")
    await Switches(fixture.db).resume("AL-1", "alice")

    assert (cleared, quiet, stopped, await later(fixture)) == ([], [], [], [])


async def test_what_is_about_something_new_since_is_not_due_as_too_early(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    await fixture.change(renewed_at=fixture.now, renewed_by=1)

    assert await fixture.early.due() == []


async def test_after_a_new_outage_that_failed_to_be_ranked_nobody_reads_the_causes_of_the_one_before(
    fixture: TriageFixture,
) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    await fixture.change(renewed_at=fixture.now, renewed_by=1)
    await fixture.triages.open("AL-1", 2, "", "")
    await fixture.triages.update("AL-1", 2, state=TriageState.FAILED)
    await fixture.triages.open("AL-1", 3, "", "")
    shown = await fixture.shown()

    assert (shown.attempt, shown.findings, shown.is_retry) == (3, None, False)


async def test_the_first_ranking_of_what_was_left_at_its_facts_is_no_retry(fixture: TriageFixture) -> None:
    await fixture.fires()
    await fixture.triages.open("AL-1", 1, "", "")
    await fixture.triages.update("AL-1", 1, state=TriageState.DONE)
    await fixture.triages.open("AL-1", 2, "", "")

    assert not (await fixture.shown()).is_retry


async def test_somebody_who_approves_or_asks_for_an_action_has_it_in_hand(fixture: TriageFixture) -> None:
    await rank(fixture)
    fixture.now += FIRST_WAIT
    proposal = await fixture.propose("restart")
    waits = await fixture.early.due()
    await fixture.press(proposal.ref, "bob")

    assert ([due.attempt for due in waits], await fixture.early.due()) == ([2], [])


async def test_a_model_is_not_paid_twice_for_the_same_first_cause(fixture: TriageFixture) -> None:
    model = fixture.with_model("checkout")
    await rank(fixture)
    await later(fixture)
    shown = await fixture.shown()

    assert (model.asked, shown.attempt) == (1, 2)
    assert shown.findings and shown.findings.note.startswith("The model was asked in an attempt before")


async def test_an_attempt_that_ends_after_a_newer_one_proposes_nothing(fixture: TriageFixture) -> None:
    await rank(fixture)
    await fixture.told()
    await fixture.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await fixture.engine.result("triage:AL-1:2")
    case = await fixture.triages.open("AL-1", 1, "", "")
    findings = (await fixture.shown()).findings
    assert findings is not None

    assert await fixture.steps.propose(case, findings) == []


@pytest.mark.parametrize(("service", "due"), [("checkout", 1), ("payments", 0)])
async def test_a_likely_cause_of_what_is_new_is_another_than_that_of_the_outage_before(
    fixture: TriageFixture, service: str, due: int
) -> None:
    await rank(fixture)
    for attempt, named in ((1, "checkout"), (2, service)):
        cause = Hypothesis(cause="no memory", kind="resource", service=named, confidence="likely")
        findings = Findings(hypotheses=[cause]).model_dump(mode="json")
        await fixture.triages.update("AL-1", attempt, findings=findings, state=TriageState.DONE, finished_at=fixture.now)
        fixture.now += FIRST_WAIT
        if attempt == 1:
            await fixture.change(renewed_at=fixture.now, renewed_by=1)
            await fixture.triages.open("AL-1", 2, "", "")

    assert len(await fixture.early.due()) == due


async def test_what_does_not_fire_any_more_is_not_ranked_again_while_its_flapping_holds_it_open(fixture: TriageFixture) -> None:
    await rank(fixture)
    await fixture.change(firing=0, flapping="HighErrorRate fired 5 times within 43 min")

    assert (await later(fixture), len(await fixture.attempts())) == ([], 1)
