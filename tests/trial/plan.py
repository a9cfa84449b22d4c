"""What one run plays, drawn by its seed: three outages, how each follows the one before, and who does what meanwhile."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Follows(StrEnum):
    """How an outage begins."""

    FIRST = "first"
    BACK_TO_BACK = "back to back"
    OVERLAPPING = "overlapping"


@dataclass(frozen=True)
class PlannedOutage:
    """One fault and its place; both are empty for the first one, which the world's seed draws itself."""

    fault: str
    service: str
    follows: Follows
    pause: float
    """Seconds between what went before (the end of an outage, or the alerts of the one that stands) and this one's cause."""
    acknowledged: bool
    """Whether the on-call presses Acknowledge once the outage was told."""
    approved: bool
    """Whether people approve what is proposed; otherwise the outage ends by itself."""


def draw(seed: int, faults: Mapping[str, Sequence[str]]) -> list[PlannedOutage]:
    """The outages of a run; `faults` are the places that each fault can strike."""
    drawn = random.Random(f"{seed}:trial")
    names = sorted(faults)
    second = names[seed % len(names)]
    third = names[(seed // len(names) + seed * 2) % len(names)]
    place = drawn.choice(faults[second])
    others = [service for service in faults[third] if service != place]
    order = [Follows.BACK_TO_BACK, Follows.OVERLAPPING]
    drawn.shuffle(order)
    return [
        PlannedOutage("", "", Follows.FIRST, 0.0, drawn.random() < 0.5, drawn.random() < 0.5),
        PlannedOutage(second, place, order[0], drawn.uniform(1, 20), drawn.random() < 0.5, drawn.random() < 0.5),
        PlannedOutage(third, drawn.choice(others), order[1], drawn.uniform(1, 20), False, False),
    ]
