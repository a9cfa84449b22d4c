"""Which points are struck in which story: several in one, in the order in which the story comes to them."""

from collections.abc import Iterable, Sequence

from tests.crash.strikes import LEAVES_UNKNOWN

RARE = ("tick:heartbeat/", "tick:tidy/")
"""Ticks so seldom that a short story may end before they come."""


def reachable(points: Iterable[str]) -> list[str]:
    """Without those a story need not come to."""
    return [point for point in points if not point.startswith(RARE)]


def once(points: Sequence[str]) -> list[str]:
    """Each point once: before one step, after the next, and all outside stories."""
    steps = dict.fromkeys(point.rpartition(":")[0] for point in points)
    sides = {step: [p for p in points if p.rpartition(":")[0] == step] for step in steps}
    outside = ("intake/", "sender/", "action/")
    chosen = []
    for number, (step, both) in enumerate(sides.items()):
        chosen += both if step.startswith(outside) else [both[number % len(both)]]
    return chosen


def stories(points: Sequence[str], *, each: int) -> list[list[str]]:
    """At most `each` points a story, dealt out like cards so that neighbours fall into different stories.

    After a point that leaves an action unknown nothing else of the story comes, so each of those has its own.
    """
    usual = [point for point in points if point not in LEAVES_UNKNOWN]
    hands = -(-len(usual) // each)
    return [usual[n::hands] for n in range(hands)] + [[point] for point in points if point in LEAVES_UNKNOWN]
