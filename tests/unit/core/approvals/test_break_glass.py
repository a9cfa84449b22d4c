"""Break-glass as a rule: what it replaces, what it never does, and who looks at it afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.action import DecisionChoice, Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.break_glass import may_break_glass, may_review, review_by
from bot.core.approvals.policy import quorum
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext, RuleResult
from bot.core.approvals.roster import Eligibility
from bot.core.config.actions import Freeze
from tests.unit.builders import NOW, at

NAMED = Eligibility(person="bob", in_roster=True)
FREEZE = Freeze(starts=at(-10), ends=at(10), reason="holidays")


def request(tier: Tier = Tier.THREE, **values: Any) -> ActionRequest:
    return ActionRequest("failover", "checkout", tier, ("checkout",), dry_run_ok=True, notified_at=NOW, **values)


def context(**values: Any) -> DecisionContext:
    return DecisionContext(**{"now": NOW, "severity": Severity.SEV2, "backed_severity": Severity.SEV2, **values})


def asks(about: ActionRequest, around: DecisionContext, **values: Any) -> RuleResult:
    given = {"named": ("bob",), "reason": "no owner can be reached", **values}
    return may_break_glass(Actor(person="bob"), NAMED, about, around, **given)


@pytest.mark.parametrize("tier", [Tier.ONE, Tier.TWO, Tier.THREE])
def test_who_is_named_approves_tiers_one_to_three_alone_even_what_they_asked_for(tier: Tier) -> None:
    assert asks(request(tier, requester="bob"), context()).allow


@pytest.mark.parametrize("tier", [Tier.ZERO, Tier.X])
def test_what_is_never_done_and_what_needs_nobody_have_no_glass_to_break(tier: Tier) -> None:
    assert not asks(request(tier), context()).allow


def test_nobody_is_named_by_default() -> None:
    refused = asks(request(), context(), named=())

    assert not refused.allow and "names no one" in refused.explanation


def test_it_needs_a_reason() -> None:
    assert "needs a reason" in asks(request(), context(), reason="  ").text


@pytest.mark.parametrize(
    ("around", "rule"),
    [
        ({"paused": "by alice"}, "paused"),
        ({"stopped": True}, "stopped"),
        ({"freezes": (FREEZE,)}, "freeze"),
        ({"incident_open": False}, "closed"),
    ],
)
def test_it_passes_no_pause_no_stop_no_freeze_and_no_closed_incident(around: dict[str, Any], rule: str) -> None:
    assert asks(request(), context(**around)).rule == rule


def test_nobody_lets_themselves_through_a_freeze_by_the_severity_that_they_declared() -> None:
    around = context(freezes=(FREEZE,), declarers=frozenset({"bob"}))

    assert asks(request(Tier.TWO, undo_of_change=True), around).rule == "requester"


def test_an_overdue_review_stands_in_the_way_but_not_in_a_severe_incident() -> None:
    calm = context(backed_severity=Severity.SEV3)

    assert "overdue for review" in asks(request(), calm, overdue="AP-1").text
    assert asks(request(), context(), overdue="AP-1").allow


def test_one_approval_in_force_carries_tier_three_and_one_that_is_not_does_not() -> None:
    plain = CountedDecision(NAMED, DecisionChoice.APPROVE, NOW, "no owner can be reached")
    alone = CountedDecision(NAMED, DecisionChoice.APPROVE, NOW, "no owner can be reached", break_glass=True)

    assert quorum(request(), [plain], context()).state == "pending"
    carried = quorum(request(), [alone], context())
    assert (carried.state, carried.break_glass, carried.solo) == ("approved", True, False)


def test_a_denial_wins_over_it() -> None:
    alone = CountedDecision(NAMED, DecisionChoice.APPROVE, NOW, "why", break_glass=True)
    denied = CountedDecision(Eligibility(person="alice", in_roster=True), DecisionChoice.DENY, NOW)

    assert quorum(request(), [alone, denied], context()).state == "denied"


def test_who_left_the_roster_since_approves_nothing() -> None:
    left = CountedDecision(Eligibility(), DecisionChoice.APPROVE, NOW, "why", break_glass=True)

    assert quorum(request(), [left], context()).state == "pending"


def test_the_review_is_due_after_three_working_days() -> None:
    monday, thursday = datetime(2026, 3, 2, 3, tzinfo=UTC), datetime(2026, 3, 5, 3, tzinfo=UTC)

    assert review_by(monday) == monday + timedelta(days=3)
    assert review_by(thursday) == thursday + timedelta(days=5)


def test_somebody_else_who_is_rostered_reviews_it() -> None:
    def reviews(person: str, **roles: Any) -> bool:
        return may_review(Actor(person=person), Eligibility(person=person, in_roster=True, **roles), "bob").allow

    assert reviews("alice", rostered=True)
    assert not reviews("bob", rostered=True)
    assert not reviews("mallory")
