"""What all end-to-end tests share: PostgreSQL, and the logs of the processes that ran when a test failed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.postgres import postgres_server, postgres_url
from tests.real.processes import Process

__all__ = ["postgres_server", "postgres_url"]

FIGURES: list[str] = []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Put the end of the log of each process under a failed test; of what ran for it alone, if it ended before."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [(f"log of {process.name} ({process.log})", process.tail()) for process in Process.started]
    if report.when == "teardown":
        Process.started[:] = [process for process in Process.started if process.alive]


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """Lines printed at the end of the run: what was measured."""
    return FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures."""
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)
