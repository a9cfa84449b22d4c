"""Workloads from the Kubernetes API, with GET alone: the rollout, its pods, their events and logs. No Secret is ever read.

API: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote

import httpx

from bot.core.check import Check
from bot.core.config.systems import SystemConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.infrastructure.cluster import ClusterEvent, PodState, Revision, WorkloadState
from bot.core.infrastructure.missing_parts import could_not_read
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonResponse, JsonServer, TokenSource, refusal
from bot.monitoring.systems import kubernetes_objects as objects
from bot.monitoring.systems.histories import tried
from bot.parallel import answers_or_failures

KINDS = ("deployments", "statefulsets", "daemonsets")
PAGE, MAX_PAGES = 200, 5
LOG_BYTES = 256 * 1024
FEWER_LINES = (50, 5)
MAX_OBJECTS, OBJECTS_AT_ONCE = 50, 5
"""Objects whose events are read one by one, and how many at a time."""
NO_SELECTOR: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")


class _TooLong(QueryFailed):
    """A list of more items than are read."""


def _or_raise(listed: list[JsonObject] | QueryFailed) -> list[JsonObject]:
    if isinstance(listed, QueryFailed):
        raise listed
    return listed


def _labelled(labels: str) -> dict[str, str]:
    return {"labelSelector": labels} if labels else {}


class Kubernetes:
    """The ClusterReader port. `workloads` maps a service to `namespace/name`."""

    name = "Kubernetes"

    def __init__(
        self,
        config: SystemConfig,
        client: httpx.AsyncClient,
        workloads: Mapping[str, str],
        *,
        token: TokenSource = "",
        seconds: float = 6.0,
    ) -> None:
        self._workloads = workloads
        self._server = JsonServer(client, name="Kubernetes", base=config.url, seconds=seconds, token=token)

    async def workload(self, service: str) -> WorkloadState:
        """The workload of a service with its pods, revisions and events. What of these could not be read is in `unread`."""
        namespace, name = self._place(service)
        kind, body = await self._controller(namespace, name)
        try:
            state, labels = objects.workload(kind, namespace, body), objects.selector(body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"a {kind.removesuffix('s')}") from error
        unread: list[str] = []
        pods = await self._part(unread, "pods", self._pods(namespace, labels))
        revisions = await self._part(unread, "revisions", self._revisions(namespace, labels)) if kind == KINDS[0] else ()
        about = {name, *(pod.name for pod in pods), *(revision.name for revision in revisions)}
        events = await self._part(unread, "events", self._events(namespace, about))
        return objects.with_parts(state, pods=pods, revisions=revisions, events=events, unread=unread)

    async def logs(self, service: str, *, pod: str, container: str, previous: bool, lines: int) -> list[str]:
        """The last lines that a container of the service's pods wrote, oldest first; `previous`: before its last restart.

        Without a pod the one that restarted most; raises InvalidQuery for a pod of another workload.
        """
        namespace, name = self._place(service)
        chosen = _pod(await self._own_pods(namespace, name), pod, service)
        names = [state.name for state in chosen.containers]
        if not names:
            raise QueryFailed(f"{chosen.name} has no container yet")
        if container and container not in names:
            raise InvalidQuery(f"{chosen.name} has no container {one_line(container, 60)!r}; it has {', '.join(names)}")
        container_name = container or max(chosen.containers, key=lambda state: state.restarts).name
        path = f"/api/v1/namespaces/{_safe(namespace)}/pods/{_safe(chosen.name)}/log"
        parameters = {"container": container_name, "timestamps": "true"} | ({"previous": "true"} if previous else {})
        return [f"{chosen.name}/{container_name} {line}" for line in await self._last_lines(path, parameters, lines)]

    async def _last_lines(self, path: str, parameters: Mapping[str, str], lines: int) -> list[str]:
        """As many as fit: the API cuts the end off what is longer than its limit, and the end is what matters."""
        text = ""
        for count in (lines, *(fewer for fewer in FEWER_LINES if fewer < lines)):
            limits = {"tailLines": str(count), "limitBytes": str(LOG_BYTES)}
            text = await self._server.read_text(path, {**parameters, **limits})
            if len(text.encode()) < LOG_BYTES:
                return text.splitlines()
        return [*text.splitlines(), f"(the end is missing: the last lines are longer than {LOG_BYTES // 1024} KiB)"]

    def place(self, service: str) -> str:
        """`namespace/name`, as anyone can ask kubectl for it. Raises QueryFailed."""
        return "/".join(self._place(service))

    async def check(self) -> Check:
        """Whether it answers and the token may read each workload, its pods and events."""
        advice = "check systems.kubernetes.url, its token, known_as.kubernetes and the role in docs/systems.md"
        return await tried(self.name, self._all, self._workloads, what="workloads", advice=advice)

    async def _all(self, service: str) -> WorkloadState:
        state = await self.workload(service)
        if state.unread:
            raise QueryFailed("; ".join(state.unread))
        return state

    def _place(self, service: str) -> tuple[str, str]:
        if service not in self._workloads:
            raise QueryFailed(f"no workload of {one_line(service, 60)} is configured (known_as.kubernetes: namespace/name)")
        namespace, _, name = self._workloads[service].partition("/")
        return namespace, name

    async def _controller(self, namespace: str, name: str) -> tuple[str, JsonObject]:
        """The kind and body of a workload: whichever kind has this name."""
        for kind in KINDS:
            response = await self._server.get(f"/apis/apps/v1/namespaces/{_safe(namespace)}/{kind}/{_safe(name)}", {})
            if response.status != 404:
                return kind, self._body(response)
        raise QueryFailed(f"{self._server.place} has no workload {one_line(f'{namespace}/{name}', 120)}")

    async def _pods(self, namespace: str, labels: str) -> tuple[PodState, ...]:
        return tuple(
            [objects.pod(row) async for row in self._items(f"/api/v1/namespaces/{_safe(namespace)}/pods", _labelled(labels))]
        )

    async def _own_pods(self, namespace: str, name: str) -> tuple[PodState, ...]:
        kind, body = await self._controller(namespace, name)
        try:
            return await self._pods(namespace, objects.selector(body))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"a {kind.removesuffix('s')} and its pods") from error

    async def _revisions(self, namespace: str, labels: str) -> tuple[Revision, ...]:
        path = f"/apis/apps/v1/namespaces/{_safe(namespace)}/replicasets"
        rows = [objects.revision(row) async for row in self._items(path, _labelled(labels))]
        return tuple(sorted(rows, key=lambda revision: int(revision.number or 0), reverse=True))

    async def _events(self, namespace: str, about: set[str]) -> tuple[ClusterEvent, ...]:
        """Those about these objects: of the whole namespace, or object by object where it holds more than can be read."""
        path = f"/api/v1/namespaces/{_safe(namespace)}/events"
        try:
            rows = [row async for row in self._items(path) if row["involvedObject"].get("name") in about]
        except _TooLong:
            if len(about) > MAX_OBJECTS:
                raise
            read = partial(self._events_about, path)
            lists = await answers_or_failures(read, sorted(about), at_once=OBJECTS_AT_ONCE)
            rows = [row for listed in lists for row in _or_raise(listed)]
        return tuple(sorted(map(objects.event, rows), key=lambda event: event.at, reverse=True))

    async def _events_about(self, path: str, name: str) -> list[JsonObject]:
        return [row async for row in self._items(path, {"fieldSelector": f"involvedObject.name={name}"})]

    async def _items(self, path: str, selector: Mapping[str, str] = NO_SELECTOR) -> AsyncIterator[JsonObject]:
        """The items of all pages of a list. Raises QueryFailed, also where it is too long to be read whole."""
        parameters = {"limit": str(PAGE), **selector}
        for _ in range(MAX_PAGES):
            page = self._body(await self._server.get(path, parameters))
            for row in page["items"]:
                yield row
            if not (more := (page.get("metadata") or {}).get("continue")):
                return
            parameters["continue"] = str(more)
        raise _TooLong(f"{self._server.place} lists more than {PAGE * MAX_PAGES} at {path.rsplit('/', 1)[-1]}")

    async def _part(self, unread: list[str], what: str, reading: Awaitable[tuple[T, ...]]) -> tuple[T, ...]:
        """One part of a workload; where it cannot be read that is said, and the others stand."""
        try:
            return await reading
        except QueryFailed as error:
            unread.append(could_not_read(what, str(error)))
        except (AttributeError, KeyError, TypeError, ValueError):
            unread.append(could_not_read(what, str(self._unreadable(what))))
        return ()

    def _body(self, response: JsonResponse) -> JsonObject:
        if response.status != 200 or not isinstance(response.json, dict):
            raise QueryFailed(f"{self._server.place} answered {refusal(response)}")
        body: JsonObject = response.json
        return body

    def _unreadable(self, what: str) -> QueryFailed:
        return QueryFailed(f"{self._server.place} answered something that is not {what} of the Kubernetes API")


def _pod(pods: Sequence[PodState], name: str, service: str) -> PodState:
    """The pod of this name among the service's own; without a name the one with most restarts."""
    if not pods:
        raise QueryFailed(f"{service} has no pod")
    if not name:
        return max(pods, key=lambda pod: sum(container.restarts for container in pod.containers))
    named = next((pod for pod in pods if pod.name == name), None)
    if named is None:
        raise InvalidQuery(f"{service} has no pod {one_line(name, 80)!r}; it has {', '.join(pod.name for pod in pods[:12])}")
    return named


def _safe(segment: str) -> str:
    return quote(segment, safe="")
