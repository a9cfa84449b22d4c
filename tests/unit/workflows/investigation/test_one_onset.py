"""One outage has one onset, however often its causes are ranked: better data dates it earlier, and nothing later."""

from datetime import timedelta

import pytest

from bot.core.evidence import Findings
from bot.core.investigation.early_ranking import FIRST_WAIT
from bot.core.messages.triage_summary import summarize
from bot.core.text.moments import clock
from bot.store.answers.questions import Questions
from tests.unit.tools.tool_fixture import ERRORS, INFOS, NO_KUBERNETES, ONSET, Step
from tests.unit.workflows.investigation.triage_fixture import TriageFixture

LATER = timedelta(seconds=40)


@pytest.fixture
def fixture(before_any_alert: TriageFixture) -> TriageFixture:
    return before_any_alert


async def rank_twice(fixture: TriageFixture, first: timedelta, second: timedelta) -> None:
    """Two attempts at one outage, which measure its onset so long after ONSET."""
    fixture.alert_at = fixture.now - timedelta(seconds=5)
    await fixture.fires()
    fixture.observed = {ERRORS: Step(0.001, 0.3, began_at=ONSET + first), **NO_KUBERNETES}
    await fixture.rank()
    fixture.observed = {ERRORS: Step(0.001, 0.3, began_at=ONSET + second), **NO_KUBERNETES}
    fixture.now += FIRST_WAIT
    assert await fixture.tick(settle=False) == ["AL-1"]


@pytest.mark.parametrize(("first", "second"), [(timedelta(0), LATER), (LATER, timedelta(0))])
async def test_its_message_says_the_earlier_of_the_onsets_that_two_attempts_measured(
    fixture: TriageFixture, first: timedelta, second: timedelta
) -> None:
    await rank_twice(fixture, first, second)

    shown = await fixture.shown()
    assert shown.attempt == 2 and shown.facts is not None and shown.findings is not None
    assert shown.facts.onset == shown.findings.onset == ONSET
    assert summarize(shown).broke.startswith(f"checkout left the normal range at {clock(ONSET)}: errors")


async def test_an_answer_says_the_onset_that_the_message_says(fixture: TriageFixture) -> None:
    fixture.alert_at = fixture.now - timedelta(seconds=5)
    await fixture.fires()
    await fixture.rank()
    ranked_by = ONSET - LATER
    await fixture.triages.update("AL-1", 1, findings=Findings(onset=ranked_by).model_dump(mode="json"))

    facts = await Questions(fixture.db, tools=INFOS).facts_of_group("AL-1")
    assert clock(ranked_by) in facts.onset


async def test_an_answer_about_a_new_outage_cites_nothing_that_was_measured_of_the_one_before(fixture: TriageFixture) -> None:
    fixture.alert_at = fixture.now - timedelta(seconds=5)
    await fixture.fires()
    await fixture.rank()
    before = await fixture.triages.ledger.entries("AL-1")
    fixture.now += timedelta(minutes=5)
    await fixture.change(renewed_at=fixture.now, renewed_by=1)
    await fixture.engine.start("triage", "triage:AL-1:2", "AL-1", 2)
    await fixture.engine.result("triage:AL-1:2")

    facts = await Questions(fixture.db, tools=INFOS).facts_of_group("AL-1")
    assert before and facts.ledger and not {entry.id for entry in before} & {entry.id for entry in facts.ledger}
