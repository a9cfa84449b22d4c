"""The ladder: what each rung refuses, and the share that is verified."""

import pytest

from bot.core.action import Autonomy, Tier
from bot.core.approvals.autonomy import TrackRecord, may_be_proposed, may_run, wilson_lower_bound
from bot.core.approvals.policy import policy_version
from bot.core.approvals.policy_types import ActionRequest
from bot.core.config import Config


def request(autonomy: Autonomy) -> ActionRequest:
    return ActionRequest("restart", "checkout", Tier.ONE, ("checkout",), autonomy=autonomy)


@pytest.mark.parametrize(
    ("autonomy", "proposed", "runs"),
    [("observe", False, False), ("suggest", True, False), ("approve", True, True), ("standing", True, True)],
)
def test_each_rung_allows_what_the_one_below_does_and_more(autonomy: str, proposed: bool, runs: bool) -> None:
    about = request(Autonomy(autonomy))

    assert (may_be_proposed(about) is None, may_run(about) is None) == (proposed, runs)


def test_a_service_says_it_for_all_actions_and_for_single_ones() -> None:
    autonomy = {"checkout": "suggest", "search": {"default": "observe", "actions": {"restart": "standing"}}}
    config = Config.model_validate({"autonomy": autonomy})

    assert config.autonomy_of("checkout", "restart") is Autonomy.SUGGEST
    assert config.autonomy_of("search", "restart") is Autonomy.STANDING_APPROVAL
    assert config.autonomy_of("search", "rollback") is Autonomy.OBSERVE
    assert config.autonomy_of("payments", "rollback") is Autonomy.APPROVE


def test_the_version_of_the_policy_covers_it() -> None:
    assert policy_version(Config()) != policy_version(Config.model_validate({"autonomy": {"checkout": "suggest"}}))
    assert policy_version(Config()) != policy_version(Config.model_validate({"standing_approvals": {"verified": 6}}))


@pytest.mark.parametrize(("verified", "tries", "bound"), [(0, 0, 0.0), (5, 5, 0.566), (9, 10, 0.596), (0, 5, 0.0)])
def test_the_lower_bound_is_wilsons(verified: int, tries: int, bound: float) -> None:
    assert wilson_lower_bound(verified, tries) == pytest.approx(bound, abs=0.001)
    assert TrackRecord("checkout", "restart", tries, verified).at_least == pytest.approx(bound, abs=0.001)


def test_fewer_verified_runs_than_five_cannot_be_configured() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 5"):
        Config.model_validate({"standing_approvals": {"verified": 4}})
