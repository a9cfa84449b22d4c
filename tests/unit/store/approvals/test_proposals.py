"""Decisions and claims as rows: who counts, what was tampered with, and at most once under races."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bot.core.action import Outcome, Tier
from bot.store import audit
from bot.store.approvals.reconciliation import contradictions
from bot.store.tables import AttemptRow, AuditRow, ClaimRow, DecisionRow, MessageRow, PageRow, ProposalRow
from tests.unit.approvals_fixture import ApprovalsFixture, dry_run


async def rows(fixture: ApprovalsFixture, table: Any) -> list[Any]:
    async with fixture.db.read() as session:
        return list((await session.exec(select(table))).all())


async def tamper(fixture: ApprovalsFixture, **values: Any) -> None:
    async with fixture.db.write() as session:
        await session.exec(update(ProposalRow).where(col(ProposalRow.id) == 1).values(**values))


async def test_the_same_request_twice_is_one_proposal(fixture: ApprovalsFixture) -> None:
    first, second = await fixture.propose(key="k"), await fixture.propose(key="k")

    assert first.ref == second.ref
    assert len(await rows(fixture, ProposalRow)) == 1


async def test_a_doubled_press_counts_once_and_says_so(fixture: ApprovalsFixture) -> None:
    await fixture.propose()

    first, second = await fixture.press("AP-1", "bob"), await fixture.press("AP-1", "bob")

    assert (first.counted, second.counted) == (True, False)
    assert "already approved by bob" in second.text


async def test_who_answers_twice_while_others_are_waited_for_is_told_what_they_said_and_when(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await fixture.press("AP-1", "bob")

    assert (await fixture.press("AP-1", "bob")).text == "You have already approved AP-1 at 03:00 UTC."


async def test_a_late_press_is_told_the_state_as_a_sentence_and_the_day_if_that_was_another(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")
    await tamper(fixture, state="could not verify", outcome="")
    fixture.pass_time(days=1)

    late = await fixture.press("AP-1", "alice")

    assert late.text == "AP-1 is not verified: already approved by bob at 2026-03-01 03:00 UTC."


async def test_a_replayed_interaction_has_no_effect(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await fixture.press("AP-1", "bob", key="same-bytes")
    await fixture.press("AP-1", "bob", key="same-bytes")

    assert len(await rows(fixture, DecisionRow)) == 1


async def test_a_refusal_is_audited_and_leaves_no_decision(fixture: ApprovalsFixture) -> None:
    await fixture.propose()

    refused = await fixture.press("AP-1", "mallory")

    assert not refused.counted and "alice or bob can" in refused.text
    assert await rows(fixture, DecisionRow) == []
    assert [row.who for row in await rows(fixture, AuditRow) if row.what == "refused: approve"] == ["mallory"]


async def test_tier_three_needs_two_people_and_an_owner(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover", requester="alice")

    assert (await fixture.press("AP-1", "alice")).state == "partly approved"
    assert (await fixture.press("AP-1", "bob")).state == "partly approved"
    assert (await fixture.press("AP-1", "owner")).state == "approved"


async def test_a_denial_before_the_start_wins_over_an_approval(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")

    await fixture.press("AP-1", "alice", "deny", reason="not now")

    assert await fixture.state("AP-1") == "denied"
    assert not (await fixture.claim("AP-1")).granted


async def test_a_denial_counts_though_the_dry_run_changed_while_the_reason_was_written(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.revise("AP-1", dry_run("another effect"), Tier.ONE)

    assert not (await fixture.press("AP-1", "alice", revision=1)).counted
    assert (await fixture.press("AP-1", "alice", "deny", revision=1, reason="not now")).counted
    assert await fixture.state("AP-1") == "denied"


async def test_who_approved_what_would_do_something_else_now_is_asked_again(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await fixture.press("AP-1", "owner")

    await fixture.revise("AP-1", dry_run("another effect"), Tier.THREE)

    line = next(row for row in await rows(fixture, MessageRow) if row.kind == "line")
    assert "something else now than what owner approved" in line.subject and line.mentions == ["owner"]
    assert (await fixture.state("AP-1"), await contradictions(fixture.db, timedelta(days=1))) == ("pending", [])
    assert (await fixture.press("AP-1", "bob", revision=2)).state == "partly approved"


async def test_changed_arguments_are_refused_at_the_press_with_an_alarm(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    record = (await rows(fixture, ProposalRow))[0].record
    await tamper(fixture, record={**record, "arguments": {"parameters": {"replicas": "0"}}})

    refused = await fixture.press("AP-1", "bob")

    assert refused.rule == "fingerprint mismatch"
    assert (await rows(fixture, PageRow))[0].key == "alarm:fingerprint:AP-1"
    assert await fixture.state("AP-1") == "stopped"


async def test_changed_arguments_with_a_fitting_fingerprint_are_refused_at_the_claim(fixture: ApprovalsFixture) -> None:
    from bot.core.approvals.canonical_record import plan_fingerprint

    await fixture.propose()
    await fixture.press("AP-1", "bob")
    record = {**(await rows(fixture, ProposalRow))[0].record, "service": "search"}
    await tamper(fixture, record=record, plan_fingerprint=plan_fingerprint(record), service="search")

    claimed = await fixture.claim("AP-1")

    assert not claimed.granted and claimed.state == "stopped"


async def test_a_decision_row_put_in_by_hand_is_nobodys_answer(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose()
    async with fixture.db.write() as session:
        forged = {
            "team": "T1",
            "slack_user": "UBOB",
            "verdict": "approve",
            "plan_fingerprint": proposal.plan_fingerprint,
            "at": fixture.now,
        }
        session.add(DecisionRow(proposal_id=1, revision=1, person="bob", **forged))
    await tamper(fixture, state="approved", approved_at=fixture.now)

    assert not (await fixture.claim("AP-1")).granted


async def test_an_approval_older_than_two_minutes_is_stale(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")
    fixture.pass_time(minutes=2, seconds=1)

    assert (await fixture.claim("AP-1")).state == "stale"


async def test_a_claim_is_taken_once_and_again_only_by_its_own_workflow(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")

    granted = [(await fixture.claim("AP-1", workflow)).granted for workflow in ("w1", "w1", "w2")]

    assert granted == [True, True, False]


async def test_more_than_five_targets_an_hour_on_a_service_are_refused(fixture: ApprovalsFixture) -> None:
    async with fixture.db.write() as session:
        targets = ["a", "b", "c", "d", "e"]
        session.add(ClaimRow(proposal_id=99, workflow="w", service="checkout", targets=targets, at=fixture.now))
        session.add(ProposalRow(**old_proposal(fixture)))

    with pytest.raises(Exception, match="more than 5"):
        await fixture.propose()


async def test_what_waits_for_another_action_on_the_service_says_so_once_and_names_it_when_it_is_too_late(
    fixture: ApprovalsFixture,
) -> None:
    await fixture.propose()
    await fixture.propose("rollback", key="k2")
    await fixture.press("AP-1", "bob")
    await fixture.claim("AP-1")
    fixture.pass_time(seconds=1)
    await fixture.press("AP-2", "bob")

    tries = [await fixture.claim("AP-2", "w2"), await fixture.claim("AP-2", "w2")]
    fixture.pass_time(minutes=2, seconds=1)
    late = await fixture.claim("AP-2", "w2")

    assert [one.busy for one in tries] == [True, True]
    (line,) = [row for row in await rows(fixture, MessageRow) if row.key == "line:waits:AP-2"]
    assert line.wanted_rev == 1 and line.subject.startswith("AP-2 waits: AP-1 is running on checkout; one at a time")
    assert (late.state, "AP-1 is running on checkout" in late.why) == ("stale", True)


def old_proposal(fixture: ApprovalsFixture) -> dict[str, Any]:
    moments = dict.fromkeys(("dry_run_at", "expires_at", "created_at", "changed_at"), fixture.now)
    return {
        "id": 99,
        "key": "old",
        "service": "checkout",
        "action": "x",
        "record": {},
        "plan_fingerprint": "",
        "state": "succeeded",
        **moments,
    }


async def test_twenty_clickers_make_one_decision_each_and_one_approval(fixture: ApprovalsFixture) -> None:
    await fixture.propose()

    pressed = await asyncio.gather(*(fixture.press("AP-1", who) for who in ["bob", "alice"] * 10))

    approvals = [row for row in await rows(fixture, AuditRow) if row.what == "proposal" and row.after == "approved"]
    assert sum(p.counted for p in pressed) == 1
    assert len(approvals) == 1


async def test_many_workflows_of_one_proposal_call_once(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")

    async def workflow(name: str) -> None:
        if (await fixture.claim("AP-1", name)).granted:
            await fixture.execute("AP-1", name)

    await asyncio.gather(*(workflow(f"w{n % 3}") for n in range(20)))

    assert len(fixture.http.sent) == 1


async def test_the_whole_life_leaves_an_unbroken_audit(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")
    await fixture.claim("AP-1")
    await fixture.execute("AP-1", "w1")

    moves = [(row.before, row.after) for row in await rows(fixture, AuditRow) if row.what == "proposal"]
    assert moves[1:] == [("pending", "approved"), ("approved", "claimed"), ("claimed", "executing"), ("executing", "verifying")]
    assert await audit.verify(fixture.db) is None


async def test_a_stored_outcome_is_not_changed_by_a_second_one(fixture: ApprovalsFixture) -> None:
    await fixture.propose()
    await fixture.press("AP-1", "bob")
    await fixture.claim("AP-1")
    await fixture.attempt("AP-1", "w1")
    await fixture.claims.attempt_finish("AP-1", Outcome(state="failed", text="refused."))

    await fixture.claims.attempt_finish("AP-1", Outcome(state="done", text="ran."))

    assert (await rows(fixture, AttemptRow))[0].state == "failed"
