"""Whoever names an action in a hint asked for it."""

from datetime import timedelta

import pytest

from bot.core.approvals.hints import Hint, who_named
from bot.core.approvals.remedies import Remedy
from bot.core.change import Change
from bot.core.config.actions import ActionConfig
from tests.unit.builders import NOW

ROLLBACK = ActionConfig(kind="run_webhook", title="Roll back {service}", url="http://jobs.example/rollback")
DEPLOY = Change(
    id="deploy-812",
    at=NOW - timedelta(minutes=5),
    service="checkout",
    kind="deploy",
    title="5.1.0",
    version="5.1.0",
    previous_version="5.0.3",
)


def named(text: str, service: str = "checkout") -> frozenset[str]:
    remedy = Remedy("rollback", service, {"change_id": DEPLOY.id})
    return who_named([Hint("alice", text)], remedy, ROLLBACK, own_service="checkout", change=DEPLOY)


@pytest.mark.parametrize(
    "text",
    [
        "roll back checkout",
        "please Roll-Back",
        "revert the deploy",
        "go back to the last one",
        "5.0.3 was fine",
        "is it deploy-812?",
    ],
)
def test_who_names_the_action_or_what_it_takes_back_asked_for_it(text: str) -> None:
    assert named(text) == {"alice"}


@pytest.mark.parametrize("text", ["why do errors rise on checkout?", "is it the database?", ""])
def test_who_only_asks_why_did_not(text: str) -> None:
    assert named(text) == frozenset()


def test_who_names_another_service_fixed_the_target() -> None:
    assert named("look at payments", service="payments") == {"alice"}
