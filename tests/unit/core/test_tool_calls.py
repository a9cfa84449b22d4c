"""What a look was at, as people say it."""

import pytest

from bot.core.tool_calls import could_not_look, looked_at, unseen


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("service_health", {"service": "checkout"}, "health of checkout"),
        ("recent_changes", {"service": "", "hours": 6}, "changes"),
        ("active_alerts", {"service": "cart"}, "alerts on cart"),
        ("metric_breakdown", {"service": "pay", "signal": "errors"}, "pay errors split"),
        ("ask_mcp", {"server": "wiki", "name": "", "arguments": "{a}"}, "ask mcp of wiki, {a}"),
    ],
)
def test_a_look_is_told_without_names_of_arguments(tool: str, arguments: dict[str, object], told: str) -> None:
    assert looked_at(tool, arguments) == told


def test_a_failed_look_says_once_that_it_failed() -> None:
    summary = could_not_look("health of checkout", "connection refused")

    assert summary == "Could not look (health of checkout): connection refused"
    assert unseen(summary) == "health of checkout: connection refused"
    assert unseen("node metrics") == "node metrics"
