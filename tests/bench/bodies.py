"""Alerts as Prometheus posts them to Alertmanager and as Alertmanager posts them to Tocsin, about 500 bytes each."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.load import request

NAMES = ("HighErrorRate", "HighLatencyP99", "PodCrashLooping", "NodeDiskFull", "TargetDown", "QueueBacklog", "ReplicaLag")
Body = Callable[[Sequence[dict[str, Any]]], bytes]


def alert(number: int, *, services: int = 50, severity: str = "warning", tag: str = "") -> dict[str, Any]:
    """One alert of eight labels and three annotations; the service follows from the number."""
    name = NAMES[number % len(NAMES)]
    return {
        "labels": {
            "alertname": name,
            "service": f"{tag}svc-{number % services:03d}",
            "cluster": "eu-1",
            "namespace": f"ns-{number % 20}",
            "pod": f"{tag}pod-{number:07d}",
            "instance": f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}:9100",
            "severity": severity,
            "team": f"team-{number % 8}",
        },
        "annotations": {
            "summary": f"{name} on pod {number}: value is {number % 97}.{number % 10}% for 5m",
            "description": "The measured value has been over its threshold for five minutes; see the runbook.",
            "runbook_url": f"https://runbooks.example.com/{name}",
        },
        "startsAt": _moment(STARTED),
        "generatorURL": f"http://prometheus.example.com/graph?g0.expr=errors%7Bn%3D%22{number}%22%7D",
    }


STARTED = datetime.now(UTC) - timedelta(seconds=60)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_alertmanager(alerts: Sequence[dict[str, Any]]) -> bytes:
    """The list that Prometheus posts to /api/v2/alerts."""
    return json.dumps(list(alerts)).encode()


def to_tocsin(alerts: Sequence[dict[str, Any]]) -> bytes:
    """The webhook that Alertmanager posts, version 4."""
    firing = [
        {**one, "status": "firing", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": _fingerprint(one["labels"]["pod"])}
        for one in alerts
    ]
    services = sorted({one["labels"]["service"] for one in alerts})
    body = {
        "version": "4",
        # Alertmanager's key of a group; a body of many services stands for a sender without groups.
        "groupKey": f'{{}}:{{service="{services[0]}"}}' if len(services) == 1 else "",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "bot",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": firing,
    }
    return json.dumps(body).encode()


def _fingerprint(pod: str) -> str:
    return hashlib.blake2b(pod.encode(), digest_size=8).hexdigest()


def requests(url: str, body: Body, batch: int, alerts: Sequence[dict[str, Any]], token: str = "") -> list[bytes]:
    """All alerts as requests of `batch` each."""
    return [request(url, body(alerts[start : start + batch]), token) for start in range(0, len(alerts), batch)]
