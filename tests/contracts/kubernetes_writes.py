"""The stand-in of the Kubernetes API server with one verb more: JSON Patch on workloads, as the server takes it.

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply - a failed `test` is 422, a trial
(`dryRun=All`) answers what would be and changes nothing, the generation rises with each change of the specification,
and what is no valid object is refused.
"""

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx
import jsonpatch
import kubernetes_validate

from tests.contracts.kubernetes_api import TOKEN, ApiServer, status

WRITE_TOKEN = "wr1te"
_WORKLOAD = re.compile(r"/apis/apps/v1/namespaces/([^/]+)/(deployments|statefulsets|daemonsets)/([^/]+)")
_SCALERS = re.compile(r"/apis/autoscaling/v2/namespaces/([^/]+)/horizontalpodautoscalers")
UID = "6a9f"
Json = dict[str, Any]


def workload(kind: str = "Deployment", *, replicas: int = 4, image: str = "shop/checkout:2.0", **spec: Any) -> Json:
    """A whole one, that the published schema takes; its rollout is complete."""
    template = pod_template(image)
    scaled = {} if kind == "DaemonSet" else {"replicas": replicas}
    named = {"serviceName": "checkout"} if kind == "StatefulSet" else {}
    done = {"observedGeneration": 7, "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
    if kind == "DaemonSet":
        done = {
            "observedGeneration": 7, "desiredNumberScheduled": replicas, "updatedNumberScheduled": replicas,
            "numberAvailable": replicas, "currentNumberScheduled": replicas, "numberMisscheduled": 0, "numberReady": replicas,
        }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": "checkout", "namespace": "prod", "uid": UID, "generation": 7,
            "annotations": {"deployment.kubernetes.io/revision": "7"},
        },
        "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "template": template, **scaled, **named, **spec},
        "status": done,
    }  # fmt: skip


def pod_template(image: str) -> Json:
    return {"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def kept(number: int, image: str, *, uid: str = UID) -> Json:
    """A replica set that belongs to a deployment."""
    template = pod_template(image)
    template["metadata"]["labels"]["pod-template-hash"] = f"h{number}"
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout", "uid": uid, "controller": True}
    return {
        "metadata": {
            "name": f"checkout-h{number}", "labels": {"app": "checkout"}, "ownerReferences": [owner],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
        },
        "spec": {"template": template},
    }  # fmt: skip


@dataclass
class WritableServer(ApiServer):
    """As `ApiServer`, for the account that may also patch workloads."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") == f"Bearer {WRITE_TOKEN}":
            request.headers["Authorization"] = f"Bearer {TOKEN}"
            if request.method == "PATCH":
                self.requests.append(request)
                return self._patch(request)
            if _SCALERS.fullmatch(request.url.path):
                self.requests.append(request)
                return self._list("horizontalpodautoscalers", self.objects.get("horizontalpodautoscalers", []), {})
        return super().__call__(request)

    @property
    def patches(self) -> list[httpx.Request]:
        """Those that were meant."""
        return [r for r in self.requests if r.method == "PATCH" and "dryRun" not in r.url.params]

    def _patch(self, request: httpx.Request) -> httpx.Response:
        match = _WORKLOAD.fullmatch(request.url.path)
        if match is None:
            return status(404, "NotFound", "the server could not find the requested resource")
        if unknown := set(request.url.params) - {"dryRun", "fieldManager"}:
            return status(400, "BadRequest", f"unknown parameters {sorted(unknown)}")
        if request.headers.get("Content-Type") != "application/json-patch+json":
            return status(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        if "patch" in self.forbidden:
            return status(403, "Forbidden", f'{match[2]} "{match[3]}" is forbidden: cannot patch resource')
        rows = self.objects.get(match[2], [])
        place = next((n for n, row in enumerate(rows) if row["metadata"]["name"] == match[3]), None)
        if place is None:
            return status(404, "NotFound", f'{match[2]} "{match[3]}" not found')
        return self._applied(rows, place, json.loads(request.content), trial="dryRun" in request.url.params)

    def _applied(self, rows: list[Json], place: int, operations: list[Json], *, trial: bool) -> httpx.Response:
        before = rows[place]
        try:
            after: Json = jsonpatch.apply_patch(copy.deepcopy(before), operations)
            kubernetes_validate.validate(after, "1.33", strict=True)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, kubernetes_validate.ValidationError) as error:
            return status(422, "Invalid", f"the server rejected our request due to an error in our request: {error}")
        if after["spec"] != before["spec"]:
            after["metadata"]["generation"] += 1
        if not trial:
            rows[place] = after
        return httpx.Response(200, json=after)
