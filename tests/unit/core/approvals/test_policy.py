"""Who may propose, decide and start: deny by default."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Tier
from bot.core.actor import Actor
from bot.core.alert import Severity
from bot.core.approvals.policy import may_decide, may_propose, may_start, policy_version, quorum, tier_with
from bot.core.approvals.policy_types import ActionRequest, CountedDecision, DecisionContext
from bot.core.approvals.roster import Eligibility, Rota
from bot.core.config import Config, Freeze
from tests.unit.builders import NOW, at

ROTA = Rota(on_call=("alice",))


def who(person: str = "alice", **roles: Any) -> Eligibility:
    return Eligibility(**{"person": person, "known": True, "rostered": True, "rota": ROTA, **roles})


def ask(tier: Tier = Tier.TWO, **values: Any) -> ActionRequest:
    fields = {"action": "rollback", "service": "checkout", "targets": ("checkout",), "dry_run_ok": True, "notified_at": NOW}
    return ActionRequest(tier=tier, **{**fields, **values})


def scene(**values: Any) -> DecisionContext:
    return DecisionContext(**{"now": NOW, "severity": Severity.SEV2, **values})


def approves(standing: Eligibility, asked: ActionRequest, around: DecisionContext, **flags: Any) -> Any:
    reason = flags.pop("reason", "")
    return may_decide(Actor(person=standing.person, **flags), standing, asked, around, "approve", reason=reason)


def said(standing: Eligibility, verdict: Any = "approve", **values: Any) -> CountedDecision:
    return CountedDecision(**{"standing": standing, "verdict": verdict, "at": NOW, **values})


@pytest.mark.parametrize("role", ["on_call", "commander", "deputy"])
def test_on_call_commander_and_deputy_approve_tier_two(role: str) -> None:
    assert approves(who(**{role: True}), ask(), scene()).allow


@pytest.mark.parametrize("roles", [{}, {"owner": True}, {"secondary": True}, {"admin": True}])
def test_nobody_else_approves_tier_two(roles: dict[str, bool]) -> None:
    assert approves(who(**roles), ask(), scene()).rule == "not an approver"


@pytest.mark.parametrize("flag", ["is_bot", "is_guest", "is_deleted", "is_stranger"])
def test_guests_bots_strangers_and_deactivated_never_qualify_even_on_call(flag: str) -> None:
    ruling = approves(who(on_call=True), ask(Tier.ONE), scene(), **{flag: True})

    assert not ruling.allow


def test_the_requester_approves_tier_one_and_not_tier_two() -> None:
    person = who(on_call=True)

    assert approves(person, ask(Tier.ONE, requester="alice"), scene()).allow
    assert approves(person, ask(Tier.TWO, requester="alice"), scene()).rule == "requester"


def test_alone_at_night_the_on_call_approves_after_two_minutes_with_a_reason() -> None:
    asked, later = ask(requester="alice"), scene(now=at(2))

    assert approves(who(on_call=True), asked, later).rule == "solo reason"
    ruling = approves(who(on_call=True), asked, later, reason="nobody answers")
    assert (ruling.allow, ruling.solo) == (True, True)


BACK = {"requester": "alice", "undoes_change": True, "back_to": "1.4"}
VERIFIED = {"severity": Severity.SEV2, "verified_revision": "1.4"}


def test_alone_a_rollback_to_the_last_verified_revision_does_not_wait_but_has_a_reason() -> None:
    person = who(on_call=True)

    assert approves(person, ask(**BACK), scene(**VERIFIED)).rule == "solo reason"
    ruling = approves(person, ask(**BACK), scene(**VERIFIED), reason="it broke again")
    assert (ruling.allow, ruling.solo) == (True, True)
    own = [said(person, "approve", reason="it broke again")]
    assert quorum(ask(**BACK), own, scene(**VERIFIED)).solo


@pytest.mark.parametrize(
    ("asked", "around"),
    [
        ({"back_to": "1.3"}, {}),
        ({"back_to": ""}, {"verified_revision": ""}),
        ({"undoes_change": False}, {}),
        ({}, {"severity": Severity.SEV3}),
        ({}, {"severity": Severity.NONE}),
        ({}, {"solo": "off"}),
    ],
)
def test_alone_everything_else_waits(asked: dict[str, Any], around: dict[str, Any]) -> None:
    ruling = approves(who(on_call=True), ask(**{**BACK, **asked}), scene(**{**VERIFIED, **around}), reason="r")

    assert ruling.rule == "requester"


def test_solo_ends_once_somebody_else_acted_or_where_it_is_off() -> None:
    person, asked = who(on_call=True), ask(requester="alice")
    other = [said(who("bob", deputy=True), "deny")]

    assert not may_decide(Actor(person="alice"), person, asked, scene(now=at(9)), "approve", reason="r", others=other).allow
    assert not approves(person, asked, scene(now=at(9), solo="off"), reason="r").allow


def test_tier_three_is_never_solo_and_needs_an_owner() -> None:
    asked = ask(Tier.THREE, requester="alice")

    assert quorum(asked, [said(who(on_call=True))], scene()).state == "partly approved"
    assert quorum(asked, [said(who(on_call=True)), said(who("bob", deputy=True))], scene()).state == "partly approved"
    assert quorum(asked, [said(who(on_call=True)), said(who("olga", owner=True))], scene()).state == "approved"


def test_when_commander_and_owner_are_one_any_other_rostered_engineer_is_the_second() -> None:
    both = said(who("olga", owner=True, commander=True))

    assert quorum(ask(Tier.THREE), [both, said(who("dan"))], scene()).state == "approved"


def test_an_approval_of_somebody_who_lost_the_role_is_not_counted() -> None:
    assert quorum(ask(), [said(who("bob"))], scene()).state == "pending"


def test_tier_x_is_never_approved_or_proposed() -> None:
    assert approves(who(on_call=True), ask(Tier.X), scene()).rule == "tier X"
    assert may_propose(None, None, ask(Tier.X), scene()).rule == "tier X"


def test_a_freeze_denies_and_an_open_sev2_lets_a_rollback_pass() -> None:
    around = scene(freezes=(Freeze(starts=at(-1), ends=at(9), reason="sale"),))

    assert may_start(ask(), around).rule == "freeze"
    assert may_start(ask(undoes_change=True), around).allow
    assert may_start(ask(undoes_change=True), replace(around, severity=Severity.SEV3)).rule == "freeze"


@pytest.mark.parametrize(("values", "rule"), [({"paused": "by bob"}, "paused"), ({"stopped": True}, "stopped")])
def test_pause_and_stop_deny_at_every_question(values: dict[str, Any], rule: str) -> None:
    around = scene(**values)

    assert may_propose(None, None, ask(), around).rule == rule
    assert approves(who(on_call=True), ask(), around).rule == rule
    assert may_start(ask(), around).rule == rule


def test_five_targets_an_hour_and_no_more() -> None:
    assert may_start(ask(), scene(recent_targets=("a",) * 4)).allow
    assert may_start(ask(), scene(recent_targets=("a",) * 5)).rule == "blast radius"


def test_one_runs_at_a_time_on_a_service() -> None:
    assert may_start(ask(), scene(running_on_service="AP-2")).rule == "busy"


def test_a_sixth_open_proposal_and_a_second_on_a_target_are_refused() -> None:
    assert may_propose(None, None, ask(), scene(open_here=5)).rule == "open proposals"
    assert may_propose(None, None, ask(), scene(open_on_targets="AP-2")).rule == "one a target"


def test_an_unreachable_rota_serves_tier_two_from_a_copy_and_refuses_tier_three() -> None:
    old = Rota(on_call=("alice",), age=timedelta(hours=3))
    person = who(on_call=True, rota=old)

    assert approves(person, ask(), scene()).allow
    assert approves(person, ask(Tier.THREE), scene()).rule == "rota unreachable"


def test_an_error_in_a_rule_denies() -> None:
    naive = Freeze.model_construct(starts=NOW.replace(tzinfo=None), ends=NOW.replace(tzinfo=None), reason="broken")

    assert may_start(ask(), scene(freezes=(naive,))).rule == "error"
    assert approves(who(on_call=True), ask(), scene(freezes=(naive,))).rule == "error"


def test_without_a_fresh_dry_run_nothing_from_tier_two_on_is_approved() -> None:
    assert approves(who(on_call=True), ask(dry_run_ok=False), scene()).rule == "dry run"
    assert approves(who(on_call=True), ask(Tier.ONE, dry_run_ok=False), scene()).allow


def test_configuration_raises_a_tier_and_never_lowers_it() -> None:
    entry = Config.model_validate({"actions": {"a": {"kind": "run_webhook", "tier": 1}}}).actions["a"]

    assert tier_with(Tier.TWO, entry, 1) is Tier.TWO
    assert tier_with(Tier.ONE, entry.model_copy(update={"tier": 3}), 1) is Tier.THREE
    assert tier_with(Tier.ONE, entry, 2) is Tier.TWO


def test_the_policy_version_changes_with_the_approvers() -> None:
    assert policy_version(Config()) != policy_version(Config.model_validate({"solo": "off"}))
