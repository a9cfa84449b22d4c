"""What faults do to the shop over a stretch of time; physics reads it, scenarios write it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.pods import Pod

Which = Callable[[Pod], bool]


def everyone(_: Pod) -> bool:
    """Applies to every pod of the service."""
    return True


def ramp(times: Floats, onset: float, until: float, *, up: float = 4.0, down: float = 3.0) -> Floats:
    """0 before the onset, 1 while the fault stands, back to 0 after `until`; shape of `times`."""
    return np.clip((times - onset) / up, 0.0, 1.0) * passing(times, until, down=down)


def passing(times: Floats, until: float, *, down: float = 3.0) -> Floats:
    """1 before `until` and back to 0 within `down` seconds after it; shape of `times`."""
    return np.ones(len(times)) if until == np.inf else 1.0 - np.clip((times - until) / down, 0.0, 1.0)


@dataclass(frozen=True)
class PodEffect:
    """One array over the stretch for the pods of a service that `which` picks."""

    service: str
    amount: Floats
    which: Which = everyone


@dataclass
class Effects:
    """All effects on one stretch; `times` has shape (n,), every amount too."""

    times: Floats
    errors: list[PodEffect] = field(default_factory=list)
    """Own error ratio, 0 to 1."""
    delays: list[PodEffect] = field(default_factory=list)
    """Seconds added to the median of the service's own work."""
    memory: list[PodEffect] = field(default_factory=list)
    """Share of the memory limit in use (the largest counts)."""
    restarts: list[PodEffect] = field(default_factory=list)
    """Container restarts since the pod's birth, a running count."""
    connections: list[PodEffect] = field(default_factory=list)
    """Share of the connection pool in use (the largest counts)."""
    cpu: list[PodEffect] = field(default_factory=list)
    """Factor on CPU."""
    calls: dict[tuple[str, str], Floats] = field(default_factory=dict)
    """Factor on the calls of one edge."""
    entry: dict[str, Floats] = field(default_factory=lambda: defaultdict(lambda: np.asarray(1.0)))
    """Factor on what reaches a service from outside."""
    provider_errors: dict[str, Floats] = field(default_factory=dict)
    provider_delays: dict[str, Floats] = field(default_factory=dict)

    def total(self, effects: list[PodEffect], pod: Pod) -> Floats | float:
        """Sum of the effects of one list on one pod."""
        amounts = [e.amount for e in effects if e.service == pod.service and e.which(pod)]
        return sum(amounts) if amounts else 0.0

    def most(self, effects: list[PodEffect], pod: Pod) -> Floats | float:
        """Largest of the effects of one list on one pod, 0 if there is none."""
        amounts = [e.amount for e in effects if e.service == pod.service and e.which(pod)]
        return np.maximum.reduce(amounts) if amounts else 0.0
