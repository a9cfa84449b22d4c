"""What a stock kube-prometheus sends to a receiver that is connected for the first time, a few days after its install.

Names, severities and labels are those of its default rules; grouping is its default too (by namespace). It is
written down from the published rules, not recorded from a cluster.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

# (rule, severity, namespace, further labels, minutes since it fires)
STANDING: tuple[tuple[str, str, str, dict[str, str], int], ...] = (
    ("Watchdog", "none", "monitoring", {}, 4320),
    ("InfoInhibitor", "none", "monitoring", {"container": "grafana"}, 900),
    ("InfoInhibitor", "none", "kube-system", {"container": "coredns"}, 900),
    ("CPUThrottlingHigh", "info", "monitoring", {"pod": "node-exporter-7xk2p", "container": "kube-rbac-proxy"}, 905),
    ("CPUThrottlingHigh", "info", "kube-system", {"pod": "coredns-5d78c9869d-9lqtk", "container": "coredns"}, 905),
    ("KubeControllerManagerDown", "critical", "kube-system", {}, 4310),
    ("KubeSchedulerDown", "critical", "kube-system", {}, 4310),
    ("KubeProxyDown", "critical", "kube-system", {}, 4310),
    ("etcdInsufficientMembers", "critical", "kube-system", {"job": "etcd"}, 4305),
    ("TargetDown", "warning", "kube-system", {"job": "kube-etcd", "service": "kube-etcd"}, 4300),
    ("KubeMemoryOvercommit", "warning", "monitoring", {}, 4200),
    ("KubeCPUOvercommit", "warning", "monitoring", {}, 4200),
    ("KubeQuotaAlmostFull", "info", "shop", {"resource": "limits.cpu"}, 3100),
    ("KubeDeploymentReplicasMismatch", "warning", "shop", {"deployment": "recommendations"}, 260),
    ("KubePodNotReady", "warning", "shop", {"pod": "recommendations-6c9f7d4b8-tq2xm"}, 255),
    ("KubePodCrashLooping", "warning", "shop", {"pod": "recommendations-6c9f7d4b8-tq2xm", "reason": "CrashLoopBackOff"}, 250),
    ("KubeContainerWaiting", "warning", "shop", {"pod": "batch-report-28391", "reason": "ImagePullBackOff"}, 190),
    ("KubeJobFailed", "warning", "shop", {"job_name": "nightly-export-28390"}, 700),
    ("KubeJobNotCompleted", "warning", "shop", {"job_name": "nightly-export-28389"}, 1500),
    ("KubeHpaMaxedOut", "warning", "shop", {"horizontalpodautoscaler": "search"}, 95),
    ("NodeFilesystemSpaceFillingUp", "warning", "monitoring", {"instance": "10.0.3.17:9100", "mountpoint": "/var"}, 130),
    ("NodeClockNotSynchronising", "warning", "monitoring", {"instance": "10.0.3.18:9100"}, 2800),
    ("NodeNetworkInterfaceFlapping", "warning", "monitoring", {"instance": "10.0.3.19:9100", "device": "veth12ab"}, 75),
    ("PrometheusDuplicateTimestamps", "warning", "monitoring", {"pod": "prometheus-k8s-0"}, 640),
    ("AlertmanagerFailedToSendAlerts", "warning", "monitoring", {"pod": "alertmanager-main-1", "integration": "email"}, 330),
)
FRESH: tuple[tuple[str, str, str, dict[str, str], int], ...] = (
    ("KubePodNotReady", "warning", "monitoring", {"pod": "blackbox-exporter-6b7c5f-x2x8z"}, 2),
    ("CPUThrottlingHigh", "info", "shop", {"pod": "cart-7d9c8f6b5-4kkzq", "container": "cart"}, 1),
)


def webhooks(now: datetime) -> Iterator[dict[str, Any]]:
    """One body a namespace, as Alertmanager sends them when the receiver is new."""
    rows = STANDING + FRESH
    for namespace in dict.fromkeys(row[2] for row in rows):
        alerts = [_alert(now, *row) for row in rows if row[2] == namespace]
        yield {
            "version": "4",
            "groupKey": f'{{}}:{{namespace="{namespace}"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "tocsin",
            "groupLabels": {"namespace": namespace},
            "commonLabels": {"namespace": namespace, "prometheus": "monitoring/k8s"},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager-main:9093",
            "alerts": alerts,
        }


def _alert(now: datetime, rule: str, severity: str, namespace: str, labels: dict[str, str], minutes: int) -> dict[str, Any]:
    known = {"alertname": rule, "severity": severity, "namespace": namespace, "prometheus": "monitoring/k8s", **labels}
    return {
        "status": "firing",
        "labels": known,
        "annotations": {
            "summary": f"{rule} in {namespace}",
            "runbook_url": f"https://runbooks.prometheus-operator.dev/runbooks/general/{rule.lower()}",
        },
        "startsAt": (now - timedelta(minutes=minutes)).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus-k8s-0:9090/graph",
        "fingerprint": f"{abs(hash(tuple(sorted(known.items())))):016x}"[:16],
    }
