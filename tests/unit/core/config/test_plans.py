"""What is wrong with a plan is said at the start, with its line."""

from typing import Any

import pytest
import yaml

from bot.core.errors import ConfigurationError
from bot.settings import parse_config

ACTIONS = {
    name: {"kind": "run_webhook", "url": f"https://jobs.example.com/{name}"}
    for name in ("drain", "restart")
} | {"only-search": {"kind": "run_webhook", "url": "https://jobs.example.com/s", "services": ["search"]}}  # fmt: skip
STEPS: list[dict[str, Any]] = [{"action": "drain"}, {"action": "restart"}]


def parsed(name: str = "calm", **plan: Any) -> Any:
    content = {"services": {"checkout": {}, "search": {}}, "actions": ACTIONS, "plans": {name: {"steps": STEPS, **plan}}}
    return parse_config(yaml.safe_dump(content))


def test_steps_are_entries_of_the_catalogue_with_arguments() -> None:
    config = parsed(steps=[{"action": "drain", "arguments": {"zone": "a", "pods": 3}}, {"action": "restart"}])

    assert [(step.action, step.arguments) for step in config.plans["calm"].steps] == [
        ("drain", {"zone": "a", "pods": 3}),
        ("restart", {}),
    ]


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ({"steps": STEPS[:1]}, "at least 2 items"),
        ({"steps": STEPS * 3}, "at most 5 items"),
        ({"steps": [*STEPS, {"action": "pray"}]}, "'pray' is not among actions"),
        ({"steps": [*STEPS, {"action": "drain", "arguments": {"deep": [{"share": 0.5}]}}]}, "share has more than one spelling"),
        ({"tier": 1}, "1 is no tier of a plan: 2 or 3"),
        ({"services": ["cart"]}, "'cart' is not among services"),
        ({"services": ["checkout"], "steps": [*STEPS, {"action": "only-search"}]}, "only-search is not for checkout"),
        ({"name": "drain"}, "'drain' is among actions too"),
    ],
)
def test_a_plan_that_could_not_run_stops_the_start(plan: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        parsed(**plan)
