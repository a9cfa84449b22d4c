"""A workload in a cluster as its API server reports it: rollout, pods, containers and events. Messages are untrusted text."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ContainerState:
    """One container of a pod."""

    name: str
    image: str
    ready: bool
    restarts: int
    state: str
    """`running`, `waiting: CrashLoopBackOff`, `terminated: OOMKilled (exit 137)`."""
    message: str = ""
    last: str = ""
    """How it ended the last time, as `state`; "" if it never did."""
    last_at: datetime | None = None


@dataclass(frozen=True)
class PodState:
    """One pod, with the conditions that are not met."""

    name: str
    phase: str
    node: str
    started_at: datetime | None
    unmet: tuple[str, ...]
    containers: tuple[ContainerState, ...]
    revision: str = ""
    """The replica set or controller revision that it belongs to."""

    @property
    def ready(self) -> bool:
        return bool(self.containers) and all(container.ready for container in self.containers)


@dataclass(frozen=True)
class Revision:
    """One replica set of a deployment: a version of its template."""

    name: str
    number: str
    created_at: datetime
    replicas: int
    ready: int
    images: tuple[str, ...]


@dataclass(frozen=True)
class ClusterEvent:
    """Something that the cluster did or could not do, `count` times until `at`."""

    at: datetime
    warning: bool
    reason: str
    message: str
    about: str
    """`Pod/checkout-1`."""
    count: int = 1


@dataclass(frozen=True)
class WorkloadState:
    """A deployment, stateful set or daemon set with all that belongs to it."""

    kind: str
    namespace: str
    name: str
    desired: int
    updated: int
    ready: int
    available: int
    rolled_out: bool
    """Whether all its pods run the newest template."""
    conditions: tuple[str, ...]
    """Those that tell something: `Progressing is False: ProgressDeadlineExceeded, ...`."""
    pods: tuple[PodState, ...] = ()
    revisions: tuple[Revision, ...] = ()
    """Newest first."""
    events: tuple[ClusterEvent, ...] = ()
    """Newest first."""
    unread: tuple[str, ...] = ()
    """What could not be read, in words."""
