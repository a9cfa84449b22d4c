"""A new version of a service deep in the graph answers slowly, and everybody above waits."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, ramp


@dataclass
class SlowDependency(Fault):
    """Latency in the new version's pods; a rollback ends it."""

    name = "slow-dependency"
    title = "A deploy that made a dependency slow"
    cause = "change"
    fixed_by = "rollback"
    roots = ("inventory", "catalogue", "auth", "payments")
    lines = (
        "slow query: 1180 ms, 412 rows examined one by one",
        "lock wait 940 ms on mutex price_cache",
    )

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Deploy."""
        self.change = stage.deploy(self.service, cause_at)

    def shape(self, effects: Effects) -> None:
        """About 1.2 s more in the new pods, at more CPU."""
        active = ramp(effects.times, self.onset, self.until)
        effects.delays.append(PodEffect(self.service, 1.2 * self.strength * active, self.in_new_version))
        effects.cpu.append(PodEffect(self.service, 0.3 * active, self.in_new_version))
