"""Alerting rules over the world's own metrics, evaluated like Prometheus does it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import numpy as np

from bot.sandbox.world.metrics import Metrics
from bot.sandbox.world.promql.evaluate import Evaluator
from bot.sandbox.world.promql.parser import parse
from bot.sandbox.world.promql.values import Key, Vector, key_of, nameless
from bot.sandbox.world.shop import CLUSTER, USER_FACING
from bot.sandbox.world.tables import Labels

RUNBOOKS = "/world/runbooks"
"""Below the world's address."""
_BY = "cluster, namespace, job, service"
_FRONT = f'service=~"{"|".join(USER_FACING)}"'
_BEHIND = f'service!~"{"|".join(USER_FACING)}"'
_SERVED = "http_requests_total"


def percent(value: float) -> str:
    """0.137 as 13.7%."""
    return f"{value * 100:.3g}%"


def seconds(value: float) -> str:
    """1.204 as 1.2s, 0.31 as 310ms."""
    return f"{value:.2g}s" if value >= 1 else f"{value * 1000:.3g}ms"


def plain(value: float) -> str:
    """A count."""
    return f"{value:.4g}"


@dataclass(frozen=True)
class Rule:
    """One alerting rule; texts are filled from the labels and `value`."""

    name: str
    expr: str
    hold_seconds: float
    severity: str
    summary: str
    description: str
    show: Callable[[float], str] = percent

    def annotations(self, labels: Labels, value: float, base_url: str) -> Labels:
        """Summary, description and runbook for one alert; `base_url` is the world's address."""
        words = {**labels, "value": self.show(value)}
        return {
            "summary": self.summary.format(**words),
            "description": self.description.format(**words),
            "runbook_url": f"{base_url}{RUNBOOKS}/{self.name}",
        }

    def annotations_as_written(self, base_url: str) -> Labels:
        """The same before anything is filled in."""
        return {"summary": self.summary, "description": self.description, "runbook_url": f"{base_url}{RUNBOOKS}/{self.name}"}


def _ratio(metric: str, bad: str, by: str, where: str = "") -> str:
    comma = "," if where else ""
    return f"sum by ({by}) (rate({metric}{{{where}{comma}{bad}}}[15s])) / sum by ({by}) (rate({metric}{{{where}}}[15s]))"


def _p95(where: str) -> str:
    return f"histogram_quantile(0.95, sum by ({_BY}, le) (rate(http_request_duration_seconds_bucket{{{where}}}[15s])))"


def _mean(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}_sum[15s])) / sum by ({by}) (rate({metric}_count[15s]))"


_FAILED = 'code=~"5.."'
_ERRORS = ("{service}: {value} of requests fail", "More than the allowed share of requests to {service} answer 5xx.")
_SLOW = ("{service}: p95 latency is {value}", "The slowest 5 % of requests to {service} take longer than 750 ms.")

RULES: tuple[Rule, ...] = (
    Rule("HighErrorRate", _ratio(_SERVED, _FAILED, _BY, _FRONT) + " > 0.03", 2, "critical", *_ERRORS),
    Rule("HighErrorRate", _ratio(_SERVED, _FAILED, _BY, _BEHIND) + " > 0.05", 2, "warning", *_ERRORS),
    Rule("HighLatency", _p95(_FRONT) + " > 0.75", 2, "critical", *_SLOW, seconds),
    Rule("HighLatency", _p95(_BEHIND) + " > 0.75", 2, "warning", *_SLOW, seconds),
    Rule(
        "ErrorBudgetBurn",
        _ratio(_SERVED, _FAILED, _BY).replace("[15s]", "[30s]") + " > 0.072", 2, "warning",
        "{service} burns its error budget 14 times too fast",
        "{value} of requests failed over the last 30 s (objective 99.5 %).",
    ),
    Rule(
        "PodErrorRate", _ratio(_SERVED, _FAILED, f"{_BY}, pod") + " > 0.05", 2, "warning",
        "{pod}: {value} of requests fail", "Pod {pod} of {service} answers 5xx.",
    ),
    Rule(
        "PodSlow", _mean("http_request_duration_seconds", f"{_BY}, pod") + " > 0.5", 2, "warning",
        "{pod}: mean latency is {value}", "Requests to pod {pod} of {service} take longer than 500 ms on average.", seconds,
    ),
    Rule(
        "PodNotReady", "kube_pod_status_ready == 0", 4, "warning",
        "{pod} is not ready", "Pod {pod} of {service} fails its readiness probe.", plain,
    ),
    Rule(
        # Only pods that still live: the counters of replaced ones stay in the window for a while.
        "PodRestarting",
        "increase(kube_pod_container_status_restarts_total[2m]) > 0 and on (pod) kube_pod_status_ready", 0, "warning",
        "{pod} restarts", "The container of {pod} restarted {value} times in 2 minutes.", plain,
    ),
    Rule(
        "DependencyErrors", _ratio("rpc_client_requests_total", 'code="error"', f"{_BY}, pod, peer") + " > 0.1", 2, "warning",
        "{service}: {value} of calls to {peer} fail", "Calls from pod {pod} of {service} to {peer} fail.",
    ),
    Rule(
        "DependencySlow", _mean("rpc_client_duration_seconds", f"{_BY}, pod, peer") + " > 0.3", 2, "warning",
        "{service}: calls to {peer} take {value}", "Pod {pod} of {service} waits for {peer}.", seconds,
    ),
    Rule(
        "MemoryHigh", "process_resident_memory_bytes / container_spec_memory_limit_bytes > 0.9", 2, "warning",
        "{pod} uses {value} of its memory limit", "Pod {pod} of {service} is close to being killed.",
    ),
    Rule(
        "CpuSaturated", "rate(container_cpu_usage_seconds_total[15s]) > 0.9", 2, "warning",
        "{pod} uses {value} of its core", "Pod {pod} of {service} has no CPU left.",
    ),
    Rule(
        "ConnectionPoolExhausted", "db_connections_in_use / db_connections_max > 0.9", 2, "warning",
        "{pod}: {value} of the connection pool to {database} is taken",
        "Requests of {service} wait for a connection to {database}.",
    ),
    Rule(
        "QueueBacklog", "queue_depth > 300", 4, "warning",
        "{service}: {value} jobs wait in queue {queue}", "Queue {queue} of {service} grows.", plain,
    ),
    Rule(
        "ProviderErrors", _ratio("external_requests_total", _FAILED, f"{_BY}, pod, provider") + " > 0.1", 2, "warning",
        "{service}: {value} of calls to {provider} fail", "Third party {provider} fails calls of pod {pod} of {service}.",
    ),
    Rule(
        "TrafficHigh",
        f"sum by ({_BY}) (rate(http_requests_total[30s])) / sum by ({_BY}) (rate(http_requests_total[5m] offset 15m)) > 1.8",
        2, "warning",
        "{service} gets {value} times its usual requests", "Requests to {service} against a quarter of an hour ago.", plain,
    ),
    Rule(
        "DeploymentDegraded", "kube_deployment_status_replicas_available / kube_deployment_spec_replicas < 0.7", 4, "warning",
        "{deployment}: only {value} of the pods are available", "Deployment {deployment} has too few ready pods.",
    ),
    Rule(
        "CertificateExpiring", "probe_ssl_earliest_cert_expiry - time() < 14 * 86400", 0, "warning",
        "The certificate of {service} ends soon", "{instance} has a certificate that ends in {value} s.", plain,
    ),
    Rule("Watchdog", "vector(1)", 0, "none", "Alerting works", "Always firing: shows that the whole pipeline works.", plain),
)  # fmt: skip


@dataclass
class Active:
    """One alert of one rule: pending, then firing once its condition has held long enough."""

    rule: Rule
    labels: Labels
    since: float
    value: float
    fired_at: float | None = None

    @property
    def state(self) -> str:
        """Prometheus' word."""
        return "firing" if self.fired_at is not None else "pending"

    def annotations(self, base_url: str) -> Labels:
        """Texts with the newest value."""
        return self.rule.annotations(self.labels, self.value, base_url)

    def generator_url(self, base_url: str) -> str:
        """Where Prometheus shows the expression."""
        return f"{base_url}/world/prometheus/graph?g0.expr={quote_plus(self.rule.expr)}&g0.tab=1"


@dataclass
class RuleEngine:
    """Evaluates all rules at a moment and keeps what is active."""

    metrics: Metrics
    rules: tuple[Rule, ...] = RULES
    active: dict[tuple[int, Key], Active] = field(default_factory=dict)
    evaluated_at: float = 0.0

    def evaluate(self, at: float) -> list[Active]:
        """One evaluation of every rule; answers the firing alerts."""
        active: dict[tuple[int, Key], Active] = {}
        for number, rule in enumerate(self.rules):
            value = Evaluator(self.metrics, np.asarray([at])).value(parse(rule.expr))
            if not isinstance(value, Vector):
                continue
            for labels, numbers, present in zip(value.labels, value.values, value.present, strict=True):
                if present[0]:
                    self._see(active, number, rule, labels, float(numbers[0]), at)
        self.active, self.evaluated_at = active, at
        return [alert for alert in active.values() if alert.fired_at is not None]

    def _see(
        self, active: dict[tuple[int, Key], Active], number: int, rule: Rule, labels: Labels, value: float, at: float
    ) -> None:
        full = {"cluster": CLUSTER, **nameless(labels), "alertname": rule.name, "severity": rule.severity}
        key = (number, key_of(full))
        alert = active[key] = self.active.get(key) or Active(rule, full, at, value)
        alert.value = value
        if alert.fired_at is None and at - alert.since >= rule.hold_seconds:
            alert.fired_at = at
