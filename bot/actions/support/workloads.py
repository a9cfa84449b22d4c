"""A workload of Kubernetes as actions see and change it. API: https://kubernetes.io/docs/reference/kubernetes-api/

Each change is one JSON Patch (RFC 6902) that first tests the generation: it is taken only while the workload's
specification is the one that people approved.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.actions.support.remote import JsonObject, RemoteSystem, objects_at, outcome_of, refusal, text_at, value_at
from bot.actions.support.signal import read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Replicas, Tier, Verification, VerificationState
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.text.untrusted import counted
from bot.plugins import ActionContext

DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS = "deployments", "statefulsets", "daemonsets"
KEY, BEFORE, SCALED = "tocsin-idempotency-key", "tocsin-before", "tocsin-scaled-to"
"""Annotations: which run changed it last, what it was before, and the number of pods that a run gave it."""
JSON_PATCH = "application/json-patch+json"
_MANAGERS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}
Operation = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """One deployment, stateful set or daemon set, as the API server has it now."""

    kind: str
    """Its plural in the API."""
    namespace: str
    name: str
    body: JsonObject

    @property
    def target(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def title(self) -> str:
        return f"{self.kind.removesuffix('s')} {self.target}"

    @property
    def path(self) -> str:
        return f"/apis/apps/v1/namespaces/{quote(self.namespace, safe='')}/{self.kind}/{quote(self.name, safe='')}"

    @property
    def generation(self) -> int:
        """Raised by the server with every change of the specification, and by nothing else."""
        return int(value_at(self.body, "metadata", "generation") or 0)

    @property
    def desired(self) -> int:
        """Pods that it should have."""
        if self.kind == DAEMON_SETS:
            return int(value_at(self.body, "status", "desiredNumberScheduled") or 0)
        replicas = value_at(self.body, "spec", "replicas")
        return 1 if replicas is None else int(replicas)

    def annotation(self, name: str) -> str:
        return text_at(self.body, "metadata", "annotations", name)

    def manager(self) -> str:
        """Who puts its specification back, in words; "" if nobody known does."""
        marks = {**(value_at(self.body, "metadata", "labels") or {}), **(value_at(self.body, "metadata", "annotations") or {})}
        return next((title for mark, title in _MANAGERS.items() if mark in marks), "")

    def away_at_once(self) -> int:
        """Pods that a rollout takes away at once. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"""
        strategy = value_at(self.body, "spec", "strategy" if self.kind == DEPLOYMENTS else "updateStrategy") or {}
        if strategy.get("type") == "Recreate":
            return self.desired
        limit = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", "25%" if self.kind == DEPLOYMENTS else 1)
        if not isinstance(limit, str):
            return int(limit)
        share = self.desired * int(limit.removesuffix("%")) / 100
        return math.floor(share) if self.kind == DEPLOYMENTS else math.ceil(share)

    def unfinished(self) -> str:
        """What of its rollout is still missing; "" once all pods are of the newest specification and ready."""
        status = value_at(self.body, "status") or {}
        if int(status.get("observedGeneration") or 0) < self.generation:
            return "the rollout has not begun"
        of = "updatedNumberScheduled" if self.kind == DAEMON_SETS else "updatedReplicas"
        ready = "numberAvailable" if self.kind == DAEMON_SETS else "availableReplicas"
        new, there = int(status.get(of) or 0), int(status.get(ready) or 0)
        if new < self.desired:
            return f"rolling out: {new} of {counted(self.desired, 'pod')} replaced"
        return f"{there} of {counted(self.desired, 'pod')} available" if there < self.desired else ""


class Cluster:
    """The API server, with the token for writing. Raises ActionFailed if Kubernetes is not set up."""

    def __init__(self, ctx: ActionContext, service: str) -> None:
        self._ctx = ctx
        self._api = RemoteSystem(ctx, "kubernetes", "Kubernetes")
        self._namespace, _, self._name = self._api.name_of(service).partition("/")

    @property
    def target(self) -> str:
        return f"{self._namespace}/{self._name}"

    async def workload(self, kinds: Sequence[str]) -> Workload:
        """The service's workload of one of these kinds. Raises ActionFailed."""
        for kind in kinds:
            path = Workload(kind, self._namespace, self._name, {}).path
            if (body := await self._api.find(path)) is not None:
                return Workload(kind, self._namespace, self._name, body)
        raise ActionFailed(f"Kubernetes has no {' or '.join(kind.removesuffix('s') for kind in kinds)} {self.target}.")

    async def listed(self, group: str, resource: str, **query: str) -> Sequence[JsonObject]:
        """The objects of one resource in the workload's namespace. Raises ActionFailed, also where there are too many."""
        path = f"/{group}/namespaces/{quote(self._namespace, safe='')}/{resource}"
        page = await self._api.read(path, limit="500", **query)
        if value_at(page, "metadata", "continue"):
            raise ActionFailed(f"Kubernetes lists more than 500 {resource} in {self._namespace}.")
        return objects_at(page, "items")

    async def trial(self, workload: Workload, operations: Sequence[Operation]) -> str:
        """Let the server check the change without doing it (dryRun=All): "" if it would take it, else why not."""
        try:
            answer = await self._patch(workload, operations, key="", dryRun="All")
        except (ActionFailed, OutcomeUnknown) as error:
            return str(error)
        return "" if answer.status == 200 else f"the API server answered {refusal(answer)}"

    async def change(
        self, workload: Workload, operations: Sequence[Operation], done: str, *, before: str = "", scaled: str = ""
    ) -> Outcome:
        """The one patch, marked with the key of this run, with what was before, and with the number of pods given."""
        if (approved := self._ctx.approved.get(workload.target)) and approved != version_of(workload):
            text = f"{workload.title} was changed since it was approved. Nothing was done."
            return Outcome(state=OutcomeState.FAILED, text=text)
        entries = {KEY: self._ctx.idempotency_key, BEFORE: before, SCALED: scaled}
        marks = added(workload.body, ("metadata", "annotations"), entries)
        answer = await self._patch(workload, [*operations, *marks], key=self._ctx.idempotency_key)
        return outcome_of("Kubernetes", answer, done, remote_id=before)

    async def _patch(self, workload: Workload, operations: Sequence[Operation], *, key: str, **query: str) -> Any:
        unchanged = {"op": "test", "path": "/metadata/generation", "value": workload.generation}
        body = [unchanged, *operations]
        query = {"fieldManager": "tocsin", **query}
        return await self._api.write("PATCH", workload.path, body, key=key, content_type=JSON_PATCH, **query)


def added(body: JsonObject, path: tuple[str, ...], entries: Mapping[str, str]) -> list[Operation]:
    """Operations that set entries of an object that may be missing; what stands beside them stays."""
    pointer = "/" + "/".join(path)
    missing: list[Operation] = [] if value_at(body, *path) is not None else [{"op": "add", "path": pointer, "value": {}}]
    return missing + [
        {"op": "add", "path": f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", "value": value}
        for name, value in entries.items()
    ]


def version_of(workload: Workload) -> str:
    """What an approval binds: the specification, not the pods' comings and goings."""
    return f"generation {workload.generation}"


async def described(
    cluster: Cluster,
    workload: Workload,
    lines: Sequence[str],
    operations: Sequence[Operation],
    *,
    away: int,
    least_tier: Tier = Tier.ZERO,
) -> DryRun:
    """The dry run of a change: what it does, who may undo it behind our back, and what the server says to a trial.

    `away`: pods that it takes away at once.
    """
    problem = await cluster.trial(workload, operations)
    manager = workload.manager()
    report = [*lines, *([f"{manager} manages this workload and may put it back"] if manager else [])]
    report.append(f"could not be tried: {problem}" if problem else "the API server took it as a trial (dryRun=All)")
    replicas = {workload.target: Replicas(desired=workload.desired, away=away)}
    targets = {workload.target: version_of(workload)}
    return DryRun(ok=not problem, text="\n".join(report), targets=targets, replicas=replicas, least_tier=least_tier)


async def probed(ctx: ActionContext, service: str, kinds: Sequence[str]) -> Outcome | None:
    """Whether the patch of this key reached the workload; None where it cannot be read."""
    try:
        workload = await Cluster(ctx, service).workload(kinds)
    except ActionFailed:
        return None
    if workload.annotation(KEY) != ctx.idempotency_key:
        return Outcome(state=OutcomeState.FAILED, text="Kubernetes does not have the change of this run.")
    return Outcome(state=OutcomeState.DONE, text="Kubernetes has the change.", remote_id=workload.annotation(BEFORE))


async def verified(ctx: ActionContext, service: str, kinds: Sequence[str]) -> Verification:
    """Whether the rollout is complete and the signal good."""
    try:
        workload = await Cluster(ctx, service).workload(kinds)
    except ActionFailed as error:
        return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
    if missing := workload.unfinished():
        return Verification(state=VerificationState.NOT_RECOVERED, text=missing)
    return await read_signal(ctx, service)
