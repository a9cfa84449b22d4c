"""Give a workload another number of pods."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field, field_validator

from bot.actions.support.remote import called, text_at, value_at
from bot.actions.support.workloads import (
    BEFORE,
    DEPLOYMENTS,
    SCALED,
    STATEFUL_SETS,
    Cluster,
    Operation,
    Workload,
    described,
    probed,
    verified,
)
from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, ActionOptions, action

KINDS = (DEPLOYMENTS, STATEFUL_SETS)
SMALL_STEP = 1.5
"""Up to half as many more is tier 1; anything else changes what users may notice, or the bill."""
DEFAULT_MAX_REPLICAS = 50
"""Without `options.most` of the entry."""


class ScaleOptions(ActionOptions):
    most: int = Field(default=DEFAULT_MAX_REPLICAS, ge=1)
    """Pods at most."""


@action
class KubernetesScale(Action):
    """Set the number of pods of the service's workload.

    Helps against more traffic than the pods can take. Does not help where something behind them is full: more pods
    then make it worse.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.ONE
    options_type: ClassVar[type[ActionOptions]] = ScaleOptions
    service: str
    replicas: str = Field(description="How many pods, e.g. 6")

    @field_validator("replicas", mode="before")
    @classmethod
    def _replicas(cls, value: object) -> str:
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 4):
            raise ValueError(f"{one_line(text, 20)!r} is no number of pods")
        return str(int(text))

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """1; 2 without a signal that shows whether it helped."""
        return Tier.ONE if config.verify else Tier.TWO

    def tier_for(self, config: ActionConfig) -> Tier:
        """Scaling to nothing is never done by the bot."""
        return self.tier_of(config) if int(self.replicas) else Tier.X

    @classmethod
    async def complete(cls, ctx: ActionContext, service: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """Without a number: half as many more than now, as many as tier 1 allows, and never more than the entry does."""
        if arguments.get("replicas"):
            return dict(arguments)
        now = (await Cluster(ctx, service).workload(KINDS)).desired
        more = max(now + 1, math.floor(now * SMALL_STEP))
        return {**arguments, "replicas": str(min(more, _most(ctx.config)))}

    def undo(self, remote_id: str) -> "Action | None":
        """The number of pods from before."""
        return KubernetesScale(service=self.service, replicas=remote_id) if remote_id.isdigit() and int(remote_id) else None

    def undo_text(self) -> str:
        """It can be set back."""
        return "setting the number of pods back"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """`namespace/name` of the workload."""
        return (Cluster(ctx, self.service).target,)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The number, and what is watched."""
        return [f"set {self.targets(ctx)[0]} to {self.replicas} pods", "watch the rollout and the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """From how many to how many, and what the server says to a trial.

        Raises ActionFailed where an autoscaler would set it back, or above the most that the entry allows.
        """
        cluster = Cluster(ctx, self.service)
        workload = await cluster.workload(KINDS)
        self._require_allowed(ctx.config)
        await self._require_no_autoscaler(cluster, workload)
        now, goal = workload.desired, int(self.replicas)
        lines = [f"set {workload.title} from {now} to {goal} pods"]
        small = now <= goal <= now * SMALL_STEP
        tier = Tier.ONE if small else Tier.TWO
        return await described(cluster, workload, lines, self._operations(), away=self._away(workload), least_tier=tier)

    def _away(self, workload: Workload) -> int:
        """Pods that go. Those that a run of ours put there can be taken back at once: the load is served without them."""
        own = workload.annotation(SCALED) == str(workload.desired) and workload.annotation(BEFORE) == self.replicas
        return 0 if own else max(0, workload.desired - int(self.replicas))

    def _require_allowed(self, config: ActionConfig) -> None:
        most = _most(config)
        if int(self.replicas) > most:
            raise ActionFailed(f"This entry allows at most {most} pods (options.most).")

    @staticmethod
    async def _require_no_autoscaler(cluster: Cluster, workload: Workload) -> None:
        for scaler in await cluster.listed("apis/autoscaling/v2", "horizontalpodautoscalers"):
            about = value_at(scaler, "spec", "scaleTargetRef") or {}
            if about.get("name") == workload.name and str(about.get("kind", "")).lower() + "s" == workload.kind:
                name = text_at(scaler, "metadata", "name")
                raise ActionFailed(f"The autoscaler {name} would set {workload.title} back: change its bounds instead.")

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one patch."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        cluster = Cluster(ctx, self.service)
        workload = await cluster.workload(KINDS)
        done = f"{workload.title} has {self.replicas} pods now, {workload.desired} before."
        return await cluster.change(workload, self._operations(), done, before=str(workload.desired), scaled=self.replicas)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the workload carries the key of this run."""
        return await probed(ctx, self.service, KINDS)

    async def verify(self, ctx: ActionContext) -> Verification:
        """All pods there, then the signal."""
        return await verified(ctx, self.service, KINDS)

    def _operations(self) -> Sequence[Operation]:
        return [{"op": "add", "path": "/spec/replicas", "value": int(self.replicas)}]


def _most(config: ActionConfig) -> int:
    return int(str(config.options.get("most", DEFAULT_MAX_REPLICAS)))
