"""Closed incidents become cases, and once a week the team is told how right the answers were."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.evidence import Evidence, Findings, Hypothesis, Lead
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.history.past_incidents import ConfirmedCause
from bot.store.incidents import causes, incidents
from bot.store.tables import MessageRow
from bot.store.triage.frozen_cases import Cases
from bot.store.triage.ledger import EvidenceLedger
from bot.store.triage.triage import Triages
from bot.workflows.investigation.learning import LeadRecord, LearningTick, graded_leads
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.builders import NOW

FOUND = Findings(hypotheses=[Hypothesis(cause="deploy 2", service="checkout", confidence="likely")])


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    """INC-1 was triaged: one look, one cause. NOW is a Sunday."""
    fixture = await open_approvals(tmp_path)
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    evidence = Evidence(summary="errors rose", query="up", facts=EvidenceFacts(files=("password=hunter22secret",)))
    await triages.ledger.record("AL-1", "service_health", {"service": "checkout"}, "a", evidence)
    found = FOUND.model_dump(mode="json")
    await triages.update("AL-1", 1, findings=found, state="done", finished_at=fixture.now)
    yield fixture
    await fixture.close()


async def tick(fixture: ApprovalsFixture) -> list[str]:
    """Go round once: what stands frozen then."""
    await LearningTick(Cases(fixture.db), "C0")()
    return [f"{case.ref} {case.confirmed.text}" for case in await Cases(fixture.db).all()]


async def lines(fixture: ApprovalsFixture) -> list[tuple[str, str]]:
    return [(row.channel, row.subject) for row in await fixture.rows(MessageRow) if row.key.startswith("line:accuracy")]


def said(fixture: ApprovalsFixture, text: str) -> ConfirmedCause:
    return ConfirmedCause(text=text, service="checkout", confirmed_by="alice", at=fixture.now)


async def test_a_closed_incident_is_frozen_once_its_cause_is_confirmed(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    before = await tick(fixture)
    await causes.confirm(fixture.db, "INC-1", said(fixture, "bad deploy"))

    assert (before, await tick(fixture)) == ([], ["INC-1 bad deploy"])


async def test_a_case_holds_what_was_asked_seen_and_answered_without_secrets(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")
    await tick(fixture)
    (case,) = await Cases(fixture.db).all()

    assert (case.case.group, case.findings) == ("AL-1", FOUND)
    assert [(entry.tool, entry.evidence.summary) for entry in case.entries] == [("service_health", "errors rose")]
    assert "hunter22secret" not in case.model_dump_json()


async def test_what_was_seen_after_the_answer_is_no_part_of_the_case(fixture: ApprovalsFixture) -> None:
    fixture.pass_time(hours=1)
    await EvidenceLedger(fixture.db).record("AL-1", "service_health", {}, "later", Evidence(summary="all is well", query=""))
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")
    await tick(fixture)

    assert [entry.evidence.summary for entry in (await Cases(fixture.db).all())[0].entries] == ["errors rose"]


async def test_a_corrected_cause_freezes_the_case_anew_and_nothing_else_does(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")
    await tick(fixture)
    settled = await Cases(fixture.db).due_incidents()
    fixture.pass_time(minutes=1)
    await causes.confirm(fixture.db, "INC-1", said(fixture, "full disk"))

    assert (settled, await tick(fixture)) == ([], ["INC-1 full disk"])


async def test_an_incident_that_was_never_ranked_is_no_case(fixture: ApprovalsFixture) -> None:
    await Triages(fixture.db).update("AL-1", 1, findings={})
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")

    assert await tick(fixture) == [] and await Cases(fixture.db).due_incidents() == []


async def test_the_week_is_told_once_on_monday_morning(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    await causes.confirm(fixture.db, "INC-1", said(fixture, "bad deploy"))
    await tick(fixture)
    sunday = await lines(fixture)
    fixture.now = NOW.replace(hour=8) + timedelta(days=1)
    for _ in range(2):
        await tick(fixture)

    right = "1 incident: 1 right first; of 1 called likely 1 was right"
    week = f"How right Tocsin was in the week from 2026-02-23: {right}. Over 12 weeks: {right}."
    assert sunday == []
    assert await lines(fixture) == [("C0", week)]
    assert [row.wanted_rev for row in await fixture.rows(MessageRow) if row.key.startswith("line:accuracy")] == [1]


async def test_a_week_in_which_nothing_was_confirmed_is_not_told(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    fixture.pass_time(days=2)
    await tick(fixture)

    assert await lines(fixture) == []


LED = FOUND.model_copy(update={"lead": Lead(basis="measured", distance=1.5, probability=0.95)})


def test_a_lead_is_graded_by_the_service_that_a_person_confirmed() -> None:
    cause = ConfirmedCause(text="bad deploy", service="checkout", confirmed_by="alice", at=NOW)
    other, unknown = cause.model_copy(update={"service": "cart"}), cause.model_copy(update={"service": ""})

    graded = graded_leads([(LED, cause), (LED, other), (LED, unknown), (FOUND, cause)])

    assert [(lead.basis, lead.distance, lead.right) for lead in graded] == [("measured", 1.5, True), ("measured", 1.5, False)]


def test_an_innocent_deploy_of_the_right_service_was_no_right_lead() -> None:
    blamed = LED.model_copy(update={"hypotheses": [LED.hypotheses[0].model_copy(update={"change_id": "ci:2"})]})
    words = ConfirmedCause(text="bad", service="checkout", confirmed_by="alice", at=NOW)
    same, other = (words.model_copy(update={"kind": "change", "change_id": id}) for id in ("ci:2", "ci:1"))
    full = words.model_copy(update={"kind": "resource"})

    graded = [graded_leads([(blamed, cause)])[0].right for cause in (words, same, other, full)]
    assert graded == [True, True, False, False]


def test_a_cause_that_the_model_named_says_nothing_of_the_analyst_s_lead() -> None:
    cause = ConfirmedCause(text="bad deploy", service="checkout", confirmed_by="alice", at=NOW)
    by_model = Hypothesis(cause="a bad deploy", service="cart", named_by="agent")
    merged = LED.model_copy(update={"by": "agent", "hypotheses": [by_model, *LED.hypotheses]})
    merged.hypotheses[1] = merged.hypotheses[1].model_copy(update={"named_by": "analyst"})

    assert [lead.right for lead in graded_leads([(merged, cause)])] == [True]


async def test_the_record_of_leads_grows_with_each_confirmed_cause(fixture: ApprovalsFixture) -> None:
    await Triages(fixture.db).update("AL-1", 1, findings=LED.model_dump(mode="json"))
    await incidents.resolve(fixture.db, "INC-1", "alice")
    before = await LeadRecord(Cases(fixture.db)).newest()
    await causes.confirm(fixture.db, "INC-1", said(fixture, "bad deploy"))
    await tick(fixture)
    fixture.now += timedelta(minutes=1)

    assert (before, [lead.right for lead in await LeadRecord(Cases(fixture.db)).newest()]) == ((), [True])
