"""What a team expects of its rules is checked by the rules themselves, and a changed file says whom it gives more."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.console.configuration.policy_checks import checked_lines, compared, difference_lines, read_situations, tiers_of
from bot.core.action import Tier
from bot.core.approvals.policies.situations import Situation
from bot.core.config import Config
from bot.core.errors import ConfigurationError
from tests.unit.test_readme import CONFIGURATION as EXAMPLE

ROOT = Path(__file__).parents[4]
SHIPPED = ROOT / "deploy" / "examples" / "policy_tests.yaml"
NIGHT = datetime(2026, 1, 6, 3, 0, tzinfo=UTC)


def config(**changes: Any) -> Config:
    """The README's example, with some of its parts changed."""
    return Config.model_validate({**yaml.safe_load(EXAMPLE), **changes})


def situation(**values: Any) -> Situation:
    fields = {"that": "t", "who": "alice", "action": "rollback", "service": "checkout", "at": NIGHT, "expect": "allow"}
    return Situation.model_validate({**fields, **values})


def said(**values: Any) -> str:
    """The line of one situation that is expected to be allowed."""
    (line, _), _ = checked_lines(config(), [situation(**values)], NIGHT)
    return line


def test_the_shipped_situations_come_out_as_expected_of_the_readme_s_example() -> None:
    lines, wrong = checked_lines(config(), read_situations(SHIPPED))

    assert wrong == 0, "\n".join(lines)


def test_a_situation_that_comes_out_otherwise_is_told_with_the_rule_and_its_reason() -> None:
    line = said(requester="alice", severity="SEV2")

    assert line.startswith("FAILED  t: denied (requester), expected allow. You asked for this, so you can't approve it.")


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({}, "allowed (may approve)"),
        ({"who": "bob"}, "allowed (may approve)"),
        ({"account": "stranger"}, "denied (other workspace)"),
        ({"account": "bot"}, "denied (only humans)"),
        ({"incident_open": False}, "denied (closed)"),
        ({"dry_run_works": False}, "denied (dry run)"),
        ({"ask": "propose"}, "allowed (may propose)"),
        ({"ask": "deny", "requester": "alice"}, "allowed (may deny)"),
        ({"ask": "run", "who": ""}, "denied (not an approver)"),
        ({"ask": "run", "who": "", "approved_by": ["bob"]}, "allowed (may start)"),
    ],
)
def test_each_question_is_answered_by_the_rules_that_decide_at_night(values: dict[str, Any], answer: str) -> None:
    assert answer in said(**values)


def test_a_name_that_is_not_there_is_an_error_and_never_a_denial() -> None:
    people = {"who": "mallory"}, {"approved_by": ["mallory"]}, {"groups": {"S1": ["alice", "mallory"]}}
    for wrong in (*people, {"action": "reboot"}, {"service": "cart"}):
        with pytest.raises(ConfigurationError, match="is not among"):
            said(**wrong)


def test_a_misspelt_key_names_its_place(tmp_path: Path) -> None:
    file = tmp_path / "policy_tests.yaml"
    file.write_text("- {that: x, action: rollback, service: checkout, expects: allow}\n")

    with pytest.raises(ConfigurationError, match="policy_tests"):
        read_situations(file)


def test_the_tier_is_that_of_the_kind_raised_by_the_file() -> None:
    actions = yaml.safe_load(EXAMPLE)["actions"]
    raised = {**actions, "rollback": {**actions["rollback"], "tier": 3}}

    assert (tiers_of(config())["rollback"], tiers_of(config(actions=raised))["rollback"]) == (Tier.TWO, Tier.THREE)


PLAN = {"back-again": {"steps": [{"action": "rollback"}, {"action": "rollback"}]}}


def test_a_plan_is_asked_about_like_an_action_with_the_tier_of_its_steps_and_at_least_two() -> None:
    with_plan = config(plans=PLAN)
    about = {"action": "back-again", "requester": "alice", "expect": "deny"}

    lines, wrong = checked_lines(with_plan, [situation(**about), situation(**about, who="bob")], NIGHT)

    assert tiers_of(with_plan)["back-again"] is Tier.TWO
    assert wrong == 1 and "denied (requester)" in lines[0] and "allowed (may approve)" in lines[1]


def test_a_new_plan_is_told_as_wider() -> None:
    lines = difference_lines(compared(config(), config(plans=PLAN), NIGHT))

    assert "WIDER     alice may approve back-again on checkout (Tocsin's own proposal)" in lines


def test_the_same_file_allows_the_same() -> None:
    assert difference_lines(compared(config(), config(), NIGHT)) == ["Nobody may do more or less than before."]


def test_a_new_deputy_is_told_as_wider_and_its_removal_as_narrower() -> None:
    without = config(approvers={"deputies": [], "admins": ["alice"]})

    wider = difference_lines(compared(without, config(), NIGHT))
    narrower = difference_lines(compared(config(), without, NIGHT))

    assert "WIDER     bob may approve rollback on checkout (Tocsin's own proposal)" in wider
    assert "narrower  bob may approve rollback on checkout (Tocsin's own proposal)" in narrower
    assert not [line for line in narrower if line.startswith("WIDER")]


def test_solo_at_once_and_a_lower_tier_are_told() -> None:
    actions = yaml.safe_load(EXAMPLE)["actions"]
    lower = {**actions, "rollback": {**actions["rollback"], "idempotent": True}}

    lines = difference_lines(compared(config(), config(actions=lower), NIGHT))

    assert "tier      rollback: tier 2 → tier 1" in lines
    assert "WIDER     alice may approve rollback on checkout (their own request)" in lines
