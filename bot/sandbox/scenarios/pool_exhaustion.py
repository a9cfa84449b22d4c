"""A service loses database connections until its pool is empty; no change did it."""

from dataclasses import dataclass

import numpy as np

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, passing, ramp


@dataclass
class PoolExhaustion(Fault):
    """Connections in use climb to the maximum and stay; a restart frees them."""

    name = "pool-exhaustion"
    title = "A connection pool that ran empty"
    cause = "resource"
    fixed_by = "restart"
    roots = ("inventory", "payments", "checkout")
    lines = (
        "timeout acquiring connection from pool orders-db after 1000 ms (20 in use, 0 idle)",
        "QueuePool limit of size 20 overflow 0 reached, connection timed out",
    )

    lead_seconds = (240.0, 240.0)
    soonest_seconds = 60.0
    leaking_since: float = 0.0

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """No change did it: connections are simply not given back from then on."""
        self.leaking_since = cause_at

    def shape(self, effects: Effects) -> None:
        """Minutes of climb, then half of the requests wait in vain."""
        times = effects.times
        climb = np.clip((times - self.leaking_since) / (self.onset - self.leaking_since), 0.0, 1.0) * passing(times, self.until)
        active = ramp(times, self.onset, self.until)
        effects.connections.append(PodEffect(self.service, climb, self.not_yet_fixed))
        effects.errors.append(PodEffect(self.service, 0.42 * self.strength * active, self.not_yet_fixed))
        effects.delays.append(PodEffect(self.service, 0.5 * self.strength * active, self.not_yet_fixed))
