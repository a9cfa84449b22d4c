"""What may be granted, and what ends a grant."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Plan, ProposalState, Tier
from bot.core.approvals.standing import Grant, RunEnd, harm, why_not_granted
from bot.core.config import Config

GRANT = Grant(action="restart", targets=("checkout",), alert="ErrorsHigh", per_day=1, days=90, action_version="1")
ACTIONS = {name: {"kind": "run_webhook"} for name in ("restart", "drain_node", "delete-cache")}
STANDING = Config.model_validate({"autonomy": {"checkout": "standing"}, "actions": ACTIONS})


def plan(**values: Any) -> Plan:
    fields: dict[str, Any] = {
        "action": "restart", "action_version": "1", "kind": "run_webhook", "service": "checkout", "title": "Restart checkout",
        "arguments": {}, "targets": {"checkout": ""}, "steps": [], "dry_run": "", "dry_run_ok": True, "tier": Tier.ONE,
        "undo": "",
    }  # fmt: skip
    return Plan.model_validate({**fields, **values})


def end(state: str, action: str = "restart", service: str = "checkout", *, by_people: bool = False) -> RunEnd:
    return RunEnd("AP-9", service, action, ProposalState(state), by_people)


def test_what_was_verified_often_enough_may_be_granted() -> None:
    assert why_not_granted(STANDING, plan(), 5) == ""


@pytest.mark.parametrize(
    ("values", "verified", "why"),
    [
        ({}, 4, "verified 4 times in a row"),
        ({"tier": Tier.THREE}, 5, "only tiers 1 and 2"),
        ({"action": "drain_node"}, 5, "what drains never stands"),
        ({"action": "delete-cache", "tier": Tier.TWO}, 5, "what deletes never stands"),
        ({"action": "move-region"}, 5, "no single action of the catalogue"),
        ({"service": "search"}, 5, "is not standing in tocsin.yaml"),
    ],
)
def test_what_may_not_be_granted_says_why(values: dict[str, Any], verified: int, why: str) -> None:
    assert why in why_not_granted(STANDING, plan(**values), verified)


def test_a_team_may_demand_more_runs() -> None:
    config = Config.model_validate(
        {"autonomy": {"checkout": "standing"}, "actions": ACTIONS, "standing_approvals": {"verified": 8}}
    )

    assert "8 are needed" in why_not_granted(config, plan(), 7)


@pytest.mark.parametrize("state", ["not recovered", "could not verify", "failed", "unknown"])
def test_any_end_of_its_own_but_a_verified_one_ends_it(state: str) -> None:
    assert harm(GRANT, "checkout", "undo", [end("succeeded"), end(state)]) == f"AP-9 (restart on checkout) ended as {state}"


def test_an_undo_ends_it_if_people_wanted_it() -> None:
    assert "people undid it" in harm(GRANT, "checkout", "undo", [end("succeeded", "undo", by_people=True)])
    assert harm(GRANT, "checkout", "undo", [end("succeeded", "undo")]) == ""


def test_two_failed_verifications_in_a_row_end_it_and_two_apart_do_not() -> None:
    other, good = end("not recovered", "scale", "search"), end("succeeded", "scale", "search")

    assert "two failed verifications" in harm(GRANT, "checkout", "", [other, other])
    assert "two failed verifications" in harm(GRANT, "checkout", "", [other], earlier=other)
    assert harm(GRANT, "checkout", "", [other, good, other]) == ""


def test_what_happened_before_the_grant_does_not_end_it_by_itself() -> None:
    assert harm(GRANT, "checkout", "", [end("succeeded")], earlier=end("failed")) == ""


def test_people_who_set_it_otherwise_by_the_same_action_end_it() -> None:
    otherwise = end("succeeded", by_people=True)._replace(as_granted=False)

    assert harm(GRANT, "checkout", "", [otherwise]) == "people set it otherwise (AP-9)"
    assert harm(GRANT, "checkout", "", [otherwise._replace(by_people=False)]) == ""


def test_what_it_means_is_said_in_words() -> None:
    scale = GRANT.model_copy(update={"action": "scale", "arguments": {"replicas": "6"}})

    assert "propose scale replicas=6 on checkout, it starts 5 min later" in scale.text("checkout", timedelta(minutes=5))
