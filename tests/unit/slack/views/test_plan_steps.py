"""The card of a plan: its steps with what undoes them, then how far each is."""

from typing import Any

from bot.core.action import Plan, ProposalState, Tier
from bot.core.approvals.plans import PlanName, StepRun, composed
from bot.core.messages.proposals import ProposalContent
from bot.slack.blocks import check_blocks
from bot.slack.views import proposal as view
from tests.messages.words import text_of, words_of
from tests.unit.slack.contents import proposal_content
from tests.unit.slack.views.test_proposal import buttons, details, render, texts

WORDS_OF_A_STEP = 8


def part(action: str, undo: str = "", **values: Any) -> Plan:
    fields = {
        "action": action, "action_version": "1", "kind": "run_webhook", "service": "checkout", "tier": Tier.TWO, "undo": undo,
        "title": f"{action.capitalize()} checkout", "arguments": {"zone": "a"}, "targets": {"checkout": "2"}, "steps": [],
        "dry_run": f"POST http://jobs.example/{action}",
    }  # fmt: skip
    return Plan(**{**fields, **values})


def plan_content(state: str = "pending", runs: tuple[StepRun, ...] = (), **values: Any) -> ProposalContent:
    parts = [part("drain", "refill"), part("restart"), part("refill", "drain")]
    plan = composed(PlanName("calm", "plan", "Drain and restart checkout", "plan+1"), parts, Tier.TWO)
    return proposal_content({**plan.model_dump(), "state": ProposalState(state), **values}, runs=runs)


def test_a_waiting_card_lists_every_step_with_what_undoes_it_and_those_that_nothing_does() -> None:
    shown = text_of(render(plan_content())[1])

    assert "1. Drain checkout (undo: refill)\n2. Restart checkout (no undo)\n3. Refill checkout (undo: drain)" in shown
    assert "2 of 3 steps can be undone" in shown and "Drain and restart checkout" in shown
    assert buttons(plan_content()) == ["approve", "deny", "full"]


def test_a_waiting_card_stays_short_beside_its_steps() -> None:
    blocks = render(plan_content())[1]

    assert words_of(blocks) <= view.MAX_WORDS + 3 * WORDS_OF_A_STEP
    assert check_blocks(blocks) == []


def test_each_step_says_how_far_it_is() -> None:
    runs = StepRun(1, "done", "recovered: 0 %"), StepRun(2, "failed", "")

    running = text_of(render(plan_content("executing", runs[:1]))[1])
    over = text_of(render(plan_content("failed", runs, outcome="step 2 of 3: refused. Step 3 did not run."))[1])

    assert "1. Drain checkout: verified\n2. Restart checkout: waiting" in running
    assert "2. Restart checkout: failed\n3. Refill checkout: did not run" in over
    assert "Step 3 did not run." in over


def test_a_plan_that_failed_asks_nobody_whether_it_was_run_by_hand() -> None:
    assert buttons(plan_content("failed")) == ["full"]
    assert buttons(plan_content("unknown")) == ["did", "did_not", "full"]
    assert "Ran it by hand" not in details(plan_content())


def test_every_steps_arguments_targets_and_dry_run_stand_in_the_request() -> None:
    shown = details(plan_content())

    for action in ("drain", "restart", "refill"):
        assert f"{action} (1) {{" in shown.replace('\\"', '"') and f"POST http://jobs.example/{action}" in shown
    assert "step 2 of 3: Restart checkout, tier 2, no undo" in shown


def test_a_plan_whose_steps_do_not_fit_whole_has_no_approve_button() -> None:
    parts = [part("drain", dry_run="x" * 1500), part("restart", dry_run="y" * 1500)]
    plan = composed(PlanName("calm", "plan", "Drain", "plan+1"), parts, Tier.TWO)

    assert buttons(proposal_content({**plan.model_dump()})) == ["deny", "full"]
    assert "does not fit whole" in texts(proposal_content({**plan.model_dump()}))
