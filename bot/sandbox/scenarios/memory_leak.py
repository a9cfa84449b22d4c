"""A version leaks memory, as a rule for hours, until its pods reach their limit."""

from dataclasses import dataclass

import numpy as np

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, passing, ramp


@dataclass
class MemoryLeak(Fault):
    """Memory climbs for hours, then containers restart again and again; fresh pods help for hours.

    A restarted container takes the leaked cache up again from the pod's scratch
    volume: only a new pod is clean. Broken by hand, the same leak is a fast one: minutes of traffic fill it.
    """

    name = "memory-leak"
    title = "A memory leak that reached the limit"
    cause = "resource"
    fixed_by = "restart"
    roots = ("checkout", "cart", "payments", "inventory", "catalogue", "auth")
    lead_seconds = (9000.0, 14000.0)
    soonest_seconds = 90.0
    lines = (
        "OutOfMemoryError: heap space, 3 requests dropped",
        "gc pause 812 ms, heap 98% after collection",
        "liveness probe failed, container will be killed",
    )
    leaking_since: float = 0.0

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Deploy the leaky version long ago."""
        self.change = stage.deploy(self.service, cause_at)
        self.leaking_since = self.change.at

    def shape(self, effects: Effects) -> None:
        """A slow climb to the limit, then errors, pauses and a restart every half minute."""
        times = effects.times
        climb = np.clip((times - self.leaking_since) / (self.onset - self.leaking_since), 0.0, 1.0)
        saw = 0.02 * (np.mod(times - self.onset, 30.0) / 30.0) * (times >= self.onset)
        active, until_over = ramp(times, self.onset, self.until), passing(times, self.until)
        # The count stays where it was when the fault ended: a counter never falls.
        counted = np.minimum(times, self.until)
        restarts = np.maximum(np.floor((counted - self.onset) / 30.0) + 1.0, 0.0) * (times >= self.onset)
        effects.memory.append(PodEffect(self.service, (0.3 + 0.67 * climb + saw) * until_over, self.not_yet_fixed))
        effects.errors.append(PodEffect(self.service, 0.4 * self.strength * active, self.not_yet_fixed))
        effects.delays.append(PodEffect(self.service, 0.45 * self.strength * active, self.not_yet_fixed))
        effects.restarts.append(PodEffect(self.service, restarts, self.not_yet_fixed))
