"""Plays many scenarios, a few at a time, and counts."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from tests.crash.checker import begin_delays
from tests.crash.history import History
from tests.crash.plan import batches, reachable
from tests.crash.scenario import Result, Scenario, play
from tests.crash.strikes import of_a_late_change, of_a_plan
from tests.real.postgres import serving

ABREAST = 4
"""Scenarios at a time: they mostly wait. With six on two cores a shop was seen not to answer for a minute, and what was
approved could not be checked against its metrics any more."""
NICENESS = 5
"""Of their processes: what is measured beside them comes first, and they have time."""
LATE_EVERY = 4
"""Of the scenarios with random kills each fourth is one of a late change."""
PLAN_EVERY = 4
"""And each fourth is one of a plan."""


@dataclass
class Outcome:
    """What came of all of them."""

    results: list[Result] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(result.kills for result in self.results)

    @property
    def violations(self) -> list[str]:
        return [f"{result.name}: {what}" for result in self.results for what in result.violations]

    @property
    def missed(self) -> list[str]:
        """Points that a scenario should have come to, and none did."""
        struck = {point for result in self.results for point in result.history.struck}
        return sorted({point for result in self.results for point in result.missed} - struck)

    def restarts(self) -> list[float]:
        """Seconds from each death to readiness, ascending."""
        return sorted(seconds for result in self.results for seconds in result.history.process.restarts())

    def figures(self) -> list[str]:
        """What happened, in lines."""
        states = [p["state"] for result in self.results for p in result.history.proposals if p["decisions"]]
        took = self.restarts() or [0.0]
        delays = [delay for result in self.results for delay in begin_delays(result.history)] or [0.0]
        executed = sum(len(result.history.executions) for result in self.results)
        counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
        broken, missed = len(self.violations), len(self.missed)
        return [
            f"{len(self.results)} scenarios, {self.kills} kills, {broken} violations, {missed} points not reached",
            f"approved actions: {counted}; executions: {executed}",
            f"killed to ready, its code already loaded: median {took[len(took) // 2]:.1f} s, longest {took[-1]:.1f} s",
            f"approved, or ready again after it, to begun: longest {max(delays):.1f} s",
            f"longest scenario {max(result.seconds for result in self.results):.0f} s",
        ]


def run(
    scenarios: Sequence[Scenario],
    folder: Path,
    *,
    database: str = "sqlite",
    report: Callable[[Result], None] = lambda _: None,
    then: Callable[[Result], Sequence[Scenario]] = lambda _: (),
) -> Outcome:
    """Play all of them on one kind of database; `report` gets each result, and `then` answers with what follows from it."""
    outcome = Outcome()
    with _databases(database) as new_database, ThreadPoolExecutor(ABREAST, initializer=_give_way) as pool:

        def begin(chosen: Sequence[Scenario]) -> dict[Future[Result], Scenario]:
            return {pool.submit(_play, scenario, folder, new_database()): scenario for scenario in chosen}

        playing = begin(scenarios)
        try:
            while playing:
                ended, _ = wait(playing, return_when=FIRST_COMPLETED)
                for future in ended:
                    result, scenario = future.result(), playing.pop(future)
                    outcome.results.append(result)
                    report(result)
                    playing |= begin([*then(result), *alone(scenario, result)])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return outcome


def _play(scenario: Scenario, folder: Path, database_url: str) -> Result:
    try:
        return play(folder / scenario.name, scenario, database_url)
    except (AssertionError, httpx.HTTPError) as error:
        # One that broke off must not hide how the others ended.
        return Result(scenario.name, 0.0, History(), [f"it broke off: {error}"], list(scenario.points))


def alone(scenario: Scenario, result: Result) -> list[Scenario]:
    """A scenario of its own for each point that did not come up: earlier deaths or a busy machine may have kept it away."""
    if len(scenario.points) == 1 or result.violations:
        return []
    return [replace(scenario, name=f"{scenario.name}-{n}", points=(point,)) for n, point in enumerate(result.missed)]


def _give_way() -> None:
    # Linux keeps a niceness for each thread, and what a thread starts inherits it.
    os.nice(NICENESS)


CLEAN = (Scenario("clean"), Scenario("clean-late", agent=False, late=True), Scenario("clean-plan", agent=False, plan=True))
"""The runs without a kill: their journals name the points."""


def clean_runs(only: Sequence[str]) -> list[Scenario]:
    """Those that come by points with these beginnings: a plan's own points need no others."""
    return [CLEAN[-1]] if only and all(map(of_a_plan, only)) else [*CLEAN, AGAIN]


AGAIN = replace(CLEAN[0], name="clean-again")
"""The first of them once more: what it does not come by depends on what was measured, and need not come up."""


def points_of(clean: Result) -> list[str]:
    """The points of a run on SQLite that a scenario has to come to; a late change's and a plan's have none but their own."""
    points = reachable(clean.journal)
    if of_plan := [point for point in points if of_a_plan(point)]:
        return of_plan
    return [point for point in points if of_a_late_change(point) == bool(clean.history.late_change)]


def point_scenarios(points: Sequence[str], *, each: int, journal: Sequence[str] = ()) -> list[Scenario]:
    """Scenarios that together strike all these points; `journal` as in `batches`."""
    chosen = batches(points, each=each, journal=journal)
    return [
        Scenario(f"points-{one.kind}-{n}", one.points, agent=one.agent, late=one.late, plan=one.plan)
        for n, one in enumerate(chosen)
    ]


def random_scenarios(kills: int, *, each: int = 8) -> list[Scenario]:
    """Scenarios that share so many kills at random."""
    counts = [each] * (kills // each) + ([kills % each] if kills % each else [])
    return [
        Scenario(f"random-{n}", kills=count, seed=n, agent=n % 2 == 0, late=n % LATE_EVERY == 3, plan=n % PLAN_EVERY == 1)
        for n, count in enumerate(counts)
    ]


@contextmanager
def _databases(kind: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of new databases; "" means the SQLite file in the data folder."""
    if kind == "sqlite":
        yield lambda: ""
        return
    with serving() as server:
        yield server.create_database
