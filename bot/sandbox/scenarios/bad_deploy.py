"""A new version fails part of its requests; the old version beside it does not."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.effects import Effects, PodEffect, ramp


@dataclass
class BadDeploy(Fault):
    """Errors in the new version's pods only; a rollback ends them."""

    name = "bad-deploy"
    title = "A deploy whose new code fails requests"
    cause = "change"
    fixed_by = "rollback"
    roots = ("catalogue", "payments", "cart", "inventory", "auth", "checkout", "shipping")
    lines = (
        "unhandled KeyError: 'currency' in handlers/quote.py line 212",
        "panic recovered: index out of range [3] with length 3",
        "TypeError: Cannot read properties of undefined (reading 'lines') at Basket.total",
    )

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Deploy."""
        self.change = stage.deploy(self.service, cause_at)

    def shape(self, effects: Effects) -> None:
        """About half of the new pods' requests fail."""
        share = 0.55 * self.strength * ramp(effects.times, self.onset, self.until)
        effects.errors.append(PodEffect(self.service, share, self.in_new_version))
