"""Evidence as rows: what stands there is read as it was written, or shown as a check that failed."""

from datetime import timedelta

from sqlalchemy import update
from sqlmodel import col

from bot.core.actor import Visibility
from bot.core.evidence import Evidence, missed
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.store.tables import EvidenceRow, GroupRow
from bot.store.triage.gaps import failed_checks
from bot.store.triage.ledger import EvidenceLedger
from bot.store.triage.triage import Triages
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.evidence_builders import deviation


async def record(fixture: ApprovalsFixture) -> Evidence:
    facts = EvidenceFacts(deviations=(deviation("checkout", "errors", 0.1, 0.2).as_fact(),), beyond=())
    evidence = Evidence(summary="checkout errors rose", query="up", facts=facts)
    await EvidenceLedger(fixture.db).record("AL-1", "a_tool", {"service": "checkout"}, "a", evidence)
    return evidence


async def test_evidence_is_read_as_it_was_recorded(fixture: ApprovalsFixture) -> None:
    recorded = await record(fixture)

    (entry,) = await EvidenceLedger(fixture.db).entries("AL-1")

    assert entry.evidence == recorded


async def test_evidence_that_cannot_be_read_is_a_failed_check_and_never_no_deviation(fixture: ApprovalsFixture) -> None:
    recorded = (await record(fixture)).model_dump(mode="json")
    recorded["facts"]["deviatons"] = recorded["facts"].pop("deviations")
    async with fixture.db.write() as session:
        await session.exec(update(EvidenceRow).where(col(EvidenceRow.n) == 1).values(evidence=recorded))

    (entry,) = await EvidenceLedger(fixture.db).entries("AL-1")

    assert (entry.id, entry.evidence.ok) == ("E1", False)
    assert "could not be read (evidence.facts.deviatons" in missed([entry])[0]


async def test_a_call_with_wrong_arguments_is_no_gap(fixture: ApprovalsFixture) -> None:
    for call, wrong in (("a", True), ("b", False)):
        failed = Evidence(summary=f"failed {call}", query="", ok=False, facts=EvidenceFacts(invalid_query=wrong))
        await EvidenceLedger(fixture.db).record("AL-1", "a_tool", {}, call, failed)

    assert [check.summary for check in await failed_checks(fixture.db, fixture.now, {Visibility("C1")})] == ["failed b"]


async def test_what_was_recorded_of_an_outage_before_is_no_evidence_on_the_present_one(fixture: ApprovalsFixture) -> None:
    await record(fixture)
    fixture.pass_time(minutes=5)
    async with fixture.db.write() as session:
        await session.exec(update(GroupRow).where(col(GroupRow.id) == 1).values(renewed_at=fixture.now))
    await EvidenceLedger(fixture.db).record("AL-1", "a_tool", {}, "b", Evidence(summary="normal again", query="up"))

    assert [entry.id for entry in await EvidenceLedger(fixture.db).entries("AL-1")] == ["E2"]
    assert (await EvidenceLedger(fixture.db).entry("AL-1", 1)).evidence.summary == "checkout errors rose", (
        "people can still read it"
    )


async def test_what_a_running_attempt_recorded_counts_though_the_group_is_renewed_meanwhile(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    await record(fixture)
    fixture.now += timedelta(seconds=2)
    async with fixture.db.write() as session:
        await session.exec(update(GroupRow).where(col(GroupRow.id) == 1).values(renewed_at=fixture.now))

    running = await triages.ledger.entries("AL-1")
    await triages.update("AL-1", 1, state="done")

    assert [entry.id for entry in running] == ["E1"]
    assert await triages.ledger.entries("AL-1") == []
