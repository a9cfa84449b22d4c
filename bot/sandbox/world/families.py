"""The metrics of the shop, derived from its history when somebody asks for them."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from bot.sandbox.world.change import WorldChange
from bot.sandbox.world.history import History
from bot.sandbox.world.noise import Floats, stable_hash
from bot.sandbox.world.physics import slower_than
from bot.sandbox.world.pods import Fleet, Pod
from bot.sandbox.world.shop import CLUSTER, NAMESPACE, Shop
from bot.sandbox.world.tables import Family, Labels, Rows

BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, np.inf)
MEAN_OF_MEDIAN = 1.0690
"""Mean of a log-logistic of shape 5 over its median: (pi/5) / sin(pi/5)."""


def _bucket_label(limit: float) -> str:
    return "+Inf" if np.isinf(limit) else f"{limit:g}"


class Families:
    """Builds the families over one history; `all()` lists them by name."""

    def __init__(self, shop: Shop, fleet: Fleet, history: History, changes: Callable[[], list[WorldChange]]) -> None:
        self.shop, self.fleet, self.history, self.changes = shop, fleet, history, changes
        self._pods: dict[str, Pod] = {}

    def all(self) -> Mapping[str, Family]:
        """Every family of the shop."""
        parts = (self._of_requests(), self._of_calls(), self._of_processes(), self._of_cluster())
        return {family.name: family for families in parts for family in families}

    def _of_requests(self) -> list[Family]:
        """What each pod serves."""
        return [
            Family("http_requests_total", "counter", "Requests served, by status code.", self._requests),
            Family(
                "http_request_duration_seconds_bucket",
                "histogram",
                "Time to answer a request.",
                self._buckets,
                stored_as="counter",
            ),
            Family(
                "http_request_duration_seconds_sum", "histogram", "Time to answer a request.", self._seconds, False, "counter"
            ),
            Family(
                "http_request_duration_seconds_count", "histogram", "Time to answer a request.", self._count, True, "counter"
            ),
        ]

    def _of_calls(self) -> list[Family]:
        """What each pod asks of others."""
        return [
            Family("rpc_client_requests_total", "counter", "Calls to other services as the caller saw them.", self._calls),
            Family(
                "rpc_client_duration_seconds_sum",
                "summary",
                "Time spent waiting for a peer.",
                self._call_seconds,
                False,
                "counter",
            ),
            Family(
                "rpc_client_duration_seconds_count",
                "summary",
                "Time spent waiting for a peer.",
                self._call_count,
                True,
                "counter",
            ),
            Family("external_requests_total", "counter", "Calls to third parties.", self._provider_calls),
            Family(
                "external_request_duration_seconds_sum",
                "summary",
                "Time waiting for third parties.",
                self._provider_sum,
                False,
                "counter",
            ),
            Family(
                "external_request_duration_seconds_count",
                "summary",
                "Time waiting for third parties.",
                self._provider_count,
                True,
                "counter",
            ),
        ]

    def _of_processes(self) -> list[Family]:
        """What each pod and its database use."""
        return [
            Family("process_resident_memory_bytes", "gauge", "Resident memory.", self._gauge("pod_memory")),
            Family("container_spec_memory_limit_bytes", "gauge", "Memory limit of the container.", self._memory_limit),
            Family("container_cpu_usage_seconds_total", "counter", "CPU time; one core is the limit.", self._cpu, False),
            Family("db_connections_in_use", "gauge", "Database connections taken from the pool.", self._connections),
            Family("db_connections_max", "gauge", "Size of the connection pool.", self._connections_max),
            Family("queue_depth", "gauge", "Waiting jobs.", self._queue),
        ]

    def _of_cluster(self) -> list[Family]:
        """Metrics of pods, deployments and certificates, as the exporters of a cluster have them."""
        return [
            Family("kube_pod_container_info", "gauge", "Image of a container.", self._container),
            Family("kube_pod_status_ready", "gauge", "1 if the pod passes its readiness probe.", self._gauge("pod_ready")),
            Family(
                "kube_pod_container_status_restarts_total", "counter", "Container restarts.", self._restarts, stored_as="gauge"
            ),
            Family("kube_deployment_metadata_generation", "gauge", "Counts changes of a deployment.", self._generation),
            Family("kube_deployment_spec_replicas", "gauge", "Wanted pods.", self._desired),
            Family("kube_deployment_status_replicas_available", "gauge", "Ready pods.", self._available),
            Family("probe_ssl_earliest_cert_expiry", "gauge", "When the certificate ends, Unix seconds.", self._certificate),
            Family("up", "gauge", "1 if the target could be scraped.", self._up),
        ]

    def _pod(self, name: str) -> Pod:
        if name not in self._pods:
            self._pods = {pod.name: pod for pod in self.fleet.pods} | self._pods
        return self._pods[name]

    def _labels(self, pod: Pod) -> Labels:
        return {
            "namespace": NAMESPACE,
            "cluster": CLUSTER,
            "job": pod.service,
            "service": pod.service,
            "pod": pod.name,
        }

    def _version_labels(self, pod: Pod) -> Labels:
        return {**self._labels(pod), "version": pod.version}

    def _served(self, first: int, end: int) -> Iterator[tuple[Pod, int, Floats]]:
        """Requests of each pod per grid point."""
        for name, start, rps in self.history.of("pod_rps", first, end):
            yield self._pod(name), start, rps * self.history.grid.step

    def _requests(self, first: int, end: int) -> Rows:
        for pod, start, count in self._served(first, end):
            stop = start + len(count)
            own = self.history.part("pod_own_error", pod.name, start, stop)
            inherited = self.history.part("pod_inherited_error", pod.name, start, stop)
            good = count * (1.0 - own) * (1.0 - inherited)
            shares = {"200": good * 0.985, "404": good * 0.015, "500": count * own, "502": count * (1.0 - own) * inherited}
            for code, increments in shares.items():
                yield {**self._version_labels(pod), "code": code}, start, increments

    def _medians(self, first: int, end: int) -> Iterator[tuple[Pod, int, Floats, Floats]]:
        for pod, start, count in self._served(first, end):
            yield pod, start, count, self.history.part("pod_seconds", pod.name, start, start + len(count))

    def _buckets(self, first: int, end: int) -> Rows:
        for pod, start, count, median in self._medians(first, end):
            for limit in BUCKETS:
                within = count if np.isinf(limit) else count * (1.0 - slower_than(limit, median))
                yield {**self._version_labels(pod), "le": _bucket_label(limit)}, start, within

    def _seconds(self, first: int, end: int) -> Rows:
        for pod, start, count, median in self._medians(first, end):
            yield self._version_labels(pod), start, count * median * MEAN_OF_MEDIAN

    def _count(self, first: int, end: int) -> Rows:
        for pod, start, count in self._served(first, end):
            yield self._version_labels(pod), start, count

    def _edges(self, first: int, end: int) -> Iterator[tuple[Pod, str, int, Floats]]:
        """Calls per grid point of each pod on each of its edges."""
        for pod, start, count in self._served(first, end):
            for call in self.shop[pod.service].calls:
                factor = self.history.part("call_factor", f"{pod.service}>{call.callee}", start, start + len(count))
                yield pod, call.callee, start, count * call.per_request * factor

    def _calls(self, first: int, end: int) -> Rows:
        for pod, peer, start, count in self._edges(first, end):
            failed = self.history.part("call_error", f"{pod.service}>{peer}", start, start + len(count))
            for code, increments in (("ok", count * (1.0 - failed)), ("error", count * failed)):
                yield {**self._labels(pod), "peer": peer, "code": code}, start, increments

    def _call_seconds(self, first: int, end: int) -> Rows:
        for pod, peer, start, count in self._edges(first, end):
            seconds = self.history.part("call_seconds", f"{pod.service}>{peer}", start, start + len(count))
            yield {**self._labels(pod), "peer": peer}, start, count * (seconds * MEAN_OF_MEDIAN + 0.001)

    def _call_count(self, first: int, end: int) -> Rows:
        for pod, peer, start, count in self._edges(first, end):
            yield {**self._labels(pod), "peer": peer}, start, count

    def _to_providers(self, first: int, end: int) -> Iterator[tuple[Labels, str, int, Floats]]:
        for pod, start, count in self._served(first, end):
            if provider := self.shop[pod.service].provider:
                yield {**self._labels(pod), "provider": provider.name}, pod.service, start, count * provider.per_request

    def _provider_calls(self, first: int, end: int) -> Rows:
        for labels, service, start, count in self._to_providers(first, end):
            failed = self.history.part("provider_error", service, start, start + len(count))
            yield {**labels, "code": "200"}, start, count * (1.0 - failed)
            yield {**labels, "code": "503"}, start, count * failed

    def _provider_sum(self, first: int, end: int) -> Rows:
        for labels, service, start, count in self._to_providers(first, end):
            yield labels, start, count * self.history.part("provider_seconds", service, start, start + len(count))

    def _provider_count(self, first: int, end: int) -> Rows:
        for labels, _, start, count in self._to_providers(first, end):
            yield labels, start, count

    def _gauge(self, kind: str) -> Callable[[int, int], Rows]:
        def rows(first: int, end: int) -> Rows:
            for name, start, values in self.history.of(kind, first, end):
                yield self._labels(self._pod(name)), start, values

        return rows

    def _constant(self, first: int, end: int, value: Callable[[Pod], float]) -> Rows:
        for name, start, values in self.history.of("pod_rps", first, end):
            pod = self._pod(name)
            yield self._labels(pod), start, np.full(len(values), value(pod))

    def _memory_limit(self, first: int, end: int) -> Rows:
        return self._constant(first, end, lambda pod: self.shop[pod.service].limit_mib * 2.0**20)

    def _cpu(self, first: int, end: int) -> Rows:
        for labels, start, cores in self._gauge("pod_cpu")(first, end):
            yield labels, start, cores * self.history.grid.step

    def _connections(self, first: int, end: int) -> Rows:
        for labels, start, values in self._gauge("pod_connections")(first, end):
            yield {**labels, "database": "orders-db"}, start, values

    def _connections_max(self, first: int, end: int) -> Rows:
        for labels, start, values in self._connections(first, end):
            yield labels, start, np.full(len(values), float(self.shop[labels["service"]].pool))

    def _queue(self, first: int, end: int) -> Rows:
        for service, start, values in self.history.of("queue", first, end):
            yield {**self._service_labels(service), "queue": self.shop[service].queue}, start, values

    def _container(self, first: int, end: int) -> Rows:
        for name, start, values in self.history.of("pod_rps", first, end):
            pod = self._pod(name)
            image = f"registry.example/shop/{pod.service}:{pod.version}"
            digest = f"registry.example/shop/{pod.service}@sha256:{stable_hash(image):08x}{stable_hash(image, 2):08x}"
            labels = {**self._labels(pod), "container": pod.service, "image": image, "image_id": digest}
            yield labels, start, np.ones(len(values))

    def _restarts(self, first: int, end: int) -> Rows:
        for labels, start, values in self._gauge("pod_restarts")(first, end):
            yield {**labels, "container": labels["service"]}, start, np.floor(values)

    def _service_labels(self, service: str) -> Labels:
        return {"namespace": NAMESPACE, "cluster": CLUSTER, "job": service, "service": service}

    def _deployment(self, service: str) -> Labels:
        return {
            "namespace": NAMESPACE,
            "cluster": CLUSTER,
            "job": "kube-state-metrics",
            "deployment": service,
            "service": service,
        }

    def _generation(self, first: int, end: int) -> Rows:
        times = self.history.grid.times(first, end - first)
        for service in self.shop.services:
            values = np.full(len(times), 3.0 + stable_hash(service) % 40)
            for change in self.changes():
                if change.service == service and change.kind in ("deploy", "config"):
                    values += times >= change.at
            yield self._deployment(service), first, values

    def _desired(self, first: int, end: int) -> Rows:
        for service, spec in self.shop.services.items():
            yield self._deployment(service), first, np.full(end - first, float(spec.replicas))

    def _available(self, first: int, end: int) -> Rows:
        ready = {service: np.zeros(end - first) for service in self.shop.services}
        for name, start, values in self.history.of("pod_ready", first, end):
            ready[self._pod(name).service][start - first : start - first + len(values)] += values
        for service, values in ready.items():
            yield self._deployment(service), first, values

    def _certificate(self, first: int, end: int) -> Rows:
        for service in ("storefront", "checkout", "auth"):
            # The start of the grid is the one moment that does not move while the world runs.
            day = self.history.grid.start + 86400.0 * (21 + stable_hash(service) % 60)
            labels = {**self._service_labels(service), "instance": f"https://{service}.shop.example"}
            yield labels, first, np.full(end - first, np.floor(day))

    def _up(self, first: int, end: int) -> Rows:
        return self._constant(first, end, lambda _: 1.0)
