"""What all end-to-end tests share: PostgreSQL, the figures, and the logs of the processes that ran when a test failed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.lanes import pytest_xdist_make_scheduler
from tests.real.postgres import postgres_server, postgres_url
from tests.real.processes import Process

__all__ = ["postgres_server", "postgres_url", "pytest_xdist_make_scheduler"]

FIGURES: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--figures`: for whoever makes several runs and prints the figures of all."""
    parser.addoption("--figures", type=Path, help="add the figures to this file instead of printing them")


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


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist gives its figures to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's figures; one that died has none."""
    FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures, or keep them for later. Workers are asked too, and leave it to the process they gave theirs to."""
    if hasattr(config, "workeroutput"):
        return
    kept = config.getoption("figures")
    if kept and FIGURES:
        with kept.open("a") as file:
            file.writelines(line + "\n" for line in FIGURES)
    elif FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.write_line(line)
