"""Decisions and claims as rows: who counts, what was tampered with, and at most once under races."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bot.core.action import Outcome
from bot.store import audit
from bot.store.tables import AttemptRow, AuditRow, ClaimRow, DecisionRow, MessageRow, PageRow, ProposalRow
from tests.unit.approving import Office, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def rows(house: Office, table: Any) -> list[Any]:
    async with house.db.read() as session:
        return list((await session.exec(select(table))).all())


async def tamper(house: Office, **values: Any) -> None:
    async with house.db.write() as session:
        await session.exec(update(ProposalRow).where(col(ProposalRow.id) == 1).values(**values))


async def test_the_same_request_twice_is_one_proposal(house: Office) -> None:
    first, second = await house.propose(key="k"), await house.propose(key="k")

    assert first.ref == second.ref
    assert len(await rows(house, ProposalRow)) == 1


async def test_a_doubled_press_counts_once_and_says_so(house: Office) -> None:
    await house.propose()

    first, second = await house.press("AP-1", "bob"), await house.press("AP-1", "bob")

    assert (first.counted, second.counted) == (True, False)
    assert "already approved by bob" in second.text


async def test_a_replayed_interaction_has_no_effect(house: Office) -> None:
    await house.propose("failover")
    await house.press("AP-1", "bob", key="same-bytes")
    await house.press("AP-1", "bob", key="same-bytes")

    assert len(await rows(house, DecisionRow)) == 1


async def test_a_refusal_is_audited_and_leaves_no_decision(house: Office) -> None:
    await house.propose()

    refused = await house.press("AP-1", "mallory")

    assert not refused.counted and "alice or bob can" in refused.text
    assert await rows(house, DecisionRow) == []
    assert [row.who for row in await rows(house, AuditRow) if row.what == "refused: approve"] == ["mallory"]


async def test_tier_three_needs_two_people_and_an_owner(house: Office) -> None:
    await house.propose("failover", requester="alice")

    assert (await house.press("AP-1", "alice")).state == "partly approved"
    assert (await house.press("AP-1", "bob")).state == "partly approved"
    assert (await house.press("AP-1", "owner")).state == "approved"


async def test_a_denial_before_the_start_wins_over_an_approval(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")

    await house.press("AP-1", "alice", "deny", reason="not now")

    assert await house.state("AP-1") == "denied"
    assert not (await house.claim("AP-1")).granted


async def test_changed_arguments_are_refused_at_the_press_with_an_alarm(house: Office) -> None:
    await house.propose()
    record = (await rows(house, ProposalRow))[0].record
    await tamper(house, record={**record, "arguments": {"parameters": {"replicas": "0"}}})

    refused = await house.press("AP-1", "bob")

    assert refused.rule == "fingerprint mismatch"
    assert (await rows(house, PageRow))[0].key == "alarm:fingerprint:AP-1"
    assert await house.state("AP-1") == "stopped"


async def test_changed_arguments_with_a_fitting_fingerprint_are_refused_at_the_claim(house: Office) -> None:
    from bot.core.approvals.record import plan_fingerprint

    await house.propose()
    await house.press("AP-1", "bob")
    record = {**(await rows(house, ProposalRow))[0].record, "service": "search"}
    await tamper(house, record=record, plan_fingerprint=plan_fingerprint(record), service="search")

    claimed = await house.claim("AP-1")

    assert not claimed.granted and claimed.state == "stopped"


async def test_a_decision_row_put_in_by_hand_is_nobodys_answer(house: Office) -> None:
    proposal = await house.propose()
    async with house.db.write() as session:
        forged = {
            "team": "T1",
            "slack_user": "UBOB",
            "verdict": "approve",
            "plan_fingerprint": proposal.plan_fingerprint,
            "at": house.now,
        }
        session.add(DecisionRow(proposal_id=1, revision=1, person="bob", **forged))
    await tamper(house, state="approved", approved_at=house.now)

    assert not (await house.claim("AP-1")).granted


async def test_an_approval_older_than_two_minutes_is_stale(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")
    house.pass_time(minutes=2, seconds=1)

    assert (await house.claim("AP-1")).state == "stale"


async def test_a_claim_is_taken_once_and_again_only_by_its_own_workflow(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")

    granted = [(await house.claim("AP-1", workflow)).granted for workflow in ("w1", "w1", "w2")]

    assert granted == [True, True, False]


async def test_more_than_five_targets_an_hour_on_a_service_are_refused(house: Office) -> None:
    async with house.db.write() as session:
        targets = ["a", "b", "c", "d", "e"]
        session.add(ClaimRow(proposal_id=99, workflow="w", service="checkout", targets=targets, at=house.now))
        session.add(ProposalRow(**old_proposal(house)))

    with pytest.raises(Exception, match="more than 5"):
        await house.propose()


async def test_what_waits_for_another_action_on_the_service_says_so_once_and_names_it_when_it_is_too_late(
    house: Office,
) -> None:
    await house.propose()
    await house.propose("rollback", key="k2")
    await house.press("AP-1", "bob")
    await house.claim("AP-1")
    house.pass_time(seconds=1)
    await house.press("AP-2", "bob")

    tries = [await house.claim("AP-2", "w2"), await house.claim("AP-2", "w2")]
    house.pass_time(minutes=2, seconds=1)
    late = await house.claim("AP-2", "w2")

    assert [one.busy for one in tries] == [True, True]
    (line,) = [row for row in await rows(house, MessageRow) if row.key == "line:waits:AP-2"]
    assert line.wanted_rev == 1 and line.subject.startswith("AP-2 waits: AP-1 is running on checkout; one at a time")
    assert (late.state, "AP-1 is running on checkout" in late.why) == ("stale", True)


def old_proposal(house: Office) -> dict[str, Any]:
    moments = dict.fromkeys(("dry_run_at", "expires_at", "created_at", "changed_at"), house.now)
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


async def test_twenty_clickers_make_one_decision_each_and_one_approval(house: Office) -> None:
    await house.propose()

    pressed = await asyncio.gather(*(house.press("AP-1", who) for who in ["bob", "alice"] * 10))

    approvals = [row for row in await rows(house, AuditRow) if row.what == "proposal" and row.after == "approved"]
    assert sum(p.counted for p in pressed) == 1
    assert len(approvals) == 1


async def test_many_workflows_of_one_proposal_call_once(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")

    async def workflow(name: str) -> None:
        if (await house.claim("AP-1", name)).granted:
            await house.execute("AP-1", name)

    await asyncio.gather(*(workflow(f"w{n % 3}") for n in range(20)))

    assert len(house.http.sent) == 1


async def test_the_whole_life_leaves_an_unbroken_audit(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")
    await house.claim("AP-1")
    await house.execute("AP-1", "w1")

    moves = [(row.before, row.after) for row in await rows(house, AuditRow) if row.what == "proposal"]
    assert moves[1:] == [("pending", "approved"), ("approved", "claimed"), ("claimed", "executing"), ("executing", "verifying")]
    assert await audit.verify(house.db) is None


async def test_a_stored_outcome_is_not_changed_by_a_second_one(house: Office) -> None:
    await house.propose()
    await house.press("AP-1", "bob")
    await house.claim("AP-1")
    await house.attempt("AP-1", "w1")
    await house.claims.attempt_finish("AP-1", Outcome(state="failed", text="refused."))

    await house.claims.attempt_finish("AP-1", Outcome(state="done", text="ran."))

    assert (await rows(house, AttemptRow))[0].state == "failed"
