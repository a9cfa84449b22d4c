"""A variable that nothing reads is named, with the name that is probably meant."""

import pytest

from bot.settings import parse_config
from bot.variable_notices import unread_variables

CONFIG = parse_config(
    """
sources: {prod-eu: {kind: alertmanager}, gitlab: {kind: gitlab}}
systems: {web: {status-page: {url: https://status.example.com}}}
"""
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOCSIN_TOKEN_PRODEU", "TOCSIN_TOKEN_PROD_EU is probably meant, for which sources.prod-eu waits"),
        ("TOCSIN_TOKEN_GITHUB", "TOCSIN_TOKEN_GITLAB is probably meant, for which sources.gitlab waits"),
        ("TOCSIN_WEB_TOKEN_STATUSPAGE", "TOCSIN_WEB_TOKEN_STATUS_PAGE is probably meant"),
        ("TOCSIN_SLACK_BOT_TOKN", "TOCSIN_SLACK_BOT_TOKEN is probably meant"),
        ("TOCSIN_MCP_TOKEN_GRAFANA", "no entry of `systems.mcp` has this name; those that there are read none"),
    ],
)
def test_a_variable_that_nothing_reads_is_named_with_its_nearest(name: str, meant: str) -> None:
    (notice,) = unread_variables(CONFIG, {name: "secret-value"})

    assert notice.startswith(f"{name} is read by nothing: {meant}") and "secret-value" not in notice


def test_a_token_that_is_there_already_is_not_suggested() -> None:
    (notice,) = unread_variables(CONFIG, {"TOCSIN_TOKEN_PRODEU": "a", "TOCSIN_TOKEN_PROD_EU": "b"})

    assert "TOCSIN_TOKEN_PROD_EU is probably meant" not in notice


def test_variables_that_are_read_and_those_of_others_are_not_named() -> None:
    read = ("TOCSIN_TOKEN_PROD_EU", "TOCSIN_TOKEN_API", "TOCSIN_PORT", "TOCSIN_WEB_TOKEN_STATUS_PAGE")
    of_kubernetes = ("TOCSIN_SERVICE_HOST", "TOCSIN_PORT_8000_TCP_ADDR", "HOME")

    assert unread_variables(CONFIG, dict.fromkeys((*read, *of_kubernetes), "x")) == []
