"""Who may propose, decide and start: deny by default."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import DecisionChoice, Replicas, Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.policy import may_decide, may_propose, may_start, policy_version, quorum, tier_with
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext, names_text
from bot.core.approvals.roster import Eligibility, Rota
from bot.core.config import Config
from bot.core.config.actions import Freeze, Limits, SoloMode
from tests.unit.builders import NOW, at

ROTA = Rota(on_call=("alice",))


def who(person: str = "alice", **roles: Any) -> Eligibility:
    return Eligibility(**{"person": person, "in_roster": True, "rostered": True, "rota": ROTA, **roles})


def request(tier: Tier = Tier.TWO, **values: Any) -> ActionRequest:
    fields = {"action": "rollback", "service": "checkout", "targets": ("checkout",), "dry_run_ok": True, "notified_at": NOW}
    return ActionRequest(tier=tier, **{**fields, **values})


def context(**values: Any) -> DecisionContext:
    return DecisionContext(**{"now": NOW, "severity": Severity.SEV2, "backed_severity": Severity.SEV2, **values})


def approves(eligibility: Eligibility, request: ActionRequest, now: DecisionContext, **flags: Any) -> Any:
    reason = flags.pop("reason", "")
    return may_decide(
        Actor(person=eligibility.person, **flags), eligibility, request, now, DecisionChoice.APPROVE, reason=reason
    )


def decision(eligibility: Eligibility, verdict: str = "approve", **values: Any) -> CountedDecision:
    return CountedDecision(**{"eligibility": eligibility, "verdict": DecisionChoice(verdict), "at": NOW, **values})


@pytest.mark.parametrize("role", ["on_call", "commander", "deputy"])
def test_on_call_commander_and_deputy_approve_tier_two(role: str) -> None:
    assert approves(who(**{role: True}), request(), context()).allow


@pytest.mark.parametrize("roles", [{}, {"owner": True}, {"secondary": True}, {"admin": True}])
def test_nobody_else_approves_tier_two(roles: dict[str, bool]) -> None:
    assert approves(who(**roles), request(), context()).rule == "not an approver"


def test_a_refusal_names_who_can_instead_or_describes_them() -> None:
    named = approves(who(), request(), context(approvers=("alice", "bob")))
    nobody_on_call = approves(who(), request(), context())

    assert named.explanation == "You can't approve this. alice or bob can."
    assert nobody_on_call.explanation.startswith("You can't approve this. Who may: checkout on-call, the incident commander")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("alice",), "alice"),
        (("a", "b", "c", "d"), "a, b, c or d"),
        (("a", "b", "c", "d", "e"), "a, b, c, d or 1 other"),
        (tuple("abcdefg"), "a, b, c, d or 3 others"),
    ],
)
def test_a_refusal_names_at_most_four_people(names: tuple[str, ...], text: str) -> None:
    assert names_text(names) == text


@pytest.mark.parametrize("flag", ["is_bot", "is_guest", "is_deleted", "is_stranger"])
def test_guests_bots_strangers_and_deactivated_never_qualify_even_on_call(flag: str) -> None:
    answer = approves(who(on_call=True), request(Tier.ONE), context(), **{flag: True})

    assert not answer.allow


def test_the_requester_approves_tier_one_and_not_tier_two() -> None:
    person = who(on_call=True)

    assert approves(person, request(Tier.ONE, requester="alice"), context()).allow
    assert approves(person, request(Tier.TWO, requester="alice"), context()).rule == "requester"


def test_alone_at_night_the_on_call_approves_after_two_minutes_with_a_reason() -> None:
    own, later = request(requester="alice"), context(now=at(2))

    assert approves(who(on_call=True), own, later).rule == "solo reason"
    answer = approves(who(on_call=True), own, later, reason="nobody answers")
    assert (answer.allow, answer.solo) == (True, True)


BACK = {"requester": "alice", "undo_of_change": True, "target_revision": "1.4"}
VERIFIED = {"backed_severity": Severity.SEV2, "verified_revision": "1.4"}


def test_alone_a_rolltarget_revision_the_last_verified_revision_does_not_wait_but_has_a_reason() -> None:
    person = who(on_call=True)

    assert approves(person, request(**BACK), context(**VERIFIED)).rule == "solo reason"
    answer = approves(person, request(**BACK), context(**VERIFIED), reason="it broke again")
    assert (answer.allow, answer.solo) == (True, True)
    own = [decision(person, "approve", reason="it broke again")]
    assert quorum(request(**BACK), own, context(**VERIFIED)).solo


@pytest.mark.parametrize(
    ("values", "around"),
    [
        ({"target_revision": "1.3"}, {}),
        ({"target_revision": ""}, {"verified_revision": ""}),
        ({"undo_of_change": False}, {}),
        ({}, {"backed_severity": Severity.SEV3}),
        ({}, {"backed_severity": Severity.NONE}),
        ({}, {"solo": SoloMode.OFF}),
    ],
)
def test_alone_everything_else_waits(values: dict[str, Any], around: dict[str, Any]) -> None:
    answer = approves(who(on_call=True), request(**{**BACK, **values}), context(**{**VERIFIED, **around}), reason="r")

    assert answer.rule == "requester"


def test_solo_ends_once_somebody_else_acted_or_where_it_is_off() -> None:
    person, proposed = who(on_call=True), request(requester="alice")
    other = [decision(who("bob", deputy=True), "deny")]

    assert not may_decide(
        Actor(person="alice"), person, proposed, context(now=at(9)), DecisionChoice.APPROVE, reason="r", others=other
    ).allow
    assert not approves(person, proposed, context(now=at(9), solo=SoloMode.OFF), reason="r").allow


def test_tier_three_is_never_solo_and_needs_an_owner() -> None:
    proposed = request(Tier.THREE, requester="alice")

    first = decision(who(on_call=True))

    assert quorum(proposed, [first], context()).state == "partly approved"
    assert quorum(proposed, [first, decision(who("bob", deputy=True))], context()).state == "partly approved"
    assert quorum(proposed, [first, decision(who("olga", owner=True))], context()).state == "approved"


def test_when_commander_and_owner_are_one_any_other_rostered_engineer_is_the_second() -> None:
    both = decision(who("olga", owner=True, commander=True))

    assert quorum(request(Tier.THREE), [both, decision(who("dan"))], context()).state == "approved"


def test_an_approval_of_somebody_who_lost_the_role_is_not_counted() -> None:
    assert quorum(request(), [decision(who("bob"))], context()).state == "pending"


def test_tier_x_is_never_approved_or_proposed() -> None:
    assert approves(who(on_call=True), request(Tier.X), context()).rule == "tier X"
    assert may_propose(None, None, request(Tier.X), context()).rule == "tier X"


def test_a_freeze_denies_and_an_open_sev2_lets_a_rollback_pass() -> None:
    around = context(freezes=(Freeze(starts=at(-1), ends=at(9), reason="sale"),))

    assert may_start(request(), around).rule == "freeze"
    assert may_start(request(undo_of_change=True), around).allow
    assert may_start(request(undo_of_change=True), replace(around, backed_severity=Severity.SEV3)).rule == "freeze"


@pytest.mark.parametrize(("values", "rule"), [({"paused": "by bob"}, "paused"), ({"stopped": True}, "stopped")])
def test_pause_and_stop_deny_at_every_question(values: dict[str, Any], rule: str) -> None:
    around = context(**values)

    assert may_propose(None, None, request(), around).rule == rule
    assert approves(who(on_call=True), request(), around).rule == rule
    assert may_start(request(), around).rule == rule


def test_a_file_may_allow_fewer_targets_an_hour_and_fewer_open_proposals() -> None:
    few = Limits(targets_an_hour=2, open_proposals=1)

    assert may_start(request(), context(recent_targets=("a",) * 2, limits=few)).rule == "blast radius"
    assert may_propose(None, None, request(), context(open_here=1, limits=few)).rule == "open proposals"


def test_five_targets_an_hour_and_no_more() -> None:
    assert may_start(request(), context(recent_targets=("a",) * 4)).allow
    assert may_start(request(), context(recent_targets=("a",) * 5)).rule == "blast radius"


@pytest.mark.parametrize(
    ("desired", "away", "allowed"), [(4, 1, True), (4, 2, False), (1, 1, True), (10, 3, True), (10, 4, False)]
)
def test_at_most_30_percent_of_the_copies_go_at_once_or_one(desired: int, away: int, allowed: bool) -> None:
    asked = request(replicas={"shop/checkout": Replicas(desired=desired, away=away)})

    answers = [
        may_propose(None, None, asked, context()),
        approves(who(on_call=True), asked, context()),
        may_start(asked, context()),
    ]

    assert [answer.allow for answer in answers] == [allowed] * 3
    if not allowed:
        assert {answer.rule for answer in answers} == {"blast radius"}
        assert f"takes {away} of {desired} pods of shop/checkout away at once" in answers[0].explanation
        assert "take smaller steps" in answers[0].explanation


def test_one_runs_at_a_time_on_a_service() -> None:
    assert may_start(request(), context(running_on_service="AP-2")).rule == "busy"


def test_a_sixth_open_proposal_and_a_second_on_a_target_are_refused() -> None:
    assert may_propose(None, None, request(), context(open_here=5)).rule == "open proposals"
    assert may_propose(None, None, request(), context(open_on_targets="AP-2")).rule == "one a target"


def test_an_unreachable_rota_serves_tier_two_from_a_copy_and_refuses_tier_three() -> None:
    old = Rota(on_call=("alice",), age=timedelta(hours=3))
    person = who(on_call=True, rota=old)

    assert approves(person, request(), context()).allow
    assert approves(person, request(Tier.THREE), context()).rule == "rota unreachable"


def test_an_error_in_a_rule_denies() -> None:
    naive = Freeze.model_construct(starts=NOW.replace(tzinfo=None), ends=NOW.replace(tzinfo=None), reason="broken")

    assert may_start(request(), context(freezes=(naive,))).rule == "error"
    assert approves(who(on_call=True), request(), context(freezes=(naive,))).rule == "error"


def test_without_a_fresh_dry_run_nothing_from_tier_two_on_is_approved() -> None:
    assert approves(who(on_call=True), request(dry_run_ok=False), context()).rule == "dry run"
    assert approves(who(on_call=True), request(Tier.ONE, dry_run_ok=False), context()).allow


def test_configuration_raises_a_tier_and_never_lowers_it() -> None:
    entry = Config.model_validate({"actions": {"a": {"kind": "run_webhook", "tier": 1}}}).actions["a"]

    assert tier_with(Tier.TWO, entry, 1) is Tier.TWO
    assert tier_with(Tier.ONE, entry.model_copy(update={"tier": 3}), 1) is Tier.THREE
    assert tier_with(Tier.ONE, entry, 2) is Tier.TWO


def test_the_policy_version_changes_with_the_approvers() -> None:
    assert policy_version(Config()) != policy_version(Config.model_validate({"solo": "off"}))
