"""A configuration edit breaks a service without any new version."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, ramp


@dataclass
class BadConfig(Fault):
    """Errors in all pods, whatever their version; rolling the edit back ends them."""

    name = "bad-config"
    title = "A configuration edit that cuts requests short"
    cause = "change"
    fixed_by = "rollback"
    roots = ("payments", "auth", "inventory", "shipping", "cart")
    lines = (
        "deadline exceeded after 40ms, aborting request",
        "refused by local limiter: burst 4 exceeded",
    )

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Edit the configuration."""
        self.change = stage.change(self.service, cause_at, "config")

    def shape(self, effects: Effects) -> None:
        """More than four in ten requests are cut short."""
        effects.errors.append(PodEffect(self.service, 0.45 * self.strength * ramp(effects.times, self.onset, self.until)))
