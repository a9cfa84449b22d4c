"""The remediation, from the proposal to the verified outcome."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.action import DryRun, Tier
from bot.core.errors import NotAllowed, OutcomeUnknown
from bot.core.evidence import Findings, Hypothesis
from bot.store.approvals.switches import Switches
from bot.store.incidents import incidents
from bot.store.tables import ChangeRow, MessageRow, PageRow, ProposalRow
from tests.unit.approving import Office, actor, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def approve(house: Office, ref: str, who: str = "bob", revision: int = 1) -> str:
    return (await house.approve(ref, who, revision=revision)).text


async def test_an_approved_action_runs_once_and_recovers(house: Office) -> None:
    proposal = await house.propose("restart")

    said = await approve(house, proposal.ref)

    assert said == f"Approved: {proposal.ref} starts now."
    assert await house.ended(proposal.ref, seconds=1) == "succeeded"
    assert [call["url"] for call in house.http.sent] == ["http://jobs.example/restart"]


async def test_a_fix_that_does_not_help_offers_the_undo(house: Office) -> None:
    house.metrics.values["errors"] = 0.4
    proposal = await house.propose("restart")
    await approve(house, proposal.ref)

    assert await house.ended(proposal.ref, seconds=1) == "not recovered"
    back = await house.store.load("AP-2")
    assert (back.action, back.state) == ("rollforward", "pending")


async def test_a_dead_prometheus_is_never_recovered(house: Office) -> None:
    proposal = await house.propose("restart")
    house.metrics.values["errors"] = None
    await approve(house, proposal.ref)

    assert await house.ended(proposal.ref, seconds=1) == "could not verify"


async def test_an_undo_was_asked_for_by_who_asked_for_what_it_takes_back(house: Office) -> None:
    proposal = await house.propose("rollback", requester="alice")
    await house.approve(proposal.ref, reason="it broke")
    house.metrics.values["errors"] = 0.4
    await house.ended(proposal.ref, seconds=1)

    refused = await house.press("AP-2", "alice", reason="back again")

    assert (await house.store.load("AP-2")).all_requesters == {"alice"}
    assert (refused.counted, refused.rule) == (False, "requester")
    assert (await house.press("AP-2", "bob", reason="back again")).counted


async def test_a_plan_that_no_card_shows_whole_is_approved_by_nobody(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.revise(proposal.ref, DryRun(ok=True, text="x" * 3000, targets={"checkout-pods": "2"}), Tier.ONE)

    refused = await house.press(proposal.ref, "bob", revision=2)

    assert (refused.counted, refused.rule) == (False, "no button")


async def test_the_right_to_run_is_asked_for_once_more_before_the_call(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    assert (await house.claim(proposal.ref)).granted

    house.pass_time(minutes=3)

    assert (await house.attempt(proposal.ref)).permission == "refused"
    assert (await house.store.load(proposal.ref)).state == "stale"


async def test_a_lost_answer_is_unknown_and_never_repeated(house: Office) -> None:
    house.http.answer = OutcomeUnknown("the answer was lost.")
    proposal = await house.propose("restart")
    await approve(house, proposal.ref)

    assert await house.ended(proposal.ref, seconds=1) == "unknown"
    assert await house.execute(proposal.ref, "w2") == "unknown"
    assert len(house.http.sent) == 1


async def test_a_replay_after_a_crash_in_the_call_asks_a_person(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    await house.claim(proposal.ref, "w1")
    await house.attempt(proposal.ref, "w1")

    assert await house.execute(proposal.ref, "w1") == "unknown"
    assert house.http.sent == []


async def with_unknown_outcome(house: Office, entry: str = "restart") -> str:
    """A proposal of which nobody knows whether it ran."""
    house.http.answer = OutcomeUnknown("the answer was lost.")
    proposal = await house.propose(entry)
    await approve(house, proposal.ref)
    assert await house.ended(proposal.ref, seconds=1) == "unknown"
    return proposal.ref


async def test_who_says_that_an_unknown_run_took_place_does_not_approve_the_way_back(house: Office) -> None:
    ref = await with_unknown_outcome(house, "rollback")
    house.metrics.values["errors"] = 0.4
    await house.approvals.answer_unknown(ref, actor("alice"), ran=True)
    await house.ended_as(f"remediation:{ref}:ran", seconds=1)

    back = await house.store.load("AP-2")
    own, other = await house.approve("AP-2", "alice"), await house.approve("AP-2", "bob")

    assert (back.action, back.all_requesters) == ("rollforward", {"alice"})
    assert (own.counted, other.counted) == (False, True)


async def test_who_knows_that_it_ran_has_it_watched_on_the_same_card(house: Office) -> None:
    ref = await with_unknown_outcome(house)

    said = await house.approvals.answer_unknown(ref, actor("alice"), ran=True)

    assert said == "Recorded on AP-1: it ran. Its signal is being watched."
    assert await house.ended_as(f"remediation:{ref}:ran", seconds=1) == "succeeded"
    assert len(await house.rows(ProposalRow)) == 1 and len(house.http.sent) == 1
    assert (await house.store.load(ref)).outcome == "the answer was lost. alice checked: it ran."


async def test_who_knows_that_it_did_not_run_ends_it_and_the_next_answer_changes_nothing(house: Office) -> None:
    ref = await with_unknown_outcome(house)

    await house.approvals.answer_unknown(ref, actor("alice"), ran=False)
    late = await house.approvals.answer_unknown(ref, actor("bob"), ran=True)

    assert (await house.store.load(ref)).state == "failed" and len(house.http.sent) == 1
    assert "AP-1 is failed" in late and "alice checked: it did not run." in late


async def test_only_the_rostered_say_what_came_of_it(house: Office) -> None:
    ref = await with_unknown_outcome(house)

    with pytest.raises(NotAllowed):
        await house.approvals.answer_unknown(ref, actor("mallory"), ran=True)

    assert (await house.store.load(ref)).state == "unknown"


async def test_what_a_person_knew_is_watched_also_if_the_process_died_then(house: Office) -> None:
    ref = await with_unknown_outcome(house)
    await house.store.answer_unknown(ref, "alice", ran=True)

    await house.approvals.resume()

    assert await house.ended_as(f"remediation:{ref}:ran", seconds=1) == "succeeded"


async def test_a_target_that_moved_since_the_approval_gets_a_new_proposal(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    house.metrics.values["pods"] = 40
    await house.approvals.wake_all([proposal.ref], "test")

    assert await house.ended(proposal.ref, seconds=1) == "superseded"
    assert house.http.sent == []
    assert (await house.store.load("AP-2")).targets == {"checkout-pods": "40"}


async def test_what_was_changed_in_the_database_is_neither_run_nor_proposed_anew(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    async with house.db.write() as session:
        row = await session.get(ProposalRow, 1)
        assert row is not None
        row.record = {**row.record, "arguments": {"parameters": {"replicas": "99"}}}
    await house.approvals.wake_all([proposal.ref], "test")

    assert await house.ended(proposal.ref, seconds=1) == "stopped"
    assert len(await house.rows(ProposalRow)) == 1


async def test_a_press_on_a_card_whose_world_changed_is_answered_with_the_new_revision(house: Office) -> None:
    proposal = await house.propose("restart")
    house.metrics.values["pods"] = 40

    said = await approve(house, proposal.ref)

    assert "revision 2" in said
    assert await house.state(proposal.ref) == "pending"


async def test_stop_halts_what_was_approved_and_has_not_begun(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    halted = await Switches(house.db).stop("AL-1", "mallory")
    await house.approvals.wake_all(halted, "stop")

    assert await house.ended(proposal.ref, seconds=1) == "stopped"
    assert house.http.sent == []


async def test_an_undecided_proposal_is_reminded_once_and_expires(house: Office) -> None:
    proposal = await house.propose("restart")

    assert await house.ended(proposal.ref, minutes=1) == "expired"
    assert (await house.engine.journal(f"remediation:{proposal.ref}")).count("remind") == 1


async def test_what_waits_for_people_ends_with_its_incident_and_is_not_reminded_of(house: Office) -> None:
    proposal = await house.propose("restart")
    await incidents.resolve(house.db, "INC-1", "alice")

    assert await house.ended(proposal.ref, minutes=1) == "expired"
    assert (await house.store.load(proposal.ref)).outcome == "The incident closed."
    assert [row.kind for row in await house.rows(MessageRow) if row.kind == "line"] == []


async def test_a_story_that_fails_while_it_watches_says_that_it_could_not_verify(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    await house.claim(proposal.ref, "w1")
    await house.execute(proposal.ref, "w1")

    assert await house.claims.give_up(proposal.ref, "the story failed") == "could not verify"


async def test_an_action_that_was_configured_anew_after_the_claim_is_not_run(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    await house.claim(proposal.ref, "w1")
    entry = house.config.actions["restart"].model_copy(update={"url": "http://other.example/restart"})
    house.executor.config = house.config.model_copy(update={"actions": {**house.config.actions, "restart": entry}})

    assert await house.execute(proposal.ref, "w1") == "stale"
    assert house.http.sent == []


async def test_a_run_that_waits_for_another_is_given_up_only_when_its_approval_is_stale(house: Office) -> None:
    other = await house.propose("rollback", key="k0", requester="alice", change_id="", parameters={"a": "b"})
    async with house.db.write() as session:
        row = await session.get(ProposalRow, 1)
        assert row is not None
        row.state = "executing"
    waiting = await house.propose("restart")
    await approve(house, waiting.ref)
    for number in range(60):
        await house.engine.wake(f"remediation:{waiting.ref}", "decision", key=str(number))

    assert other.ref == "AP-1"
    assert await house.ended(waiting.ref, seconds=1) == "stale"


async def test_a_row_that_was_changed_after_it_ran_is_not_said_to_be_not_run(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    await house.claim(proposal.ref, "w1")
    await house.execute(proposal.ref, "w1")
    await house.tampered(proposal.ref)

    assert await house.state(proposal.ref) == "verifying"
    assert [page.summary for page in await house.rows(PageRow)] == [
        "AP-1 was changed in the database after it was put to people; it is verifying already"
    ]


async def test_what_lapsed_is_put_to_people_again_by_the_next_triage_and_what_they_denied_is_not(house: Office) -> None:
    async def fit() -> str:
        cause = Hypothesis(cause="d1", kind="change", change_id="d1", confidence="likely", service="checkout")
        return (await house.approvals.propose_fitting("AL-1", Findings(hypotheses=[cause]), "")).ref

    async with house.db.write() as session:
        seen = {"version": "2", "previous_version": "1", "received_at": house.now}
        session.add(ChangeRow(id="d1", at=house.now, service="checkout", kind="deploy", title="v2", **seen))
    first, known = await fit(), await fit()
    house.pass_time(minutes=61)
    await house.store.expire("AP-1")
    again = await fit()
    await house.press("AP-2", "bob", "deny", reason="no")

    assert (first, known, again, await fit()) == ("AP-1", "AP-1", "AP-2", "AP-2")


async def test_a_remedy_that_fits_and_may_not_be_put_to_people_is_named_with_the_rule(house: Office) -> None:
    async with house.db.write() as session:
        session.add(
            ChangeRow(id="d1", service="checkout", kind="deploy", title="2", at=house.now, version="2", received_at=house.now)
        )
    await Switches(house.db).pause("alice", "strange")
    cause = Hypothesis(cause="d1", kind="change", change_id="d1", confidence="likely", service="checkout")

    fitted = await house.approvals.propose_fitting("AL-1", Findings(hypotheses=[cause]), "")

    assert fitted.ref == "" and fitted.why.startswith("rollback fits and was not proposed: All automated actions are paused")


async def test_what_was_run_by_hand_is_verified_the_same_way(house: Office) -> None:
    proposal = await house.propose("restart")
    manual = await house.approvals.record_manual(proposal.ref, actor("alice"), service="checkout")

    assert await house.ended(manual.ref, seconds=1) == "succeeded"
    assert (await house.state(proposal.ref), house.http.sent) == ("superseded", [])


async def test_people_outside_the_roster_propose_nothing(house: Office) -> None:
    with pytest.raises(NotAllowed, match="Only people of a rota"):
        await house.approvals.propose(
            "restart", "checkout", {}, group_ref="AL-1", requester="mallory", because="", key="x", actor=actor("mallory")
        )


async def test_a_restart_wakes_what_was_decided_and_never_heard(house: Office) -> None:
    proposal = await house.propose("restart")
    await house.press(proposal.ref, "bob")
    await house.approvals.resume()

    assert await house.ended(proposal.ref, seconds=1) == "succeeded"
