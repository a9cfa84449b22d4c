"""A plan of several actions: approved as a whole, run step by step, stopped at the first step that is not verified."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.approvals.authority import Authority
from bot.core.approvals.hints import Hint
from bot.core.errors import ActionFailed, NotAllowed, OutcomeUnknown, QueryFailed
from bot.core.evidence import Findings, Hypothesis
from bot.plugins import HttpAnswer
from bot.store.approvals.switches import Switches
from bot.store.tables import AttemptRow, AuditRow, ClaimRow, MessageRow, PageRow, ProposalRow, TimelineRow
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import CONFIG, VERIFY, ApprovalsFixture, actor, open_approvals

ACTIONS: dict[str, Any] = {
    **CONFIG["actions"],
    "drain": {"kind": "run_webhook", "url": "http://jobs.example/drain", "undo": "refill", "verify": VERIFY},
    "refill": {"kind": "run_webhook", "url": "http://jobs.example/refill", "verify": VERIFY},
    "recycle": {"kind": "run_webhook", "url": "http://jobs.example/recycle", "verify": VERIFY},
    "three-more": {
        "kind": "run_webhook", "url": "http://jobs.example/three", "verify": VERIFY, "options": {"targets": ["a", "b", "c"]},
    },
    "four-more": {
        "kind": "run_webhook", "url": "http://jobs.example/four", "verify": VERIFY,
        "options": {"targets": ["d", "e", "f", "g"]},
    },
    "warm": {
        "kind": "run_webhook", "url": "http://jobs.example/warm", "verify": VERIFY, "options": {"targets": ["{service}-cache"]},
    },
}  # fmt: skip
STEPS = [{"action": "drain"}, {"action": "restart"}, {"action": "recycle"}]
PLANS: dict[str, Any] = {"drain-and-restart": {"title": "Drain and restart {service}", "steps": STEPS}}
DRAIN, RESTART, RECYCLE = (f"http://jobs.example/{job}" for job in ("drain", "restart", "recycle"))


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path, {"actions": ACTIONS, "plans": PLANS})
    yield fixture
    await fixture.close()


async def approved(fixture: ApprovalsFixture, requester: str = "") -> str:
    proposal = await fixture.propose("drain-and-restart", requester=requester)
    said = await fixture.approve(proposal.ref, "bob", reason="fits the evidence")
    assert said.text == f"Approved: {proposal.ref} starts now."
    return proposal.ref


def calls(fixture: ApprovalsFixture) -> list[str]:
    return [call["url"] for call in fixture.http.sent]


async def lines(fixture: ApprovalsFixture) -> list[str]:
    return [row.subject for row in await fixture.rows(MessageRow) if row.kind == "line"]


def fails_at(fixture: ApprovalsFixture, url: str, answer: HttpAnswer | Exception) -> None:
    """One job answers in its own way; the others as always."""
    send = fixture.http.send

    async def sending(method: str, to: str, **more: Any) -> HttpAnswer:
        fixture.http.answer = answer if to == url else HttpAnswer(200, "{}", {"id": "run-1"})
        return await send(method, to, **more)

    fixture.http.send = sending  # type: ignore[method-assign]


async def test_all_steps_run_in_their_order_each_verified_before_the_next(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)

    assert await fixture.ended(ref, seconds=1) == "succeeded"
    assert calls(fixture) == [DRAIN, RESTART, RECYCLE]
    shown = await lines(fixture)
    assert [line.partition(":")[2][:30] for line in shown if line.startswith("Recovered after")] == [
        " step 1 of 3 (Drain checkout):",
        " step 2 of 3 (Restart checkout",
        " step 3 of 3 (Recycle checkout",
    ]


async def test_each_step_has_its_own_claim_attempt_and_key_that_names_the_proposal(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await fixture.ended(ref, seconds=1)

    keys = [call["key"] for call in fixture.http.sent]
    assert [(row.proposal_id, row.step) for row in await fixture.rows(ClaimRow)] == [(1, 1), (1, 2), (1, 3)]
    assert [row.idempotency_key for row in await fixture.rows(AttemptRow)] == keys
    assert len(set(keys)) == 3 and all(key.startswith(f"{ref}:1:") for key in keys)


async def test_the_audit_has_a_row_for_each_transition_of_each_step(fixture: ApprovalsFixture) -> None:
    await fixture.ended(await approved(fixture), seconds=1)

    rows = [row for row in await fixture.rows(AuditRow) if row.subject == "AP-1"]
    claimed = [row.message for row in rows if row.what == "proposal" and row.after == "claimed"]
    assert [message.partition(" step ")[2][:6] for message in claimed] == ["1 of 3", "2 of 3", "3 of 3"]
    assert [row.what for row in rows if row.what.startswith("step ")] == ["step 1 verified", "step 2 verified"]


async def test_one_record_holds_every_step_and_its_tier_is_the_highest_and_at_least_two(fixture: ApprovalsFixture) -> None:
    await fixture.propose("drain-and-restart")

    (row,) = await fixture.rows(ProposalRow)
    plan = await fixture.store.load("AP-1")
    assert [(part["action"], part["tier"], part["targets"]) for part in row.record["parts"]] == [
        ("drain", 2, {"checkout": ""}), ("restart", 1, {"checkout-pods": "2"}), ("recycle", 2, {"checkout": ""}),
    ]  # fmt: skip
    assert (plan.tier, plan.targets) == (2, {"checkout": "", "checkout-pods": "2"})


@pytest.mark.parametrize(
    ("answer", "state"),
    [(HttpAnswer(403, "no"), "failed"), (OutcomeUnknown("the answer was lost."), "unknown")],
)
async def test_a_call_that_fails_or_is_lost_stops_the_plan_and_offers_to_undo_what_ran(
    fixture: ApprovalsFixture, answer: HttpAnswer | Exception, state: str
) -> None:
    ref = await approved(fixture, requester="alice")
    fails_at(fixture, RESTART, answer)

    assert await fixture.ended(ref, seconds=1) == state
    assert calls(fixture) == [DRAIN, RESTART]
    undo = await fixture.store.load("AP-2")
    assert (undo.action, undo.state, undo.all_requesters) == ("refill", "pending", {"alice"})
    assert "Step 3 did not run." in (await fixture.store.load(ref)).outcome
    assert any("Step 3 did not run." in line for line in await lines(fixture))


async def test_steps_that_ran_are_undone_in_reverse_by_a_plan_that_needs_its_own_approval(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    fails_at(fixture, RECYCLE, HttpAnswer(403, "no"))
    await fixture.ended(ref, seconds=1)

    undo = await fixture.store.load("AP-2")
    assert (undo.kind, undo.state) == ("undo", "pending")
    assert [part.action for part in undo.parts] == ["rollforward", "refill"]

    fixture.http.sent.clear()
    await fixture.approve("AP-2", "bob", reason="take it back")
    assert await fixture.ended("AP-2", seconds=1) == "succeeded"
    assert calls(fixture) == ["http://jobs.example/forward", "http://jobs.example/refill"]


@pytest.mark.parametrize(("errors", "state"), [(0.4, "not recovered"), (QueryFailed("away"), "could not verify")])
async def test_a_step_that_is_not_verified_is_the_last(fixture: ApprovalsFixture, errors: Any, state: str) -> None:
    fixture.metrics.values["errors"] = errors
    ref = await approved(fixture)

    assert await fixture.ended(ref, seconds=1) == state
    assert calls(fixture) == [DRAIN]
    assert any(f"{ref}: step 1 of 3" in line and "Steps 2 and 3 did not run." in line for line in await lines(fixture))


async def after_the_first_step(fixture: ApprovalsFixture, ref: str) -> None:
    """Until the first call was made: its signal is being watched."""
    while not calls(fixture) or (await fixture.state(ref)) != "verifying":
        await asyncio.sleep(0.001)


async def test_a_stop_between_two_steps_holds_the_next(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await after_the_first_step(fixture, ref)
    await Switches(fixture.db).stop("INC-1", "alice", "wrong service")

    assert await fixture.ended(ref, seconds=1) == "stopped"
    assert calls(fixture) == [DRAIN]
    text = "Stopped after step 1 of 3: This incident was stopped. Steps 2 and 3 did not run."
    assert (await fixture.store.load(ref)).outcome == text
    assert f"{ref}: {text}" in await lines(fixture)
    assert any("was not proposed: This incident was stopped." in line for line in await lines(fixture))


async def test_a_pause_a_freeze_a_lost_right_and_a_changed_catalogue_hold_the_next_step(tmp_path: Path) -> None:
    async def pause(fixture: ApprovalsFixture) -> None:
        await Switches(fixture.db).pause("root", "power works")

    async def freeze(fixture: ApprovalsFixture) -> None:
        window = {"starts": "2026-03-01T00:00:00Z", "ends": "2026-03-02T00:00:00Z", "reason": "sale"}
        object.__setattr__(fixture.config, "freezes", type(fixture.config).model_validate({"freezes": [window]}).freezes)

    async def lose_the_right(fixture: ApprovalsFixture) -> None:
        object.__setattr__(fixture.config.approvers, "deputies", ())

    async def change_an_action(fixture: ApprovalsFixture) -> None:
        fixture.config.actions["recycle"] = fixture.config.actions["recycle"].model_copy(
            update={"url": "http://jobs.example/x"}
        )

    async def change_the_plan(fixture: ApprovalsFixture) -> None:
        plan = fixture.config.plans["drain-and-restart"]
        fixture.config.plans["drain-and-restart"] = plan.model_copy(update={"steps": plan.steps[:2]})

    reasons = {
        pause: "paused",
        freeze: "frozen",
        lose_the_right: "its approval no longer holds",
        change_an_action: "the action changed",
        change_the_plan: "the action changed",
    }
    for number, (meanwhile, reason) in enumerate(reasons.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        fixture = await open_approvals(folder, {"actions": ACTIONS, "plans": PLANS})
        ref = await approved(fixture)
        await after_the_first_step(fixture, ref)
        await meanwhile(fixture)

        assert await fixture.ended(ref, seconds=1) == "stopped"
        assert (calls(fixture), reason in (await fixture.store.load(ref)).outcome) == ([DRAIN], True), meanwhile.__name__
        await fixture.close()


async def test_a_later_step_whose_target_moved_does_not_run(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await after_the_first_step(fixture, ref)
    fixture.metrics.values["pods"] = 40

    assert await fixture.ended(ref, seconds=1) == "stopped"
    assert calls(fixture) == [DRAIN]
    assert "its target is not as it was when this was approved" in (await fixture.store.load(ref)).outcome


async def test_a_plan_that_was_changed_in_the_database_between_two_steps_is_stopped_with_an_alarm(
    fixture: ApprovalsFixture,
) -> None:
    ref = await approved(fixture)
    await after_the_first_step(fixture, ref)
    async with fixture.db.write() as session:
        row = await session.get(ProposalRow, 1)
        assert row is not None
        row.record = {**row.record, "parts": [row.record["parts"][0], row.record["parts"][0], row.record["parts"][2]]}

    assert await fixture.ended(ref, seconds=1) == "stopped"
    assert calls(fixture) == [DRAIN]
    assert [page.key for page in await fixture.rows(PageRow)] == [f"alarm:fingerprint:{ref}"]


async def test_a_step_that_a_row_alone_calls_verified_lets_nothing_begin(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await fixture.claim(ref)
    await fixture.attempt(ref)
    async with fixture.db.write() as session:
        row, attempt = await session.get(ProposalRow, 1), await session.get(AttemptRow, (1, 1))
        assert row is not None and attempt is not None
        row.state, attempt.state, attempt.verification = "verifying", "done", "recovered: errors 0.1 %"
    roster = await fixture.rotas.roster("checkout")

    claim = await fixture.claims.claim(ref, "w1", Authority(roster, fixture.executor.versions()), step=2)

    assert (claim.granted, claim.state) == (False, "stopped")


async def test_a_step_begins_within_two_minutes_of_the_end_of_the_one_before(fixture: ApprovalsFixture) -> None:
    ref = await fixture.propose("drain-and-restart")
    await fixture.press(ref.ref, "bob", reason="fits")
    await fixture.claim(ref.ref)
    await fixture.execute(ref.ref, "w1")
    await fixture.claims.verified(ref.ref, await fixture.executor.verify(ref.ref))
    fixture.pass_time(minutes=2, seconds=1)

    claim = await fixture.claim(ref.ref, "w1", step=2)

    assert (claim.granted, claim.state) == (False, "stopped")
    assert claim.why == "it did not start within 2 minutes of the end of step 1"


async def test_the_same_step_is_never_called_twice_and_one_without_an_answer_is_unknown(fixture: ApprovalsFixture) -> None:
    ref = (await fixture.propose("drain-and-restart")).ref
    await fixture.press(ref, "bob", reason="fits")
    roster = await fixture.rotas.roster("checkout")
    await fixture.claim(ref)
    await fixture.execute(ref, "w1")
    await fixture.claims.verified(ref, await fixture.executor.verify(ref))
    await fixture.claim(ref, "w1", step=2)
    await fixture.claims.attempt_start(ref, "w1", Authority(roster, fixture.executor.versions()), step=2)

    # The process died here: its successor comes to the same steps again.
    assert await fixture.execute(ref, "w1") == "executing"
    assert await fixture.execute(ref, "w1", step=2) == "unknown"
    assert calls(fixture) == [DRAIN]


async def test_what_a_person_says_of_an_unknown_step_ends_the_plan_and_runs_nothing(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    fails_at(fixture, RESTART, OutcomeUnknown("the answer was lost."))
    await fixture.ended(ref, seconds=1)

    await ManualRuns(fixture.approvals).answer_unknown(ref, actor("bob"), ran=True)

    assert await fixture.ended_as(f"remediation:{ref}:ran", seconds=1) == "stopped"
    assert calls(fixture) == [DRAIN, RESTART]
    assert (await fixture.store.load(ref)).outcome.count("Step 3 did not run.") == 1
    assert any("AP-2 is open on the same target" in line for line in await lines(fixture))


async def test_a_plan_counts_as_one_run_among_the_targets_of_an_hour(fixture: ApprovalsFixture) -> None:
    await fixture.ended(await approved(fixture), seconds=1)

    # Three steps of the plan touched two targets.
    assert (await fixture.propose("three-more", key="k3")).state == "pending"
    with pytest.raises(NotAllowed, match="Blast radius: 6 targets of checkout within an hour"):
        await fixture.propose("four-more", key="k4")


async def test_while_a_plan_goes_on_nothing_else_runs_on_the_service(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await after_the_first_step(fixture, ref)
    other = await fixture.propose("warm", key="k2")
    await fixture.press(other.ref, "bob")

    assert (await fixture.claim(other.ref, "w2")).busy


async def test_a_step_that_is_never_done_by_the_bot_refuses_the_whole_plan(tmp_path: Path) -> None:
    steps = [{"action": "drain"}, {"action": "restart", "arguments": {"parameters": {"replicas": "0"}}}]
    fixture = await open_approvals(tmp_path, {"actions": ACTIONS, "plans": {"off": {"steps": steps}}})

    with pytest.raises(NotAllowed, match="The bot never does off"):
        await fixture.propose("off")
    await fixture.close()


@pytest.mark.parametrize(("rung", "proposed"), [("observe", False), ("suggest", True)])
async def test_a_plan_goes_no_further_than_the_least_of_its_steps(tmp_path: Path, rung: str, proposed: bool) -> None:
    autonomy = {"checkout": {"default": "approve", "actions": {"restart": rung}}}
    fixture = await open_approvals(tmp_path, {"actions": ACTIONS, "plans": PLANS, "autonomy": autonomy})

    if proposed:
        plan = await fixture.propose("drain-and-restart")
        assert (plan.autonomy, (await fixture.approve(plan.ref, "bob", reason="fits")).counted) == (rung, False)
    else:
        with pytest.raises(NotAllowed, match="only observes checkout"):
            await fixture.propose("drain-and-restart")
    await fixture.close()


async def test_a_plan_takes_its_arguments_from_the_file_alone(fixture: ApprovalsFixture) -> None:
    with pytest.raises(ActionFailed, match="drain-and-restart takes no replicas="):
        await fixture.propose("drain-and-restart", replicas="3")


async def test_a_step_that_cannot_be_planned_is_named(tmp_path: Path) -> None:
    plans = {"back": {"steps": [{"action": "drain"}, {"action": "revert"}]}}
    fixture = await open_approvals(tmp_path, {"actions": ACTIONS, "plans": plans})

    with pytest.raises(ActionFailed, match=r"Step 2, revert: This needs change_id"):
        await fixture.propose("back")
    await fixture.close()


async def test_a_plan_that_fits_the_cause_is_offered_and_who_named_a_step_asked_for_it(tmp_path: Path) -> None:
    plans = {"relieve": {**PLANS["drain-and-restart"], "helps": ["resource"]}}
    fixture = await open_approvals(tmp_path, {"actions": ACTIONS, "plans": plans})
    cause = Hypothesis(cause="the pool is full", service="checkout", kind="resource", confidence="likely", score=0.9, claims=[])

    fitted = await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[cause]), [Hint("carol", "just drain it")])

    plan = await fixture.store.load(fitted.ref)
    assert (plan.action, plan.all_requesters) == ("relieve", {"carol"})
    await fixture.close()


async def test_the_timeline_tells_each_step(fixture: ApprovalsFixture) -> None:
    await fixture.ended(await approved(fixture), seconds=1)

    told = [row.text for row in await fixture.rows(TimelineRow)]
    assert [text[:21] for text in told if " ran: " in text] == [f"AP-1 ran: step {number} of 3" for number in (1, 2, 3)]


async def test_who_ran_a_plan_by_hand_is_told_how_to_say_so_step_by_step(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("drain-and-restart")

    with pytest.raises(NotAllowed, match=r"AP-1 is a plan of 3 steps.*did AP-1 1 \(Drain checkout\); did AP-1 2 \("):
        await ManualRuns(fixture.approvals).record(proposal.ref, actor("bob"))
    with pytest.raises(NotAllowed, match="did drain service=checkout; did restart service=checkout; did recycle"):
        await ManualRuns(fixture.approvals).record("drain-and-restart", actor("bob"), service="checkout", group_ref="AL-1")


@pytest.mark.parametrize("step", [4, 99])
async def test_a_step_that_a_plan_has_not_is_refused(fixture: ApprovalsFixture, step: int) -> None:
    proposal = await fixture.propose("drain-and-restart")

    with pytest.raises(NotAllowed, match="is a plan of 3 steps"):
        await ManualRuns(fixture.approvals).record(proposal.ref, actor("bob"), step=step)
    assert (await fixture.store.load(proposal.ref)).state == "pending"


async def test_a_step_that_was_run_by_hand_is_watched_and_its_plan_runs_no_more(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose("drain-and-restart", requester="carol")

    drained = await ManualRuns(fixture.approvals).record(proposal.ref, actor("bob"), key="first", step=1)
    restarted = await ManualRuns(fixture.approvals).record(proposal.ref, actor("bob"), key="second", step=2)

    assert [(by_hand.action, by_hand.parts) for by_hand in (drained, restarted)] == [("drain", []), ("restart", [])]
    assert drained.all_requesters == {"bob", "carol"}  # who asked for the plan stays who asked
    assert await fixture.ended(drained.ref, seconds=1) == "succeeded" and calls(fixture) == []
    assert (await fixture.store.load(proposal.ref)).state == "superseded"


async def test_a_step_of_a_plan_that_runs_is_not_recorded_by_hand(fixture: ApprovalsFixture) -> None:
    ref = await approved(fixture)
    await fixture.ended(ref, seconds=1)

    with pytest.raises(NotAllowed, match="AP-1 is succeeded: the bot runs or ran it"):
        await ManualRuns(fixture.approvals).record(ref, actor("bob"), step=2)
