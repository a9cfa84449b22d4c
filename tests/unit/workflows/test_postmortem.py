"""Which incidents get a draft by themselves, where it stands, and what a workflow that fails leaves behind."""

from typing import Any

from bot.commands.postmortem import postmortem as regenerate
from bot.core.action import ProposalState
from bot.core.evidence import Evidence
from bot.plugins import Request
from bot.settings import catalogue_of
from bot.store.answers.postmortems import OUTCOME_WITHIN, Postmortems
from bot.store.answers.questions import Questions
from bot.store.incidents import incidents
from bot.store.tables import AttemptRow, GroupRow, IncidentRow, MessageRow, PostmortemRow, ProposalRow
from bot.store.triage.ledger import EvidenceLedger
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext
from bot.workflows.failure_recovery import MAX_ATTEMPTS, FailureRecovery
from bot.workflows.postmortem import PostmortemSteps, start_due_drafts
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.readers import everything_public


class Started:
    """An engine that only keeps what was started."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, ...]] = []

    async def start(self, workflow: str, id: str, *args: Any) -> None:
        self.runs.append((id, *args))


async def wanted(fixture: ApprovalsFixture) -> list[str]:
    engine: Any = Started()
    await start_due_drafts(Postmortems(fixture.db), engine)
    return [id for id, *_ in engine.runs]


async def change(fixture: ApprovalsFixture, table: Any, **values: Any) -> None:
    async with fixture.db.write() as session:
        row = await session.get(table, 1)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


async def draft(fixture: ApprovalsFixture, n: int) -> str:
    """Write draft `n` and read it."""
    drafts = Postmortems(fixture.db)
    await PostmortemSteps(drafts, Triages(fixture.db), catalogue_of(fixture.config), None, lambda _graph: b"").write(
        "INC-1", n, None
    )
    written = await drafts.newest("INC-1")
    assert written is not None and written.n == n
    return written.markdown


async def resolved_while_verifying(fixture: ApprovalsFixture) -> None:
    """AP-1 runs and its signal is watched when a person resolves the incident."""
    await fixture.propose("restart")
    # Its workflow waits for an answer; what follows is written by hand, and the workflow must not go on from it.
    await fixture.engine.stop(within=5)
    await change(fixture, ProposalRow, state=ProposalState.VERIFYING)
    await incidents.resolve(fixture.db, "INC-1", "alice")


async def ended(fixture: ApprovalsFixture, state: ProposalState, verification: str) -> None:
    await change(fixture, ProposalRow, state=state, verification=verification, changed_at=fixture.now)


async def test_the_draft_of_an_incident_that_was_resolved_while_an_action_was_verified_tells_its_outcome(
    fixture: ApprovalsFixture,
) -> None:
    await resolved_while_verifying(fixture)
    assert await wanted(fixture) == []
    fixture.pass_time(seconds=20)
    await ended(fixture, ProposalState.SUCCEEDED, "recovered: errors at 0.001")

    assert await wanted(fixture) == ["postmortem:INC-1:1"]
    assert "succeeded (errors at 0.001)." in await draft(fixture, 1)
    assert await wanted(fixture) == []


async def test_a_draft_waits_only_so_long_and_is_written_anew_once_the_outcome_is_known(fixture: ApprovalsFixture) -> None:
    await resolved_while_verifying(fixture)
    fixture.pass_time(seconds=OUTCOME_WITHIN.total_seconds())
    assert await wanted(fixture) == ["postmortem:INC-1:1"]
    assert "verifying" in await draft(fixture, 1)
    assert await wanted(fixture) == []

    await ended(fixture, ProposalState.NOT_RECOVERED, "not recovered: errors at 0.3")

    assert await wanted(fixture) == ["postmortem:INC-1:2"]
    assert "not recovered (errors at 0.3)." in await draft(fixture, 2)
    assert await wanted(fixture) == []


async def test_a_new_draft_that_could_not_be_written_is_not_tried_again_by_itself(fixture: ApprovalsFixture) -> None:
    await resolved_while_verifying(fixture)
    fixture.pass_time(seconds=OUTCOME_WITHIN.total_seconds())
    await draft(fixture, 1)
    await ended(fixture, ProposalState.SUCCEEDED, "recovered")
    await Postmortems(fixture.db).failed("INC-1", 2, "a bug")

    assert await wanted(fixture) == []
    assert await Postmortems(fixture.db).next_number("INC-1") == 3


async def test_a_draft_of_a_version_that_did_not_keep_what_it_tells_is_left_as_it_is(fixture: ApprovalsFixture) -> None:
    await resolved_while_verifying(fixture)
    fixture.pass_time(seconds=OUTCOME_WITHIN.total_seconds())
    await draft(fixture, 1)
    await change(fixture, PostmortemRow, proposal_states=None)
    await ended(fixture, ProposalState.SUCCEEDED, "recovered")

    assert await wanted(fixture) == []


async def test_a_draft_of_the_middle_of_an_incident_is_not_its_last(fixture: ApprovalsFixture) -> None:
    drafts = Postmortems(fixture.db)
    await drafts.save("INC-1", 1, [], "")
    fixture.pass_time(minutes=5)
    await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await wanted(fixture) == ["postmortem:INC-1:2"]
    await drafts.save("INC-1", 2, [], "")
    assert await wanted(fixture) == []


async def test_a_small_incident_with_an_action_on_its_group_deserves_a_draft(fixture: ApprovalsFixture) -> None:
    await change(fixture, IncidentRow, severity="SEV3")
    await change(fixture, GroupRow, incident_id=None)
    await fixture.propose("restart")
    await change(fixture, GroupRow, incident_id=1)
    async with fixture.db.write() as session:
        session.add(AttemptRow(proposal_id=1, idempotency_key="k", state="done", at=fixture.now))
    await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await wanted(fixture) == ["postmortem:INC-1:1"]


async def test_a_small_incident_in_which_nothing_ran_deserves_none(fixture: ApprovalsFixture) -> None:
    await change(fixture, IncidentRow, severity="SEV3")
    await fixture.propose("restart")
    await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await wanted(fixture) == []


async def test_the_draft_of_a_group_on_a_storm_card_stands_in_the_storms_thread(fixture: ApprovalsFixture) -> None:
    await change(fixture, GroupRow, on_storm_card="storm:C1:1")
    await Postmortems(fixture.db).save("INC-1", 1, [], "")

    assert [(row.key, row.thread_key) for row in await fixture.rows(MessageRow)] == [("postmortem:INC-1", "storm:C1:1")]


async def test_a_draft_that_fails_is_tried_again_and_then_told(fixture: ApprovalsFixture) -> None:
    engine: Any = Started()
    recovery = FailureRecovery()
    recovery.attach(engine, Triages(fixture.db), Postmortems(fixture.db), fixture.approvals, Questions(fixture.db))
    await recovery.failure("postmortem", "postmortem:INC-1:1", "a bug")
    await recovery.failure("postmortem", f"postmortem:INC-1:{MAX_ATTEMPTS}", "a bug")

    assert engine.runs == [("postmortem:INC-1:2", "INC-1", 2)]
    assert "could not be written" in (await fixture.rows(MessageRow))[0].subject


async def test_drafts_that_failed_have_used_up_their_numbers_and_stand_nowhere(fixture: ApprovalsFixture) -> None:
    drafts = Postmortems(fixture.db)
    await incidents.resolve(fixture.db, "INC-1", "alice")
    await drafts.failed("INC-1", MAX_ATTEMPTS, "a bug")
    await drafts.failed("INC-1", MAX_ATTEMPTS, "a bug, told twice")

    assert (await drafts.newest("INC-1"), await drafts.next_number("INC-1")) == (None, MAX_ATTEMPTS + 1)
    assert len(await fixture.rows(PostmortemRow)) == 1 and await wanted(fixture) == []


async def test_regenerate_after_drafts_that_failed_is_a_new_try(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    await Postmortems(fixture.db).failed("INC-1", MAX_ATTEMPTS, "a bug")
    engine: Any = Started()
    ctx = CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=engine, clock=lambda: fixture.now,
        verbs={}, approvals=fixture.approvals, usergroup=fixture.usergroup,
        read_access=everything_public(fixture.db),
    )  # fmt: skip

    asked = Request(verb="postmortem", actor=actor("alice"), channel="C1", entry_point="button", ref="INC-1", text="regenerate")
    reply: Any = await regenerate.fn(ctx, asked)

    assert engine.runs == [(f"postmortem:INC-1:{MAX_ATTEMPTS + 1}", "INC-1", MAX_ATTEMPTS + 1)]
    assert f"Writing draft {MAX_ATTEMPTS + 1} of INC-1" in reply.text


async def test_a_triage_that_is_attempted_anew_answers_the_same_question(fixture: ApprovalsFixture) -> None:
    engine: Any = Started()
    recovery = FailureRecovery()
    recovery.attach(engine, Triages(fixture.db), Postmortems(fixture.db), fixture.approvals, Questions(fixture.db))
    await Triages(fixture.db).open("AL-1", 2, "is it the cache?", "alice")
    await recovery.mismatch("triage", "triage:AL-1:2", "renamed steps")

    assert engine.runs == [("triage:AL-1:3", "AL-1", 3, "is it the cache?", "alice")]


async def test_a_draft_lists_what_a_look_saw_only_in_part(fixture: ApprovalsFixture) -> None:
    partly = Evidence(summary="No change on any service", query="", unseen=("Argo CD: HTTP 403",))
    await EvidenceLedger(fixture.db).record("AL-1", "recent_changes", {}, "facts:1", partly)

    text = await draft(fixture, 1)

    assert "Argo CD: HTTP 403" in text and "Every check that was made could be made" not in text
