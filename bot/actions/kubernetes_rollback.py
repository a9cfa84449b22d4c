"""Go back to an earlier revision of a deployment, as `kubectl rollout undo` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, field_validator

from bot.actions.support.remote import JsonObject, called, objects_at, text_at, value_at
from bot.actions.support.workloads import (
    DEPLOYMENTS,
    Cluster,
    Operation,
    Workload,
    described,
    probed,
    verified,
)
from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, action

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
"""A label that the deployment's controller sets by itself."""


@dataclass(frozen=True)
class Revision:
    """One replica set that the deployment still keeps."""

    number: int
    template: JsonObject

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(text_at(container, "image") for container in objects_at(self.template, "spec", "containers"))

    @property
    def text(self) -> str:
        return f"revision {self.number} ({', '.join(self.images)})"


@action
class KubernetesRollback(Action):
    """Run an earlier revision of the service's deployment again: the given one, that of a version, else the one before.

    Helps when a deploy is the cause and the revision before it is still kept. Does not help against a change of the
    database or of another service.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    reads_versions: ClassVar[bool] = True
    service: str
    revision: str = ""
    """Number of a kept revision."""
    change_id: str = ""
    version_: str = Field(default="", alias="version")
    previous_version: str = ""
    """The tag of an image; the newest kept revision that runs it is meant."""

    @field_validator("revision")
    @classmethod
    def _revision(cls, value: str) -> str:
        if value and not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise ValueError(f"{one_line(value, 20)!r} is no number of a revision")
        return value

    def undo(self, remote_id: str) -> "Action | None":
        """The revision that ran before: the controller keeps its number."""
        return KubernetesRollback(service=self.service, revision=remote_id) if remote_id.isdigit() else None

    def undo_text(self) -> str:
        """The revision from before can run again."""
        return "running the revision from before again"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """`namespace/name` of the deployment."""
        return (Cluster(ctx, self.service).target,)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The rollback, and what is watched."""
        goal = f"revision {self.revision}" if self.revision else self.previous_version or "the revision before"
        return [f"set {self.targets(ctx)[0]} to {goal}", "watch the rollout and the signal"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """From which revision to which, with their images, and what the server says to a trial. Raises ActionFailed."""
        cluster = Cluster(ctx, self.service)
        workload, now, goal = await self._chosen(cluster)
        lines = [f"set {workload.title} from {now.text} to {goal.text}"]
        return await described(cluster, workload, lines, _operations(goal), away=workload.away_at_once())

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one patch."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        cluster = Cluster(ctx, self.service)
        workload, now, goal = await self._chosen(cluster)
        done = f"{workload.title} is going back to {goal.text}."
        return await cluster.change(workload, _operations(goal), done, before=str(now.number))

    async def _chosen(self, cluster: Cluster) -> tuple[Workload, Revision, Revision]:
        """The deployment, what it runs, and what it shall run. Raises ActionFailed where that cannot be told."""
        workload = await cluster.workload((DEPLOYMENTS,))
        if value_at(workload.body, "spec", "paused"):
            raise ActionFailed(f"{workload.title} is paused: resume it first.")
        revisions = await _revisions(cluster, workload)
        current = int(workload.annotation(REVISION) or 0)
        now = next((revision for revision in revisions if revision.number == current), None)
        if now is None:
            raise ActionFailed(f"Kubernetes does not show which revision of {workload.title} runs.")
        return workload, now, self._newest_fitting([revision for revision in revisions if revision is not now], now)

    def _newest_fitting(self, others: Sequence[Revision], now: Revision) -> Revision:
        """The newest other revision that fits the arguments."""
        fitting = [revision for revision in others if self._fits(revision, now)]
        if not fitting:
            goal = f"revision {self.revision}" if self.revision else self.previous_version or "an earlier revision"
            raise ActionFailed(f"{goal} is not kept. Kept: {', '.join(r.text for r in others[:10]) or 'no other'}.")
        return max(fitting, key=lambda revision: revision.number)

    def _fits(self, revision: Revision, now: Revision) -> bool:
        if self.revision:
            return revision.number == int(self.revision)
        if self.previous_version:
            return any(_tag(image) == self.previous_version for image in revision.images)
        return revision.number < now.number

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the deployment carries the key of this run."""
        return await probed(ctx, self.service, (DEPLOYMENTS,))

    async def verify(self, ctx: ActionContext) -> Verification:
        """The rollout, then the signal."""
        return await verified(ctx, self.service, (DEPLOYMENTS,))


async def _revisions(cluster: Cluster, workload: Workload) -> list[Revision]:
    """The replica sets that belong to the deployment, by its uid."""
    uid = text_at(workload.body, "metadata", "uid")
    labels: dict[str, Any] = value_at(workload.body, "spec", "selector", "matchLabels") or {}
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    rows = await cluster.listed("apis/apps/v1", "replicasets", labelSelector=selector)
    own = [row for row in rows if any(text_at(o, "uid") == uid for o in objects_at(row, "metadata", "ownerReferences"))]
    numbers = [(text_at(row, "metadata", "annotations", REVISION), value_at(row, "spec", "template")) for row in own]
    return [Revision(int(number), template or {}) for number, template in numbers if number.isdigit()]


def _operations(goal: Revision) -> Sequence[Operation]:
    """The template of the revision in place of the one that runs, without the controller's own label."""
    metadata = dict(goal.template.get("metadata") or {})
    metadata["labels"] = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return [{"op": "replace", "path": "/spec/template", "value": {**goal.template, "metadata": metadata}}]


def _tag(image: str) -> str:
    """`1.4.0` of `registry.example.com:5000/shop/checkout:1.4.0@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
