"""Tool calls in the words of people."""

import pytest

from bot.core.tool_calls import could_not_check, describe_call, failure_of, without_lead
from tests.unit.tools.tool_fixture import INFOS


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
def test_a_call_is_described_without_names_of_arguments(tool: str, arguments: dict[str, object], told: str) -> None:
    assert describe_call(INFOS, tool, arguments) == told


def test_a_failed_check_says_once_that_it_failed() -> None:
    summary = could_not_check("health of checkout", "connection refused")

    assert summary == "Could not check (health of checkout): connection refused"
    assert without_lead(summary) == "health of checkout: connection refused"
    assert without_lead("node metrics") == "node metrics"


def test_what_older_versions_stored_of_a_failed_check_is_read() -> None:
    assert failure_of("Could not look (query_metric: max(up), minutes=30): refused") == (
        "query_metric: max(up), minutes=30",
        "refused",
    )
    assert failure_of("checkout errors rose") is None
