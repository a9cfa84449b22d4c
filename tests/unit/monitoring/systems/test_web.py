"""Paths of the team's own servers: one that does not begin with a slash would go on the host's name."""

import pytest

from bot.monitoring.systems.web import _fits, stays_on


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/api/state", "/api/state", True),
        ("/api/jobs/7", "/api/jobs/*", True),
        ("api/state", "api/state", False),
        (".evil.example/x", ".evil.example/*", False),
        ("/api/../state", "/api/*", False),
    ],
)
def test_only_whole_paths_that_begin_with_a_slash_are_compared(path: str, pattern: str, fits: bool) -> None:
    assert _fits(path, pattern) is fits


@pytest.mark.parametrize("path", ["@evil.example/x", ":8080/x", ".evil.example/x", "\x00/x"])
def test_an_address_that_a_client_reads_as_another_server_s_is_not_asked(path: str) -> None:
    assert not stays_on("http://status.example", path)
    assert stays_on("http://status.example", "/api/x") and stays_on("http://status.example:9000/base/", "/x@y:1")
