"""Objects of the Kubernetes API as our nouns. Labels, annotations and environments stay unread, save the revision's number."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.infrastructure.cluster import ClusterEvent, ContainerState, PodState, Revision, WorkloadState
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject

MAX_MESSAGE = 300
REVISION = "deployment.kubernetes.io/revision"
_GOOD_WHEN = {"Available": "True", "Progressing": "True", "ReplicaFailure": "False"}
_PLAIN_REASONS = ("NewReplicaSetAvailable", "MinimumReplicasAvailable")


def workload(kind: str, namespace: str, body: JsonObject) -> WorkloadState:
    """A deployment, stateful set or daemon set."""
    spec, status, name = body["spec"], body.get("status") or {}, str(body["metadata"]["name"])
    if kind == "daemonsets":
        desired = int(status.get("desiredNumberScheduled", 0))
        updated, ready = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberReady", 0))
        available = int(status.get("numberAvailable", 0))
    else:
        desired = int(spec.get("replicas", 1))
        updated, ready = int(status.get("updatedReplicas", 0)), int(status.get("readyReplicas", 0))
        available = int(status.get("availableReplicas", ready))
    current = int(status.get("observedGeneration", 0)) >= int(body["metadata"].get("generation", 0))
    total = int(status.get("replicas", status.get("currentNumberScheduled", 0)))
    return WorkloadState(
        kind=kind.removesuffix("s"),
        namespace=namespace,
        name=name,
        desired=desired,
        updated=updated,
        ready=ready,
        available=available,
        rolled_out=current and updated >= desired and total <= updated and available >= updated,
        conditions=tuple(_conditions(status.get("conditions") or (), good=_GOOD_WHEN)),
    )


def with_parts(
    state: WorkloadState,
    *,
    pods: Sequence[PodState],
    revisions: Sequence[Revision],
    events: Sequence[ClusterEvent],
    unread: Sequence[str],
) -> WorkloadState:
    """The workload with what belongs to it."""
    return replace(state, pods=tuple(pods), revisions=tuple(revisions), events=tuple(events), unread=tuple(unread))


def selector(body: JsonObject) -> str:
    """The label selector of a workload's pods, in the form of a query. Raises ValueError for one that selects all."""
    chosen = body["spec"]["selector"]
    equal = [f"{name}={value}" for name, value in sorted((chosen.get("matchLabels") or {}).items())]
    parts = [*equal, *map(_expression, chosen.get("matchExpressions") or ())]
    if not parts:
        raise ValueError("a selector that selects every pod")
    return ",".join(parts)


def _expression(expression: JsonObject) -> str:
    key, operator = expression["key"], expression["operator"]
    values = f"({','.join(expression.get('values') or ())})"
    forms = {"In": f"{key} in {values}", "NotIn": f"{key} notin {values}", "Exists": f"{key}", "DoesNotExist": f"!{key}"}
    return forms[operator]


def pod(body: JsonObject) -> PodState:
    """A pod with its containers, those that initialise it first."""
    metadata, status = body["metadata"], body.get("status") or {}
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    owners: Sequence[JsonObject] = metadata.get("ownerReferences") or ({},)
    reason = f" ({one_line(str(status['reason']), 60)})" if status.get("reason") else ""
    return PodState(
        name=str(metadata["name"]),
        phase=("Terminating" if metadata.get("deletionTimestamp") else str(status.get("phase", "Unknown"))) + reason,
        node=one_line(str((body.get("spec") or {}).get("nodeName", "")), 120),
        started_at=_moment(status.get("startTime")),
        unmet=tuple(_conditions(status.get("conditions") or (), good={"Ready": "True", "PodScheduled": "True"})),
        containers=tuple(_container(status) for status in statuses),
        revision=str(owners[0].get("name", "")),
    )


def _container(body: JsonObject) -> ContainerState:
    state, last = body.get("state") or {}, (body.get("lastState") or {}).get("terminated")
    now: tuple[str, JsonObject] = next(iter(state.items()), ("unknown", {}))
    return ContainerState(
        name=str(body["name"]),
        image=one_line(str(body.get("image", "")), 200),
        # One that initialises is done when it has ended well.
        ready=bool(body.get("ready")) or (state.get("terminated") or {}).get("exitCode") == 0,
        restarts=int(body.get("restartCount", 0)),
        state=_state_text(*now),
        message=one_line(str((now[1] or {}).get("message", "")), MAX_MESSAGE),
        last=_state_text("terminated", last) if last else "",
        last_at=_moment(last.get("finishedAt")) if last else None,
    )


def _state_text(kind: str, body: JsonObject) -> str:
    reason = f": {one_line(str(body['reason']), 60)}" if (body or {}).get("reason") else ""
    exit_code = f" (exit {body['exitCode']})" if (body or {}).get("exitCode") is not None else ""
    return f"{kind}{reason}{exit_code}"


def _conditions(rows: Sequence[JsonObject], *, good: dict[str, str]) -> Iterator[str]:
    """Those of the named conditions that are not as they should be."""
    for row in rows:
        kind, status = str(row["type"]), str(row["status"])
        if kind in good and status != good[kind] and row.get("reason") not in _PLAIN_REASONS:
            why = ", ".join(one_line(str(row[key]), MAX_MESSAGE) for key in ("reason", "message") if row.get(key))
            yield f"{kind} is {status}" + (f": {why}" if why else "")


def revision(body: JsonObject) -> Revision:
    """A replica set."""
    metadata, status = body["metadata"], body.get("status") or {}
    containers = body["spec"]["template"]["spec"]["containers"]
    return Revision(
        name=str(metadata["name"]),
        number=str((metadata.get("annotations") or {}).get(REVISION, "")),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        replicas=int(status.get("replicas", 0)),
        ready=int(status.get("readyReplicas", 0)),
        images=tuple(one_line(str(container.get("image", "")), 200) for container in containers),
    )


def event(body: JsonObject) -> ClusterEvent:
    """An event of either form: older ones count in themselves, newer ones in their series."""
    about, series = body["involvedObject"], body.get("series") or {}
    at = series.get("lastObservedTime") or body.get("lastTimestamp") or body.get("eventTime")
    return ClusterEvent(
        at=datetime.fromisoformat(at or body["metadata"]["creationTimestamp"]),
        warning=body.get("type") == "Warning",
        reason=one_line(str(body.get("reason", "")), 80),
        message=one_line(str(body.get("message", "")), MAX_MESSAGE),
        about=f"{about.get('kind', '')}/{about.get('name', '')}",
        count=int(series.get("count") or body.get("count") or 1),
    )


def _moment(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
