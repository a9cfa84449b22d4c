"""The tool `describe_workload`: what the cluster says of a service's pods, their restarts, the rollout, and events."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import PodFact
from bot.core.infrastructure.cluster import ClusterEvent, ContainerState, PodState, Revision, WorkloadState
from bot.core.infrastructure.missing_parts import missing_parts
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock, date_to_the_minute
from bot.core.text.untrusted import counted
from bot.core.tool_calls import ToolRole, Topic, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import ServiceName
from tools._arguments import service_of

MAX_PODS, MAX_REVISIONS, MAX_EVENTS = 40, 5, 40
EVENTS_BACK = timedelta(hours=6)


@tool(
    needs="cluster",
    label="pods of {service}",
    role=ToolRole.WORKLOAD,
    topic=Topic("restarts restarting crash crashes crashing crashloop crashlooping"),
    first_for={"memory": 2, "cpu": 3, "disk": 2},
)
async def describe_workload(ctx: ToolContext, service: ServiceName) -> Evidence:
    """Describe a service's workload in Kubernetes: rollout, revisions, pods with restarts, events.

    Call it when pods crash, restart or are not ready, and after a deploy: which revision do the bad
    pods run? pod_logs has what they wrote.
    """
    name = service_of(ctx, service)
    if ctx.cluster is None:
        raise QueryFailed("no cluster is configured (systems.kubernetes)")
    state = await ctx.cluster.workload(name)
    events = [event for event in state.events if event.at >= ctx.now - EVENTS_BACK]
    return Evidence(
        summary=_summary(name, state, events),
        query=f"kubectl describe {state.kind} {state.name} -n {state.namespace}",
        details=tuple(_lines(state, events, ctx.now)),
        source="kubernetes",
        unseen=tuple(could_not_check(f"{name} in Kubernetes", why) for why in state.unread),
        # Events quote what images and probes answer.
        user_controllable=True,
        facts=EvidenceFacts(pods=tuple(PodFact(pod=pod.name, node=pod.node, namespace=state.namespace) for pod in state.pods)),
    )


def _summary(name: str, state: WorkloadState, events: Sequence[ClusterEvent]) -> str:
    rollout = "rolled out" if state.rolled_out else f"rolling out, {state.updated} of {state.desired} updated"
    missing = missing_parts(state.unread)
    parts = [
        f"{name}: {state.ready} of {state.desired} pods ready, {rollout}",
        *(() if "pods" in missing else _of_pods(state.pods)),
        "" if "events" in missing else _warnings(events, missing),
        f"{', '.join(missing)} could not be read" if missing else "",
    ]
    return "; ".join(part for part in parts if part)


def _of_pods(pods: Sequence[PodState]) -> tuple[str, ...]:
    troubled = [pod for pod in pods if not pod.ready]
    restarts = sum(container.restarts for pod in pods for container in pod.containers)
    reasons = list(dict.fromkeys(_trouble(container) for pod in pods for container in pod.containers if _trouble(container)))
    not_ready = f"{counted(len(troubled), 'pod')} not ready" if troubled else ""
    return not_ready, counted(restarts, "restart") if restarts else "no restart", ", ".join(reasons[:3])


def _warnings(events: Sequence[ClusterEvent], missing: Sequence[str]) -> str:
    """How many there were; events are matched by the names of pods and revisions, so without these some are missing."""
    count = sum(event.warning for event in events)
    text = f"{counted(count, 'kind')} of warning in {duration_text(EVENTS_BACK)}"
    if not missing:
        return text
    return f"at least {text}" if count else f"events of {' and '.join(missing)} not matched"


def _trouble(container: ContainerState) -> str:
    if container.state.startswith("waiting") or (container.state.startswith("terminated") and not container.ready):
        return container.state
    return container.last if container.restarts else ""


def _lines(state: WorkloadState, events: Sequence[ClusterEvent], now: datetime) -> Iterator[str]:
    yield (
        f"{state.kind} {state.namespace}/{state.name}: wanted {state.desired}, updated {state.updated}, ready {state.ready}, "
        f"available {state.available}"
    )
    yield from state.conditions
    yield from map(_revision, state.revisions[:MAX_REVISIONS])
    worst_first = sorted(
        state.pods, key=lambda pod: (pod.ready, -sum(container.restarts for container in pod.containers), pod.name)
    )
    for pod in worst_first[:MAX_PODS]:
        yield from _pod(pod, now)
    if len(state.pods) > MAX_PODS:
        yield f"and {len(state.pods) - MAX_PODS} more pods"
    warnings_first = sorted(events, key=lambda event: (not event.warning, -event.at.timestamp()))
    yield from map(_event, warnings_first[:MAX_EVENTS])


def _revision(revision: Revision) -> str:
    images = ", ".join(revision.images)
    since = date_to_the_minute(revision.created_at)
    return f"revision {revision.number} since {since}: {revision.ready} of {revision.replicas} ready, {images}"


def _pod(pod: PodState, now: datetime) -> Iterator[str]:
    age = f", for {duration_text(now - pod.started_at)}" if pod.started_at else ""
    ready = "ready" if pod.ready else "not ready"
    revision = f", of {pod.revision}" if pod.revision else ""
    yield f"pod {pod.name} on {pod.node or 'no node'}: {pod.phase}, {ready}{age}{revision}"
    yield from (f"  {condition}" for condition in pod.unmet)
    for container in pod.containers:
        if container.ready and not container.restarts:
            continue
        last = (
            f"; before: {container.last}" + (f" at {clock(container.last_at)}" if container.last_at else "")
            if container.last
            else ""
        )
        message = f" ({container.message})" if container.message else ""
        restarts = counted(container.restarts, "restart")
        yield f"  container {container.name}: {container.state}{message}, {restarts}{last}; {container.image}"


def _event(event: ClusterEvent) -> str:
    kind = "warning" if event.warning else "event"
    times = f" ({event.count} times)" if event.count > 1 else ""
    return f"{kind} {date_to_the_minute(event.at)} {event.about} {event.reason}{times}: {event.message}"
