"""A plan of several actions as one thing to approve, and what is said of its steps."""

from typing import Any

import pytest

from bot.core.action import Plan, Replicas, Tier
from bot.core.approvals.plans import (
    PlanName,
    StepRun,
    composed,
    declared,
    difference,
    difference_of_whole,
    not_run_text,
    outdated,
    step_states,
    step_text,
    tier_of,
    with_step,
)
from bot.core.config import Config

PLAN = Config.model_validate({"plans": {"calm": {"steps": [{"action": "drain"}, {"action": "restart"}]}}}).plans["calm"]


def part(action: str, *, tier: Tier = Tier.ONE, target: str = "checkout", **values: Any) -> Plan:
    fields = {
        "action": action, "action_version": f"{action}@1", "kind": "run_webhook", "service": "checkout",
        "arguments": {}, "targets": {target: "1"}, "steps": [], "dry_run": f"POST {action}", "tier": tier,
        "title": f"Do {action}", "undo": f"un{action}",
    }  # fmt: skip
    return Plan(**{**fields, **values})


def plan(*parts: Plan) -> Plan:
    return composed(declared("calm", PLAN, "checkout"), parts, Tier.TWO)


THREE = plan(part("drain"), part("restart"), part("flip"))


@pytest.mark.parametrize(
    ("name", "tiers", "tier"),
    [
        ("calm", (1, 1), Tier.TWO),
        ("calm", (1, 3), Tier.THREE),
        ("calm", (1, 9), Tier.X),
        ("purge-and-restart", (1, 1), Tier.THREE),
    ],
)
def test_the_tier_is_the_highest_of_the_steps_and_of_what_the_name_says_and_at_least_two(
    name: str, tiers: tuple[int, ...], tier: Tier
) -> None:
    assert tier_of(name, map(Tier, tiers), Config()) is tier


def test_a_declared_tier_raises_it() -> None:
    config = Config.model_validate({"plans": {"calm": {"tier": 3, "steps": [{"action": "drain"}, {"action": "restart"}]}}})

    assert tier_of("calm", [Tier.ONE, Tier.TWO], config) is Tier.THREE


def test_the_whole_has_the_targets_of_all_steps_and_works_only_if_every_dry_run_does() -> None:
    whole = plan(part("drain"), part("restart", target="checkout-pods", dry_run_ok=False))

    assert (whole.targets, whole.dry_run_ok) == ({"checkout": "1", "checkout-pods": "1"}, False)
    assert whole.dry_run == "step 1, drain:\nPOST drain\nstep 2, restart:\nPOST restart"


def test_of_the_copies_the_step_that_takes_most_away_counts() -> None:
    gentle, rough = Replicas(desired=10, away=2), Replicas(wanted=4, away=3)
    parts = [part("drain", replicas={"a": copies}) for copies in (gentle, rough, gentle)]

    assert plan(*parts).replicas == {"a": rough}


@pytest.mark.parametrize(
    ("undos", "text"),
    [(("a", "b"), "undoing its steps in reverse"), (("a", ""), "undoing 1 of its 2 steps"), (("", ""), "")],
)
def test_what_undoes_it_says_how_many_steps_can_be_undone(undos: tuple[str, ...], text: str) -> None:
    assert plan(*(part("drain", undo=undo) for undo in undos)).undo == text


def test_another_declaration_or_another_step_is_another_plan() -> None:
    now = {"calm": declared("calm", PLAN, "checkout").version, "drain": "drain@1", "restart": "restart@1", "flip": "flip@1"}
    undo = composed(PlanName("undo-calm", "undo", "Undo", "undo"), THREE.parts, Tier.TWO)

    assert not outdated(THREE, now) and not outdated(undo, now)
    assert outdated(THREE, {**now, "calm": "plan+0"}) and not outdated(undo, {**now, "calm": "plan+0"})
    assert outdated(THREE, {**now, "flip": "flip@2"}) and outdated(undo, {**now, "flip": "flip@2"})
    assert outdated(part("drain"), {**now, "drain": "drain@2"})


def test_what_the_steps_before_touched_may_look_otherwise_and_nothing_else_may() -> None:
    whole = plan(part("drain"), part("restart"), part("flip", target="flags"))
    changed = {"dry_run": "POST another", "targets": {"checkout": "2"}}

    assert difference(whole, 2, part("restart", **changed)) == ""
    assert "not as it was" in difference(whole, 3, part("flip", dry_run="POST another", target="flags"))
    assert "its targets or its tier" in difference(whole, 2, part("restart", target="another"))
    assert "its targets or its tier" in difference(whole, 2, part("restart", tier=Tier.TWO))
    assert "does not work" in difference(whole, 2, part("restart", dry_run_ok=False))
    rough = {"checkout": Replicas(desired=4, away=3)}
    assert "too many pods" in difference(whole, 2, part("restart", replicas=rough))


def test_what_of_a_plan_is_not_as_it_was_approved_is_said() -> None:
    approved = part("restart")

    assert difference_of_whole(approved, part("restart")) == ""
    assert "does not work" in difference_of_whole(approved, part("restart", dry_run_ok=False))
    assert "the target is not as it was" in difference_of_whole(approved, part("restart", dry_run="POST another"))
    assert "the target is not as it was" in difference_of_whole(approved, part("restart", target="another", tier=Tier.THREE))
    assert "is tier 3 now and was approved as tier 1" in difference_of_whole(approved, part("restart", tier=Tier.THREE))
    harder = composed(declared("calm", PLAN, "checkout"), (part("drain"), part("restart", tier=Tier.THREE)), Tier.THREE)
    assert difference_of_whole(plan(part("drain"), part("restart")), harder).endswith("approved as tier 2: Do restart")


def test_a_step_is_named_with_its_number_and_title_and_a_single_action_needs_neither() -> None:
    single = part("drain")

    assert step_text(THREE, 2) == "step 2 of 3 (Do restart)"
    assert (with_step(THREE, 2, "done."), with_step(single, 1, "done.")) == ("step 2 of 3 (Do restart): done.", "done.")
    assert [not_run_text(THREE, step) for step in (1, 2, 3)] == [" Steps 2 and 3 did not run.", " Step 3 did not run.", ""]
    assert not_run_text(single, 1) == ""


@pytest.mark.parametrize(
    ("runs", "over", "states"),
    [
        ([], False, ["waiting", "waiting", "waiting"]),
        ([StepRun(1, "started", "")], False, ["running", "waiting", "waiting"]),
        ([StepRun(1, "done", "")], False, ["ran", "waiting", "waiting"]),
        ([StepRun(1, "done", "recovered: 0 %"), StepRun(2, "started", "")], False, ["recovered", "running", "waiting"]),
        ([StepRun(1, "done", "recovered: 0 %"), StepRun(2, "failed", "")], True, ["recovered", "failed", "not run"]),
        ([StepRun(1, "unknown", "")], True, ["unknown", "not run", "not run"]),
        ([StepRun(1, "done", "not recovered: 9 %")], True, ["not recovered", "not run", "not run"]),
    ],
)
def test_each_step_says_how_far_it_is(runs: list[StepRun], over: bool, states: list[str]) -> None:
    assert list(step_states(THREE, runs, over=over)) == states
