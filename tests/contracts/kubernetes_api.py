"""A strict stand-in of the Kubernetes API server: the paths, verbs, parameters and answers of its published API alone.

No cluster can be started here. What it does not know it refuses as the server does: a Status with reason and code.
API: https://kubernetes.io/docs/reference/kubernetes-api/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

TOKEN = "t0ken"
_LIST = frozenset({"labelSelector", "fieldSelector", "limit", "continue"})
_LOG = frozenset({"container", "follow", "limitBytes", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps"})
_PATHS = {
    re.compile(r"/apis/apps/v1/namespaces/([^/]+)/(deployments|statefulsets|daemonsets)/([^/]+)"): "get",
    re.compile(r"/apis/apps/v1/namespaces/([^/]+)/(replicasets)"): "list",
    re.compile(r"/api/v1/namespaces/([^/]+)/(pods|events)"): "list",
    re.compile(r"/api/v1/namespaces/([^/]+)/(pods)/([^/]+)/log"): "log",
}
LABELS = {"app": "checkout"}
AT = "2026-03-01T02:50:00Z"


def status(code: int, reason: str, message: str) -> httpx.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code}
    return httpx.Response(code, json=body)


def deployment(name: str = "checkout", *, wanted: int = 2, ready: int = 1, updated: int = 2) -> dict[str, Any]:
    stuck = {
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": 'ReplicaSet "checkout-b" has timed out progressing.',
    }  # fmt: skip
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": "prod", "generation": 7},
        "spec": {"replicas": wanted, "selector": {"matchLabels": LABELS}, "template": {}},
        "status": {
            "observedGeneration": 7, "replicas": 2, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "conditions": [stuck],
        },
    }  # fmt: skip


def replica_set(name: str, revision: str, image: str, replicas: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name, "labels": LABELS, "creationTimestamp": AT,
            "annotations": {"deployment.kubernetes.io/revision": revision, "secret-note": "never-shown"},
        },
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
        "status": {"replicas": replicas, "readyReplicas": replicas},
    }  # fmt: skip


def pod(name: str, *, crashed: bool = False) -> dict[str, Any]:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    last = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-03-01T02:58:30Z"}}
    container = {
        "name": "app", "image": "shop/checkout:2.0", "ready": not crashed, "restartCount": 6 if crashed else 0,
        "state": waiting if crashed else {"running": {"startedAt": AT}}, "lastState": last if crashed else {},
    }  # fmt: skip
    unready = {
        "type": "Ready",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [app]",
    }
    return {
        "metadata": {
            "name": name, "namespace": "prod", "labels": LABELS,
            "ownerReferences": [{"kind": "ReplicaSet", "name": "checkout-b"}],
        },
        "spec": {"nodeName": "node-7", "containers": [{"name": "app", "env": [{"name": "PASSWORD", "value": "never-shown"}]}]},
        "status": {
            "phase": "Running", "startTime": AT, "containerStatuses": [container], "conditions": [unready] if crashed else [],
        },
    }  # fmt: skip


def event(name: str, reason: str, message: str, *, kind: str = "Pod", series: bool = False) -> dict[str, Any]:
    """Events of events.k8s.io count in a series and have no lastTimestamp."""
    times: dict[str, Any] = (
        {"series": {"count": 9, "lastObservedTime": "2026-03-01T02:59:00.000000Z"}, "lastTimestamp": None}
        if series
        else {"count": 3, "lastTimestamp": "2026-03-01T02:55:00Z"}
    )
    about = {"kind": kind, "name": name, "namespace": "prod"}
    metadata = {"name": f"{name}.1", "creationTimestamp": AT}
    return {"metadata": metadata, "type": "Warning", "reason": reason, "message": message, "involvedObject": about, **times}


@dataclass
class ApiServer:
    """Objects by plural and namespace; `forbidden` resources are refused as RBAC refuses them."""

    objects: Mapping[str, list[dict[str, Any]]]
    logs: Mapping[tuple[str, bool], str] = field(default_factory=dict)
    """(pod, previous) -> text."""
    forbidden: frozenset[str] = frozenset()
    page: int = 500
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return status(401, "Unauthorized", "Unauthorized")
        if request.method != "GET":
            return status(405, "MethodNotAllowed", f"{request.method} is not read-only")
        matches = ((verb, pattern.fullmatch(request.url.path)) for pattern, verb in _PATHS.items())
        verb, match = next(((verb, match) for verb, match in matches if match), ("", None))
        if match is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        return self._answer(verb, match, dict(request.url.params))

    def _answer(self, verb: str, match: re.Match[str], asked: dict[str, str]) -> httpx.Response:
        namespace, plural = match[1], match[2]
        if unknown := set(asked) - (_LOG if verb == "log" else _LIST if verb == "list" else set()):
            return status(400, "BadRequest", f"unknown parameters {sorted(unknown)}")
        if (f"{plural}/log" if verb == "log" else plural) in self.forbidden:
            who = 'User "system:serviceaccount:tocsin:tocsin"'
            return status(403, "Forbidden", f'{plural} is forbidden: {who} cannot {verb} resource "{plural}"')
        if namespace != "prod":
            return status(404, "NotFound", f'namespaces "{namespace}" not found')
        rows = self.objects.get(plural, [])
        if verb == "list":
            return self._list(plural, rows, asked)
        name = match[3]
        one = next((row for row in rows if row["metadata"]["name"] == name), None)
        if one is None:
            return status(404, "NotFound", f'{plural} "{name}" not found')
        return httpx.Response(200, json=one) if verb == "get" else self._log(name, asked)

    def _list(self, plural: str, rows: list[dict[str, Any]], asked: dict[str, str]) -> httpx.Response:
        wanted = dict(part.split("=", 1) for part in asked.get("labelSelector", "").split(",") if part)
        fitting = [row for row in rows if wanted.items() <= (row["metadata"].get("labels") or {}).items()]
        if field := asked.get("fieldSelector"):
            key, _, name = field.partition("=")
            if plural != "events" or key != "involvedObject.name":
                return status(400, "BadRequest", f'field label not supported: "{key}"')
            fitting = [row for row in fitting if row["involvedObject"]["name"] == name]
        size, start = min(self.page, int(asked.get("limit", self.page))), int(asked.get("continue", 0))
        more = {"continue": str(start + size)} if start + size < len(fitting) else {}
        return httpx.Response(200, json={"kind": f"{plural}List", "metadata": more, "items": fitting[start : start + size]})

    def _log(self, name: str, asked: dict[str, str]) -> httpx.Response:
        previous = asked.get("previous") == "true"
        text = self.logs.get((name, previous))
        if text is None:
            missing = f'previous terminated container "{asked["container"]}" in pod "{name}" not found'
            return status(400, "BadRequest", missing)
        lines = text.splitlines()[-int(asked["tailLines"]) :]
        content = "".join(f"{AT} {line}\n" for line in lines).encode()
        return httpx.Response(200, content=content[: int(asked.get("limitBytes", len(content)))])
