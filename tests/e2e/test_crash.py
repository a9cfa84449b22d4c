"""`kill -9` at every point of the story and at random: after the restart it goes on where it was, and acts once.

Each point once on SQLite against the sandbox's world, 20 random kills, and three points on real servers. The
whole matrix (before and after, PostgreSQL too) is `make crash`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import matrix, plan
from tests.crash.keeper import Keeper
from tests.crash.matrix import Asked, Outcome
from tests.crash.story import Told
from tests.real.slack import COMMANDER
from tests.real.stack import Stack

pytestmark = pytest.mark.timeout(420)

EACH = 14
KILLS = 20
REAL_POINTS = ("triage/gather the facts#1:after", "remediation/claim#1:after", "remediation/execute#1:after")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crash")


@pytest.fixture(scope="module")
def clean(folder: Path) -> tuple[Told, list[str]]:
    return matrix.points_of_a_clean_run(folder)


@pytest.fixture(scope="module")
def struck(clean: tuple[Told, list[str]], folder: Path, figures: list[str]) -> Iterator[Outcome]:
    """All stories: each point once, and the random kills."""
    asked = [Asked(f"points-{n}", points=some) for n, some in enumerate(plan.stories(plan.once(clean[1]), each=EACH))]
    outcome = matrix.run([*asked, *matrix.random_stories(KILLS, each=10)], folder)
    figures += [f"crash: {line}" for line in outcome.figures()]
    yield outcome


def test_a_clean_run_breaks_no_invariant_and_its_journal_names_the_points(clean: tuple[Told, list[str]]) -> None:
    told, points = clean

    assert told.violations == []
    assert {"triage/judge and show#1:before", "remediation/execute#1:after", "postmortem/write the draft#1:after"} <= set(
        points
    )


def test_every_point_is_reached_and_the_bot_dies_there(struck: Outcome) -> None:
    assert struck.missed == []


def test_whatever_dies_no_invariant_breaks(struck: Outcome) -> None:
    assert struck.violations == []


def test_between_the_attempt_and_its_outcome_the_action_is_unknown_and_elsewhere_it_succeeds(struck: Outcome) -> None:
    ends = {point: one.history.proposals[0]["state"] for one in struck.told for point in one.history.struck}

    assert {point for point, state in ends.items() if state == "unknown"} == set(plan.LEAVES_UNKNOWN)
    assert set(ends.values()) == {"unknown", "succeeded"}


def test_on_real_servers_three_kills_change_nothing_but_the_time(tmp_path: Path) -> None:
    (tmp_path / "points").write_text("\n".join(REAL_POINTS))
    with (
        Stack(tmp_path, command=[sys.executable, "-m", "tests.crash.bot", str(tmp_path)]) as stack,
        Keeper(stack.bot) as keeper,
    ):
        stack.monitoring.deploy("checkout", "1.5.0", errors=0.4)
        proposal = stack.slack.wait("proposal:", "APPROVAL NEEDED", seconds=60)
        stack.slack.press(COMMANDER, proposal, "approve")
        stack.slack.submit(COMMANDER, reason="fits the evidence")
        stack.slack.wait("proposal:", "*SUCCEEDED*", seconds=100)
        cards = stack.slack.of("card:")
        executed = stack.monitoring.shop()["executed"]

    assert (tmp_path / "struck").read_text().split("\n")[:3] == list(REAL_POINTS)
    assert len(keeper.kept.died_at) == 3
    assert (len(cards), len(executed)) == (1, 1)
