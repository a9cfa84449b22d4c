"""A new version writes rows that no version can read: rolling back seems right and does not help."""

from dataclasses import dataclass
from math import inf

from bot.sandbox.scenarios.base import Fault, Stage
from bot.sandbox.world.change import WorldChange
from bot.sandbox.world.effects import Effects, PodEffect, ramp
from bot.sandbox.world.pods import Pod


@dataclass
class PoisonedDeploy(Fault):
    """Errors in the new version's pods; after a rollback in all pods, whose caches are gone."""

    name = "poisoned-deploy"
    title = "A deploy that damaged stored rows: the rollback does not repair them"
    cause = "change"
    tempting = "rollback"
    roots = ("inventory", "payments", "cart", "catalogue", "shipping")
    lines = (
        "cannot decode row 88213: unknown enum value 7 for column state",
        "json: cannot unmarshal object into field Item.price of type int64",
    )
    rolled_back_at: float = inf

    def prepare(self, stage: Stage, cause_at: float) -> None:
        """Deploy."""
        self.change = stage.deploy(self.service, cause_at)

    def acted(self, action: str, service: str, at: float, reverted: WorldChange | None) -> None:
        """Nothing ends it; a rollback spreads it to the old version, which must read the damaged rows again."""
        if action == "rollback" and service == self.service:
            self.rolled_back_at = min(self.rolled_back_at, at)

    def shape(self, effects: Effects) -> None:
        """As with a bad deploy, until somebody rolls back."""
        share = 0.55 * self.strength * ramp(effects.times, self.onset, self.until)
        effects.errors.append(PodEffect(self.service, share, self.in_new_version))
        spread = share * ramp(effects.times, self.rolled_back_at, inf) if self.rolled_back_at < inf else 0.0 * share
        effects.errors.append(PodEffect(self.service, spread, self._of_old_version))

    def _of_old_version(self, pod: Pod) -> bool:
        return not self.in_new_version(pod)
