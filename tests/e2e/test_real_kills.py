"""`kill -9` with real Prometheus and Alertmanager around it: three points of one incident, and each restart from nothing."""

import sys
from pathlib import Path

import pytest

from tests.crash.supervisor import Supervisor
from tests.real import PATIENCE
from tests.real.slack import COMMANDER
from tests.real.stack import Stack

pytestmark = pytest.mark.timeout(1800)

POINTS = ("triage/gather the facts#1:after", "remediation/claim#1:after", "remediation/execute#1:after")


def test_on_real_servers_three_kills_change_nothing_but_the_time(tmp_path: Path) -> None:
    (tmp_path / "points").write_text("\n".join(POINTS))
    with (
        Stack(tmp_path, command=[sys.executable, "-m", "tests.crash.bot", str(tmp_path)]) as stack,
        Supervisor(stack.bot) as supervisor,
    ):
        stack.monitoring.deploy("checkout", "1.5.0", errors=0.4)
        proposal = stack.slack.wait("proposal:", "APPROVAL NEEDED")
        stack.slack.press(COMMANDER, proposal, "approve")
        stack.slack.submit(COMMANDER, reason="fits the evidence")
        stack.slack.wait("proposal:", "*SUCCEEDED*", seconds=3 * PATIENCE)
        cards = stack.slack.of("card:")
        executed = stack.monitoring.shop()["executed"]

    assert (tmp_path / "struck").read_text().split("\n")[:3] == list(POINTS)
    assert len(supervisor.history.died_at) == 3
    assert (len(cards), len(executed)) == (1, 1)
