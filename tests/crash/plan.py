"""Which points are struck in which scenario: several in one, in the order in which it comes to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.crash.strikes import LEAVES_UNKNOWN, PLAN_STEPS, of_a_late_change, of_a_plan

RARE = (
    "tick:heartbeat/", "tick:tidy/", "tick:rotas/", "tick:learning/",
    "triage/leave it at the facts#", "triage/keep what was measured#",
)  # fmt: skip
"""Ticks so seldom that a short scenario may end before they come; and what a triage does only where the alerts of one fault
fall so around the deaths: it ends at the facts where a group had only its mildest alert so far, and asks whether an earlier
answer stands where it is made again."""
ROUNDS = {
    "remediation/look at the signal": 2,
    "remediation/now": 3,
    "remediation/wait_for": 2,
    "plan/look at the signal": 2 * PLAN_STEPS,
    "plan/now": 3 * PLAN_STEPS,
    "plan/wait_for": 1 + PLAN_STEPS,
}
"""How often the watch comes to a step at least: while the bot is dead the shop recovers, and later rounds never come."""
AGENT = (
    "look for a fresh answer#", "ask the budget#", "show the first ranking#", "brief the agent#", "model#",
    "read the last hints#", "weigh the answers#",
)  # fmt: skip
"""Steps of the triage that come only with a model."""
AGAIN_ONLY = ("again/open the case#", "again/judge and show#", "again/propose what fits#")
"""Steps that do in a further attempt what they do not in a first one: they take up a late change, a message and a proposal."""
CALLS = 4
"""Calls of one tool that are struck where a clean run made so many."""
CERTAIN_CALLS = 1
"""Calls of one tool that every triage makes: whether more come depends on what was measured by the time of the last death."""
ALIKE = 2
"""Calls of one tool that are struck where time is short: the others are the same code with another argument."""


def reachable(points: Iterable[str]) -> list[str]:
    """Without those that a scenario need not come to."""
    return [p for p in points if not p.startswith(RARE) and _number(p) <= _most(_step(p))]


def _most(step: str) -> int:
    # A further attempt calls the tools that the first one did: one call of each is enough, and a second need not come.
    if step.startswith("again/tool:"):
        return 1
    return CALLS if step.startswith("triage/tool:") else ROUNDS.get(step, 10**6)


def certain(point: str) -> bool:
    """Whether a scenario has to come to a point that a clean run came to."""
    return "/tool:" not in point or _number(point) <= CERTAIN_CALLS


def once(points: Sequence[str]) -> list[str]:
    """Each point once: before one step, after the next; all outside workflows; of a tool's many calls the first.

    Most of a further attempt is the first one's code: here it is struck only where it does something else.
    """
    outside = ("step/", "intake/", "sender/", "action/", "late/", "start/", "wake/", "interaction/")
    sides: dict[str, list[str]] = {}
    for point in points:
        if point.startswith("again/") and not point.startswith(AGAIN_ONLY):
            continue
        if "/tool:" not in point or _number(point) <= ALIKE:
            sides.setdefault(point.rpartition(":")[0], []).append(point)
    chosen = []
    for number, (step, both) in enumerate(sides.items()):
        chosen += both if step.startswith(outside) else [both[number % len(both)]]
    return chosen


@dataclass(frozen=True)
class Batch:
    """The points of one scenario: `agent` needs a model to come to them, `late` a change that is told after the ranking.

    `plan` needs a plan of several steps to be approved.
    """

    points: tuple[str, ...]
    kind: Literal["agent", "late", "plan", "plain"] = "plain"

    @property
    def agent(self) -> bool:
        return self.kind == "agent"

    @property
    def plan(self) -> bool:
        return self.kind == "plan"

    @property
    def late(self) -> bool:
        return self.kind == "late"


def batches(points: Sequence[str], *, each: int, journal: Sequence[str] = ()) -> list[Batch]:
    """At most `each` points a scenario, dealt out like cards so that neighbours fall into different scenarios.

    After a point that leaves an action unknown nothing else of the scenario comes, so each of those has its own.
    Only the scenarios that need a model have one: importing it is half the price of a restart. `journal`: all points in
    their order, where only some of them are struck; it says which calls come after the model was briefed.
    """
    by_agent = set(_of_the_agent(journal or points))
    with_agent, late = [point for point in points if point in by_agent], [point for point in points if of_a_late_change(point)]
    of_plans = [point for point in points if of_a_plan(point) and point not in LEAVES_UNKNOWN]
    without = [point for point in points if point not in (*with_agent, *late, *of_plans, *LEAVES_UNKNOWN)]
    dealt = [Batch(some, "agent") for some in _split(with_agent, each)] + [Batch(some, "late") for some in _split(late, each)]
    dealt += [Batch(some, "plan") for some in _split(of_plans, each)] + [Batch(some) for some in _split(without, each)]
    alone = [point for point in points if point in LEAVES_UNKNOWN]
    return dealt + [Batch((point,), "plan" if of_a_plan(point) else "plain") for point in alone]


def _split(points: Sequence[str], each: int) -> list[tuple[str, ...]]:
    count = -(-len(points) // each)
    return [tuple(points[n::count]) for n in range(count)]


def _of_the_agent(points: Sequence[str]) -> list[str]:
    """The steps that come only with a model: its own, and the tool calls after its briefing (journals keep the order)."""
    own = tuple(f"triage/{step}" for step in AGENT)
    briefed = next((n for n, point in enumerate(points) if point.startswith("triage/brief the agent#")), len(points))
    return [p for n, p in enumerate(points) if p.startswith(own) or (n > briefed and p.startswith("triage/tool:"))]


def _step(point: str) -> str:
    return point.rpartition("#")[0]


def _number(point: str) -> int:
    return int(point.rpartition("#")[2].partition(":")[0])
