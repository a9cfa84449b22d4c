"""What a monitoring system would have sent: alert streams as an Alertmanager delivers them, and bodies that one really sent."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
LASTS = timedelta(minutes=10)
"""The streams say when an alert began; it is taken to fire so long after it was last seen."""
SEVERITIES = {"trace": "critical", "metric": "warning"}
"""The streams have no severities: requests that fail or are slow are critical, a resource that deviates is a warning."""
PAUSE = timedelta(minutes=30)


@dataclass(frozen=True)
class Delivery:
    """One alert of one webhook, at a moment of the stream's own time."""

    at: datetime
    source: str
    alert: Json

    @property
    def identity(self) -> tuple[str, str, str]:
        """Of the alert's episode: source, fingerprint and start."""
        return self.source, str(self.alert["fingerprint"]), str(self.alert["startsAt"])


@dataclass(frozen=True)
class Stream:
    """Deliveries by time, the services that they are about, and how many incidents really were behind them."""

    source: str
    deliveries: Sequence[Delivery]
    depends_on: dict[str, list[str]]
    incidents: int


def storm(data: Path, system: str, start: datetime, within: timedelta) -> Stream:
    """A stream of `alert_storm`, moved to `start` and cut off after `within`."""
    path = data / "alert_storm" / f"{system}.one_clock.alerts.jsonl.gz"
    alerts = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    incident_of = json.loads((data / "alert_storm" / f"{system}.one_clock.labels.json").read_text())["incident_of_alert"]
    first = alerts[0]["ts"]
    seen = [alert for alert in alerts if alert["ts"] - first <= within.total_seconds()]
    firings = [(start + timedelta(seconds=round(alert["ts"] - first, 3)), _labels(alert)) for alert in seen]
    incidents = len({incident_of[alert["id"]] for alert in seen})
    deliveries = sorted(_delivered(system, firings), key=lambda delivery: delivery.at)
    return Stream(system, deliveries, _topology(data, system, {alert["component"] for alert in seen}), incidents)


def _labels(alert: Json) -> dict[str, str]:
    where = {key: str(alert[key]) for key in ("host", "caller") if key in alert}
    name = f"{alert['name']} {alert['direction']}"
    return {"alertname": name, "service": alert["component"], "severity": SEVERITIES[alert["kind"]], **where}


def _delivered(source: str, firings: Sequence[tuple[datetime, dict[str, str]]]) -> Iterator[Delivery]:
    """Each firing, and one end for those of the same alert that run into each other: they are one episode."""
    of_alert: dict[str, list[datetime]] = {}
    labels_of: dict[str, dict[str, str]] = {}
    for at, labels in firings:
        fingerprint = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
        of_alert.setdefault(fingerprint, []).append(at)
        labels_of[fingerprint] = labels
    for fingerprint, moments in of_alert.items():
        began = moments[0]
        for at, following in zip(moments, [*moments[1:], None], strict=True):
            yield Delivery(at, source, _alert(labels_of[fingerprint], fingerprint, began))
            if following is None or following - at > LASTS:
                yield Delivery(at + LASTS, source, _alert(labels_of[fingerprint], fingerprint, began, at + LASTS))
                began = following or began


def _alert(labels: dict[str, str], fingerprint: str, began: datetime, ended: datetime | None = None) -> Json:
    return {
        "status": "resolved" if ended else "firing",
        "labels": labels,
        "annotations": {"summary": f"{labels['alertname']} on {labels['service']}"},
        "startsAt": began.isoformat(),
        "endsAt": ended.isoformat() if ended else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
        "fingerprint": fingerprint,
    }


def _topology(data: Path, system: str, components: set[str]) -> dict[str, list[str]]:
    """What each service calls; an instance calls what its service does."""
    edges = json.loads((data / "rca_alerts" / system / "topology.json").read_text())["edges"]
    calls: dict[str, list[str]] = {component: [] for component in sorted(components)}
    for edge in edges:
        if edge["label"] == "control_flow":
            calls.setdefault(edge["source"], []).append(edge["target"])
            calls.setdefault(edge["target"], [])
    for edge in edges:
        if edge["label"] == "instance_of":
            calls.setdefault(edge["source"], []).extend(calls.get(edge["target"], []))
    return calls


def recorded(data: Path, start: datetime) -> Stream:
    """Bodies that a real Alertmanager sent, in their order, moved to `start`."""
    folder = data / "recorded" / "alertmanager"
    bodies = [json.loads(path.read_text()) for path in sorted(folder.glob("webhook_*_*.raw"))]
    alerts = [alert for body in bodies for alert in body["alerts"]]
    first = min(_moment(alert["startsAt"]) for alert in alerts)
    deliveries = [
        Delivery(moment, "recorded", moved)
        for alert in alerts
        for moved in [_moved(alert, start - first)]
        for moment in [_moment(moved["endsAt" if alert["status"] == "resolved" else "startsAt"])]
    ]
    services = sorted({alert["labels"].get("service", "") for alert in alerts} - {""})
    in_order = sorted(deliveries, key=lambda one: one.at)
    return Stream("recorded", in_order, {name: [] for name in services}, len({body["groupKey"] for body in bodies}))


def _moved(alert: Json, by: timedelta) -> Json:
    ended = {"endsAt": (_moment(alert["endsAt"]) + by).isoformat()} if alert["status"] == "resolved" else {}
    return {**alert, "startsAt": (_moment(alert["startsAt"]) + by).isoformat(), **ended}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def week(data: Path, systems: Sequence[str], start: datetime, within: timedelta) -> list[Stream]:
    """The streams one after the other, with a pause between them."""
    streams = [recorded(data, start)]
    for system in systems:
        streams.append(storm(data, system, max(one.deliveries[-1].at for one in streams) + PAUSE, within))
    return streams
