"""`kill -9` at every point of the scenario and at random: after the restart it goes on where it was, and acts once.

Each point once on SQLite against the sandbox's world, and 20 random kills; test_real_kills.py has three points on real
servers. The whole matrix (before and after, PostgreSQL too) is `make crash`.
"""

from pathlib import Path

import pytest

from tests.crash import matrix, plan
from tests.crash.checker import BACK_SECONDS, begin_delays
from tests.crash.matrix import Outcome
from tests.crash.scenario import Result, Scenario, play
from tests.crash.strikes import LEAVES_UNKNOWN

pytestmark = pytest.mark.timeout(7200)

EACH = 10
KILLS = 20


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, figures: list[str]) -> Outcome:
    """The clean runs and the random kills; from each clean run's journal follow the scenarios of its points, each once."""
    folder = tmp_path_factory.mktemp("crash")

    def then(result: Result) -> list[Scenario]:
        clean = result.journal and result.name in [one.name for one in matrix.CLEAN]
        return matrix.point_scenarios(plan.once(matrix.points_of(result)), each=EACH) if clean else []

    outcome = matrix.run([*matrix.CLEAN, *matrix.random_scenarios(KILLS, each=7)], folder, then=then)
    struck = len({point for result in outcome.results for point in result.history.struck})
    figures += [f"crash: {struck} points struck once; {outcome.figures()[0]}", *(f"crash: {n}" for n in outcome.figures()[1:])]
    return outcome


def _clean(outcome: Outcome) -> Result:
    return next(result for result in outcome.results if result.name == "clean")


def test_the_journal_of_a_clean_run_names_the_points(played: Outcome) -> None:
    points = matrix.points_of(_clean(played))

    assert _clean(played).kills == 0
    assert {"triage/judge and show#1:before", "remediation/execute#1:after", "postmortem/write the draft#1:after"} <= set(
        points
    )


def test_every_point_is_reached_and_the_bot_dies_there(played: Outcome) -> None:
    assert played.missed == []


def test_whatever_dies_no_invariant_breaks(played: Outcome) -> None:
    assert played.violations == []


def test_between_the_attempt_and_its_outcome_the_action_is_unknown_and_elsewhere_it_succeeds(played: Outcome) -> None:
    ends = [(set(one.history.struck), one.history.proposals[0]["state"]) for one in played.results]
    between = [state for struck, state in ends if struck & set(LEAVES_UNKNOWN)]
    elsewhere = [state for struck, state in ends if not struck & set(LEAVES_UNKNOWN)]

    assert set().union(*(struck for struck, _ in ends)) >= set(LEAVES_UNKNOWN) and set(between) == {"unknown"}
    # The point of another workflow may come up while the call is out: that the bot died then is the checker's to see.
    assert {"succeeded"} <= set(elsewhere) <= {"unknown", "succeeded"} and elsewhere.count("unknown") <= 1


@pytest.mark.alone
def test_an_action_whose_approval_was_stored_at_the_death_begins_within_a_minute_of_the_restart(
    tmp_path: Path, figures: list[str]
) -> None:
    result = play(tmp_path, Scenario("signal lost", ("wake/remediation#1:before",), agent=False))

    delays = list(begin_delays(result.history))
    figures.append(f"approved, killed before the signal: begun {max(delays):.1f} s after the bot was ready again")
    assert (result.violations, result.missed) == ([], [])
    assert len(delays) == 1 and max(delays) < BACK_SECONDS
