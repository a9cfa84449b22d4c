"""Restart the pods of a workload one after the other, as `kubectl rollout restart` does."""

from collections.abc import Sequence
from typing import ClassVar

from bot.actions.support.remote import called
from bot.actions.support.workloads import (
    DAEMON_SETS,
    DEPLOYMENTS,
    STATEFUL_SETS,
    Cluster,
    Operation,
    Workload,
    added,
    described,
    probed,
    verified,
)
from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import counted
from bot.plugins import Action, ActionContext, action

KINDS = (DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS)
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@action
class KubernetesRestart(Action):
    """Restart all pods of the service's workload, a few at a time, in its own rollout strategy.

    Helps against a leak, a stuck connection or a stale cache. Does not help against a bad version or a missing
    dependency: the new pods have them too.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.ONE
    service: str
    change_id: str = ""

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """1; 2 without a signal that shows whether it helped."""
        return Tier.ONE if config.verify else Tier.TWO

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """`namespace/name` of the workload."""
        return (Cluster(ctx, self.service).target,)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The restart, and what is watched."""
        return [f"restart the pods of {self.targets(ctx)[0]}", "watch the rollout and the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Which pods, how many at once, and what the server says to a trial. Raises ActionFailed if it cannot be."""
        cluster = Cluster(ctx, self.service)
        workload = await cluster.workload(KINDS)
        if not self._rolls(workload):
            raise ActionFailed(f"{workload.title} replaces its pods only when they are deleted (OnDelete): do it by hand.")
        lines = [f"restart {counted(workload.desired, 'pod')} of {workload.title}, {self._away_text(workload)}"]
        return await described(cluster, workload, lines, self._operations(workload, ctx), away=workload.away_at_once())

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one patch."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        cluster = Cluster(ctx, self.service)
        workload = await cluster.workload(KINDS)
        return await cluster.change(workload, self._operations(workload, ctx), f"{workload.title} is restarting.")

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the workload carries the key of this run."""
        return await probed(ctx, self.service, KINDS)

    async def verify(self, ctx: ActionContext) -> Verification:
        """The rollout, then the signal."""
        return await verified(ctx, self.service, KINDS)

    @staticmethod
    def _rolls(workload: Workload) -> bool:
        strategy = workload.body.get("spec", {}).get("updateStrategy") or {}
        return bool(strategy.get("type") != "OnDelete")

    @staticmethod
    def _away_text(workload: Workload) -> str:
        away = workload.away_at_once()
        return f"at most {away} away at once" if away else "a new one is ready before an old one goes"

    @staticmethod
    def _operations(workload: Workload, ctx: ActionContext) -> Sequence[Operation]:
        marks = {RESTARTED_AT: iso_utc(ctx.now, "seconds")}
        return added(workload.body, ("spec", "template", "metadata", "annotations"), marks)
