"""A feature flag switched on sends requests down a broken path, in every version alike."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, ramp


@dataclass
class FlagFlip(Fault):
    """Errors in all pods at once; switching the flag off ends them."""

    name = "flag-flip"
    title = "A feature flag that opened a broken path"
    cause = "change"
    fixed_by = "flag_off"
    roots = ("cart", "checkout", "payments", "search", "catalogue")
    lines = (
        "no rule for region EU-7 in variant B, refusing request",
        "NotImplementedError: rounding mode HALF_EVEN for bundles",
    )

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Switch the flag on."""
        self.change = stage.change(self.service, cause_at, "flag")

    def shape(self, effects: Effects) -> None:
        """Four in ten requests take the path."""
        effects.errors.append(PodEffect(self.service, 0.4 * self.strength * ramp(effects.times, self.onset, self.until)))
