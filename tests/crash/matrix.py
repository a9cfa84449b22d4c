"""Plays many stories, a few at a time, and counts."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.plan import of_a_late_change, reachable, stories
from tests.crash.story import Asked, Told, play
from tests.real.postgres import serving

ABREAST = 6
"""Stories at a time: they mostly wait."""
NICENESS = 5
"""Of their processes: what is measured beside them comes first, and they have time."""
LATE_EVERY = 4
"""Of the stories with random kills each fourth is one of a late change."""


@dataclass
class Outcome:
    """What came of all of them."""

    told: list[Told] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(one.kills for one in self.told)

    @property
    def violations(self) -> list[str]:
        return [f"{one.name}: {what}" for one in self.told for what in one.violations]

    @property
    def missed(self) -> list[str]:
        """Points that no story came to."""
        struck = {point for one in self.told for point in one.history.struck}
        return sorted({point for one in self.told for point in one.missed} - struck)

    def restarts(self) -> list[float]:
        """Seconds from each death to readiness, ascending."""
        kept = [one.history.kept for one in self.told]
        return sorted(ready - died for k in kept for died, ready in zip(k.died_at, k.ready_at, strict=False))

    def figures(self) -> list[str]:
        """What happened, in lines."""
        states = [p["state"] for one in self.told for p in one.history.proposals if p["decisions"]]
        took = self.restarts() or [0.0]
        executed = sum(len(one.history.executions) for one in self.told)
        counted = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
        broken, missed = len(self.violations), len(self.missed)
        return [
            f"{len(self.told)} stories, {self.kills} kills, {broken} violations, {missed} points not reached",
            f"approved actions: {counted}; executions: {executed}",
            f"killed to ready, its code already loaded: median {took[len(took) // 2]:.1f} s, longest {took[-1]:.1f} s",
            f"longest story {max(one.seconds for one in self.told):.0f} s",
        ]


def run(
    asked: Sequence[Asked],
    folder: Path,
    *,
    database: str = "sqlite",
    tell: Callable[[Told], None] = lambda _: None,
    then: Callable[[Told], Sequence[Asked]] = lambda _: (),
) -> Outcome:
    """Play all of them on one kind of database; `tell` hears of each end, and `then` answers with what follows from it."""
    outcome = Outcome()
    with _databases(database) as new_database, ThreadPoolExecutor(ABREAST, initializer=_give_way) as pool:
        playing = {pool.submit(_play, one, folder, new_database()) for one in asked}
        try:
            while playing:
                ended, playing = wait(playing, return_when=FIRST_COMPLETED)
                for told in (future.result() for future in ended):
                    outcome.told.append(told)
                    tell(told)
                    playing |= {pool.submit(_play, one, folder, new_database()) for one in then(told)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return outcome


def _play(asked: Asked, folder: Path, database_url: str) -> Told:
    return play(folder / asked.name, asked, database_url)


def _give_way() -> None:
    # Linux keeps a niceness for each thread, and what a thread starts inherits it.
    os.nice(NICENESS)


CLEAN = (Asked("clean"), Asked("clean-late", agent=False, late=True))
"""The runs without a kill: their journals name the points."""


def points_of(clean: Told) -> list[str]:
    """The points of a run on SQLite that a story has to come to; a late change's own story has none but its own."""
    points = reachable(clean.journal)
    return [point for point in points if of_a_late_change(point) == bool(clean.history.late_change)]


def point_stories(points: Sequence[str], *, each: int) -> list[Asked]:
    """Stories that together strike all these points."""
    hands = stories(points, each=each)
    return [Asked(f"points-{hand.kind}-{n}", hand.points, agent=hand.agent, late=hand.late) for n, hand in enumerate(hands)]


def random_stories(kills: int, *, each: int = 8) -> list[Asked]:
    """Stories that share so many kills at random."""
    counts = [each] * (kills // each) + ([kills % each] if kills % each else [])
    return [
        Asked(f"random-{n}", kills=count, seed=n, agent=n % 2 == 0, late=n % LATE_EVERY == 3) for n, count in enumerate(counts)
    ]


@contextmanager
def _databases(kind: str) -> Iterator[Callable[[], str]]:
    """Gives addresses of new databases; "" means the SQLite file in the data folder."""
    if kind == "sqlite":
        yield lambda: ""
        return
    with serving() as server:
        yield server.create_database
