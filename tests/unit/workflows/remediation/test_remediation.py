"""The remediation, from the proposal to the verified outcome."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from bot.core.action import DryRun, Tier
from bot.core.alert import Severity
from bot.core.approvals.request import plan_text
from bot.core.errors import ActionFailed, NotAllowed, OutcomeUnknown
from bot.core.evidence import Findings, Hypothesis
from bot.engine.direct import DirectEngine
from bot.ports import Run
from bot.slack.view_context import ViewContext
from bot.slack.views import proposal as view
from bot.store.approvals.switches import Switches
from bot.store.db.database import DatabaseUnavailable
from bot.store.incidents import incidents
from bot.store.slack.message_contents import proposal_content
from bot.store.tables import ChangeRow, MessageRow, PageRow, ProposalRow
from bot.workflows.remediation.by_hand import ManualRuns
from bot.workflows.remediation.remediation import RemediationSteps, remediation
from tests.messages.words import text_of
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture, actor, open_approvals


async def approve(fixture: ApprovalsFixture, ref: str, who: str = "bob", revision: int = 1) -> str:
    return (await fixture.approve(ref, who, revision=revision)).text


async def test_an_approved_action_runs_once_and_recovers(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")

    reply = await approve(fixture, proposal.ref)

    assert reply == f"Approved: {proposal.ref} starts now."
    assert await fixture.ended(proposal.ref, seconds=1) == "succeeded"
    assert [call["url"] for call in fixture.http.sent] == ["http://jobs.example/restart"]


async def test_a_fix_that_does_not_help_offers_the_undo(fixture: ApprovalsFixture) -> None:
    fixture.metrics.values["errors"] = 0.4
    proposal = await fixture.propose("restart")
    await approve(fixture, proposal.ref)

    assert await fixture.ended(proposal.ref, seconds=1) == "not recovered"
    back = await fixture.store.load("AP-2")
    assert (back.action, back.state) == ("rollforward", "pending")


async def test_what_undoes_an_action_is_said_as_its_title_says_it(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")

    async with fixture.db.read() as session:
        content = await proposal_content(session, proposal.ref)
    assert content is not None
    card = text_of(view.render(content, ViewContext())[1])
    assert "can be undone: Rollforward checkout" in card and "tier 1, undo: Rollforward checkout" in plan_text(proposal)
    assert "rollforward" not in card + plan_text(proposal)


async def test_a_dead_prometheus_is_never_recovered(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    fixture.metrics.values["errors"] = None
    await approve(fixture, proposal.ref)

    assert await fixture.ended(proposal.ref, seconds=1) == "could not verify"


@pytest.mark.parametrize(("before", "told"), [(0.001, True), (0.3, False), (None, False)])
async def test_a_signal_that_was_well_before_the_call_is_told_as_such(
    fixture: ApprovalsFixture, before: float | None, told: bool
) -> None:
    fixture.metrics.past["errors"] = before
    proposal = await fixture.propose("restart")
    await approve(fixture, proposal.ref)
    await fixture.ended(proposal.ref, seconds=1)

    assert (await fixture.store.load(proposal.ref)).verification.endswith(", as before it ran") is told


async def test_a_run_of_an_action_without_a_signal_to_watch_is_called_neither_recovered_nor_not(tmp_path: Path) -> None:
    unwatched = {name: value for name, value in CONFIG["actions"]["restart"].items() if name != "verify"}
    fixture = await open_approvals(tmp_path, {"actions": {**CONFIG["actions"], "restart": unwatched}})
    try:
        proposal = await fixture.propose("restart")
        await approve(fixture, proposal.ref, "bob")
        await approve(fixture, proposal.ref, "owner")

        assert await fixture.ended(proposal.ref, seconds=1) == "could not verify"
        assert len(fixture.http.sent) == 1
    finally:
        await fixture.close()


async def test_an_undo_was_asked_for_by_who_asked_for_what_it_takes_back(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("rollback", requester="alice")
    await fixture.approve(proposal.ref, reason="it broke")
    fixture.metrics.values["errors"] = 0.4
    await fixture.ended(proposal.ref, seconds=1)

    refused = await fixture.press("AP-2", "alice", reason="back again")

    assert (await fixture.store.load("AP-2")).all_requesters == {"alice"}
    assert (refused.counted, refused.rule) == (False, "requester")
    assert (await fixture.press("AP-2", "bob", reason="back again")).counted


async def test_a_plan_that_no_card_shows_whole_is_approved_by_nobody(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.revise(proposal.ref, DryRun(ok=True, text="x" * 3000, targets={"checkout-pods": "2"}), Tier.ONE)

    refused = await fixture.press(proposal.ref, "bob", revision=2)

    assert (refused.counted, refused.rule) == (False, "no button")


async def test_the_right_to_run_is_asked_for_once_more_before_the_call(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    assert (await fixture.claim(proposal.ref)).granted

    fixture.pass_time(minutes=3)

    assert (await fixture.attempt(proposal.ref)).permission == "refused"
    assert (await fixture.store.load(proposal.ref)).state == "stale"


async def test_a_lost_answer_is_unknown_and_never_repeated(fixture: ApprovalsFixture) -> None:
    fixture.http.answer = OutcomeUnknown("the answer was lost.")
    proposal = await fixture.propose("restart")
    await approve(fixture, proposal.ref)

    assert await fixture.ended(proposal.ref, seconds=1) == "unknown"
    assert await fixture.execute(proposal.ref, "w2") == "unknown"
    assert len(fixture.http.sent) == 1


async def test_a_replay_after_a_crash_in_the_call_asks_a_person(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    await fixture.claim(proposal.ref, "w1")
    await fixture.attempt(proposal.ref, "w1")

    assert await fixture.execute(proposal.ref, "w1") == "unknown"
    assert fixture.http.sent == []


async def with_unknown_outcome(fixture: ApprovalsFixture, entry: str = "restart") -> str:
    """A proposal of which nobody knows whether it ran."""
    fixture.http.answer = OutcomeUnknown("the answer was lost.")
    proposal = await fixture.propose(entry)
    await approve(fixture, proposal.ref)
    assert await fixture.ended(proposal.ref, seconds=1) == "unknown"
    return proposal.ref


async def test_who_says_that_an_unknown_run_took_place_does_not_approve_the_way_back(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture, "rollback")
    fixture.metrics.values["errors"] = 0.4
    await ManualRuns(fixture.approvals).answer_unknown(ref, actor("alice"), ran=True)
    await fixture.ended_as(f"remediation:{ref}:ran", seconds=1)

    back = await fixture.store.load("AP-2")
    own, other = await fixture.approve("AP-2", "alice"), await fixture.approve("AP-2", "bob")

    assert (back.action, back.all_requesters) == ("rollforward", {"alice"})
    assert (own.counted, other.counted) == (False, True)


async def test_who_knows_that_it_ran_has_it_watched_on_the_same_card(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture)

    said = await ManualRuns(fixture.approvals).answer_unknown(ref, actor("alice"), ran=True)

    assert said == "Recorded on AP-1: it ran. Its signal is being watched."
    assert await fixture.ended_as(f"remediation:{ref}:ran", seconds=1) == "succeeded"
    assert len(await fixture.rows(ProposalRow)) == 1 and len(fixture.http.sent) == 1
    assert (await fixture.store.load(ref)).outcome == "the answer was lost. alice checked: it ran."


async def test_who_knows_that_it_did_not_run_ends_it_and_the_next_answer_changes_nothing(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture)

    await ManualRuns(fixture.approvals).answer_unknown(ref, actor("alice"), ran=False)
    late = await ManualRuns(fixture.approvals).answer_unknown(ref, actor("bob"), ran=True)

    assert (await fixture.store.load(ref)).state == "failed" and len(fixture.http.sent) == 1
    assert "AP-1 is failed" in late and "alice checked: it did not run." in late


async def test_only_the_rostered_say_what_came_of_it(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture)

    with pytest.raises(NotAllowed):
        await ManualRuns(fixture.approvals).answer_unknown(ref, actor("mallory"), ran=True)

    assert (await fixture.store.load(ref)).state == "unknown"


async def test_what_a_person_knew_is_watched_also_if_the_process_died_then(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture)
    await fixture.store.answer_unknown(ref, "alice", ran=True)

    await fixture.approvals.resume()

    assert await fixture.ended_as(f"remediation:{ref}:ran", seconds=1) == "succeeded"


async def test_a_target_that_moved_since_the_approval_gets_a_new_proposal(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    fixture.metrics.values["pods"] = 40
    await fixture.approvals.wake_all([proposal.ref], "test")

    assert await fixture.ended(proposal.ref, seconds=1) == "superseded"
    assert fixture.http.sent == []
    assert (await fixture.store.load("AP-2")).targets == {"checkout-pods": "40"}


async def test_what_was_changed_in_the_database_is_neither_run_nor_proposed_anew(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    async with fixture.db.write() as session:
        row = await session.get(ProposalRow, 1)
        assert row is not None
        row.record = {**row.record, "arguments": {"parameters": {"replicas": "99"}}}
    await fixture.approvals.wake_all([proposal.ref], "test")

    assert await fixture.ended(proposal.ref, seconds=1) == "stopped"
    assert len(await fixture.rows(ProposalRow)) == 1


async def test_a_press_on_a_card_whose_world_changed_is_answered_with_the_new_revision(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    fixture.metrics.values["pods"] = 40

    reply = await approve(fixture, proposal.ref)

    assert "revision 2" in reply
    assert await fixture.state(proposal.ref) == "pending"


async def test_stop_halts_what_was_approved_and_has_not_begun(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    halted = await Switches(fixture.db).stop("AL-1", "mallory")
    await fixture.approvals.wake_all(halted, "stop")

    assert await fixture.ended(proposal.ref, seconds=1) == "stopped"
    assert fixture.http.sent == []


async def test_an_undecided_proposal_is_reminded_once_and_expires(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")

    assert await fixture.ended(proposal.ref, minutes=1) == "expired"
    assert (await fixture.engine.journal(f"remediation:{proposal.ref}")).count("remind") == 1


async def test_what_waits_for_people_outlives_the_end_of_another_incident(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    other = await incidents.declare(
        fixture.db, title="Search is slow", severity=Severity.SEV2, service="search", channel="C1", by="alice"
    )
    await incidents.resolve(fixture.db, other.ref, "alice")

    assert await fixture.state(proposal.ref) == "pending"


async def test_what_waits_for_people_ends_with_its_incident_and_is_not_reminded_of(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await fixture.ended(proposal.ref, minutes=1) == "expired"
    assert (await fixture.store.load(proposal.ref)).outcome == "The incident closed."
    assert [row.kind for row in await fixture.rows(MessageRow) if row.kind == "line"] == []


async def test_a_workflow_that_fails_while_it_watches_says_that_it_could_not_verify(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    await fixture.claim(proposal.ref, "w1")
    await fixture.execute(proposal.ref, "w1")

    assert await fixture.claims.give_up(proposal.ref, "the workflow failed") == "could not verify"


@pytest.mark.parametrize(("claimed", "state"), [(False, "stale"), (True, "unknown")])
async def test_what_a_failed_workflow_left_open_ends_at_the_next_start(
    fixture: ApprovalsFixture, claimed: bool, state: str
) -> None:
    async def fails(_run: Run, _ref: str) -> str:
        raise DatabaseUnavailable("away for too long")

    fixture.engine.register("remediation", fails)
    proposal = await fixture.propose("restart")
    if claimed:
        await fixture.press(proposal.ref, "bob")
        await fixture.claim(proposal.ref)
        await fixture.attempt(proposal.ref)

    await fixture.approvals.resume()

    assert await fixture.state(proposal.ref) == state


@pytest.mark.parametrize(("attempted", "state"), [(False, "stale"), (True, "unknown")])
async def test_what_had_begun_before_the_journal_was_lost_does_not_stand_as_running_for_ever(
    tmp_path: Path, attempted: bool, state: str
) -> None:
    before = await open_approvals(tmp_path)
    proposal = await before.propose("restart")
    await before.press(proposal.ref, "bob")
    await before.claim(proposal.ref)
    if attempted:
        await before.attempt(proposal.ref)
    await before.close()

    after = ApprovalsFixture(before.db.url)
    await after.approvals.resume()

    assert await after.ended(proposal.ref, seconds=1) == await after.state(proposal.ref) == state
    assert after.http.sent == []
    await after.close()


async def test_an_action_that_was_configured_anew_after_the_claim_is_not_run(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    await fixture.claim(proposal.ref, "w1")
    entry = fixture.config.actions["restart"].model_copy(update={"url": "http://other.example/restart"})
    fixture.executor.config = fixture.config.model_copy(update={"actions": {**fixture.config.actions, "restart": entry}})

    assert await fixture.execute(proposal.ref, "w1") == "stale"
    assert fixture.http.sent == []


async def test_a_run_that_waits_for_another_is_given_up_only_when_its_approval_is_stale(fixture: ApprovalsFixture) -> None:
    other = await fixture.propose("rollback", key="k0", requester="alice", change_id="", parameters={"a": "b"})
    async with fixture.db.write() as session:
        row = await session.get(ProposalRow, 1)
        assert row is not None
        row.state = "executing"
    waiting = await fixture.propose("restart")
    await approve(fixture, waiting.ref)
    for number in range(60):
        await fixture.engine.wake(f"remediation:{waiting.ref}", "decision", key=str(number))

    assert other.ref == "AP-1"
    assert await fixture.ended(waiting.ref, seconds=1) == "stale"


async def test_a_row_that_was_changed_after_it_ran_is_not_said_to_be_not_run(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    await fixture.claim(proposal.ref, "w1")
    await fixture.execute(proposal.ref, "w1")
    await fixture.tampered(proposal.ref)

    assert await fixture.state(proposal.ref) == "verifying"
    assert [page.summary for page in await fixture.rows(PageRow)] == [
        "AP-1 was changed in the database after it was put to people; it is verifying already"
    ]


async def test_what_lapsed_is_put_to_people_again_by_the_next_triage_and_what_they_denied_is_not(
    fixture: ApprovalsFixture,
) -> None:
    async def fit() -> str:
        cause = Hypothesis(cause="d1", kind="change", change_id="d1", confidence="likely", service="checkout")
        return (await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[cause]), "")).ref

    async with fixture.db.write() as session:
        seen = {"version": "2", "previous_version": "1", "received_at": fixture.now}
        session.add(ChangeRow(id="d1", at=fixture.now, service="checkout", kind="deploy", title="v2", **seen))
    first, known = await fit(), await fit()
    fixture.pass_time(minutes=61)
    await fixture.store.expire("AP-1")
    again = await fit()
    await fixture.press("AP-2", "bob", "deny", reason="no")

    assert (first, known, again, await fit()) == ("AP-1", "AP-1", "AP-2", "AP-2")


async def test_a_remedy_that_fits_and_may_not_be_put_to_people_is_named_with_the_rule(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        session.add(
            ChangeRow(
                id="d1", service="checkout", kind="deploy", title="2", at=fixture.now, version="2", received_at=fixture.now
            )
        )
    await Switches(fixture.db).pause("alice", "strange")
    cause = Hypothesis(cause="d1", kind="change", change_id="d1", confidence="likely", service="checkout")

    fitted = await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[cause]), "")

    assert fitted.ref == "" and fitted.none is not None and not fitted.none.none_fits
    assert fitted.none.why.startswith("rollback fits and was not proposed: All automated actions are paused")


async def test_what_was_run_by_hand_is_verified_the_same_way(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    manual = await ManualRuns(fixture.approvals).record(proposal.ref, actor("alice"), service="checkout")

    assert await fixture.ended(manual.ref, seconds=1) == "succeeded"
    assert (await fixture.state(proposal.ref), fixture.http.sent) == ("superseded", [])


async def test_an_argument_that_the_card_would_mask_is_put_to_nobody(fixture: ApprovalsFixture) -> None:
    with pytest.raises(ActionFailed, match="looks like a secret"):
        await fixture.propose("restart", parameters={"password": "hunter2hunter2"})

    assert await fixture.rows(ProposalRow) == []
    assert (await fixture.propose("restart", parameters={"reason": "hunter2hunter2"})).state == "pending"


async def test_people_outside_the_roster_propose_nothing(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotAllowed, match="Only people of a rota"):
        await fixture.approvals.propose(
            "restart", "checkout", {}, group_ref="AL-1", requester="mallory", because="", key="x", actor=actor("mallory")
        )


class JournalAwayOnce(DirectEngine):
    """The first start of a run fails."""

    away = True

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        if self.away:
            self.away = False
            raise DatabaseUnavailable("the journal does not answer")
        await super().start(workflow, id, *args)


async def test_who_says_once_more_that_it_ran_has_it_watched_though_the_journal_was_away(fixture: ApprovalsFixture) -> None:
    ref = await with_unknown_outcome(fixture)
    fixture.engine = fixture.approvals.engine = JournalAwayOnce(clock=lambda: fixture.now)
    fixture.engine.register("remediation", remediation(RemediationSteps(fixture.approvals)))
    with pytest.raises(DatabaseUnavailable):
        await ManualRuns(fixture.approvals).answer_unknown(ref, actor("alice"), ran=True)

    await ManualRuns(fixture.approvals).answer_unknown(ref, actor("alice"), ran=True)

    assert await fixture.ended_as(f"remediation:{ref}:ran", seconds=1) == "succeeded"


async def test_what_was_put_to_people_and_never_started_runs_once_it_is_approved(fixture: ApprovalsFixture) -> None:
    fixture.engine = fixture.approvals.engine = JournalAwayOnce(clock=lambda: fixture.now)
    fixture.engine.register("remediation", remediation(RemediationSteps(fixture.approvals)))
    with pytest.raises(DatabaseUnavailable):
        await fixture.propose("restart")

    await fixture.approve("AP-1")

    assert await fixture.ended("AP-1", seconds=1) == "succeeded"


async def test_a_restart_wakes_what_was_decided_and_never_heard(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("restart")
    await fixture.press(proposal.ref, "bob")
    await fixture.approvals.resume()

    assert await fixture.ended(proposal.ref, seconds=1) == "succeeded"
