"""opensre scenarios (Apache-2.0): written evidence of one workload or database; which kind of cause, or is nothing wrong?"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bot.core.alert import Alert
from bot.core.evidence import Case, Findings, nothing_wrong
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service, Signal
from tests.evaluation.figures import Answer, write_details
from tests.evaluation.recorded import RecordedLogs, RecordedMetrics
from tests.evaluation.world import World, answer_of

SIMPLE = "simple baseline: majority category 0.47, passed 0.00; with all evidence as text passed 0.13"
PUBLISHED = "published: none for opensre; the reference answers stored with the labels pass 0.87 of the same score"
HISTORY = timedelta(hours=1)
STEP = 60
ASKED_AFTER = timedelta(minutes=10)
"""The alert is older than the question: the set tells no moment of it, and its events are up to so old."""
NODE_STATES = {
    "ready": "nodes not ready",
    "memory_pressure": "nodes under memory pressure",
    "disk_pressure": "nodes under disk pressure",
    "pid_pressure": "nodes short of processes",
}
PERCENT_BOUND = 85.0
"""Where a team's bound on a share of a resource usually is."""
MOST_TEXT = 2_500
"""Characters of an answer that count."""


def evaluate(data: Path, out: Path) -> None:
    """Answer every scenario under `data`; print how right that was where labels lie beside them."""
    answers: dict[str, dict[str, str]] = {}
    labels: dict[str, dict[str, Any]] = {}
    details: dict[str, Answer] = {}
    for path in sorted(data.rglob("opensre.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            scenarios = [Scenario(json.loads(line)) for line in file if line.strip()]
        findings = {one.id: one.ask() for one in scenarios}
        answers |= {id: told(one) for id, one in findings.items()}
        details |= {id: Answer.of(one) for id, one in findings.items()}
        beside = path.with_name("opensre.labels.json")
        labels |= json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(answers, indent=1), encoding="utf-8")
    write_details(details)
    if labels:
        print(figures(answers, labels))
        print(SIMPLE, PUBLISHED, sep="\n")


def told(findings: Findings) -> dict[str, str]:
    """The category, and what a person would read."""
    lines = [f"Root cause category: {findings.category}."]
    lines += [f"- {claim.text}" for claim in findings.because]
    lines += [line for h in findings.hypotheses for line in (h.cause, *(f"- {claim.text}" for claim in h.claims))]
    # Where no cause is likely, the check that would confirm one is what a person goes by.
    lines += [h.check for h in findings.hypotheses[:1] if h.confidence != "likely"]
    lines += [
        nothing_wrong(findings),
        findings.note,
        *(f"Ruled out: {claim.text}" for claim in findings.ruled_out),
    ]
    return {"root_cause_category": findings.category, "text": "\n".join(dict.fromkeys(filter(None, lines)))[:MOST_TEXT]}


def figures(answers: Mapping[str, Mapping[str, str]], labels: Mapping[str, Mapping[str, Any]]) -> str:
    """One line: how many categories are right, of the healthy ones and of the others, and what the texts hold."""
    right = {id: answers[id]["root_cause_category"] == label["root_cause_category"] for id, label in labels.items()}
    healthy = [hit for id, hit in right.items() if labels[id]["root_cause_category"] == "healthy"]
    ill = [hit for id, hit in right.items() if labels[id]["root_cause_category"] != "healthy"]
    recall = [_found(answers[id]["text"], label.get("required_keywords") or []) for id, label in labels.items()]
    return (
        f"opensre (n {len(labels)}): category {np.mean(list(right.values())):.2f}; healthy {np.mean(healthy or [0]):.2f} of "
        f"{len(healthy)}, others {np.mean(ill or [0]):.2f} of {len(ill)}; required words found {np.mean(recall):.2f}"
    )


def _found(text: str, words: Sequence[str]) -> float:
    return float(np.mean([word.lower() in text.lower() for word in words])) if words else 1.0


@dataclass(frozen=True)
class Scenario:
    """One scenario as it was written down."""

    row: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.row["id"])

    def ask(self) -> Findings:
        """What the analyst says at the last moment that the evidence holds."""
        alert = self.row["alert"]
        case = Case(
            group=self.id,
            service=self.service,
            alert_name=str(self._label("alertname") or alert["title"]),
            severity=str(self._label("severity")),
            summary=str(self._annotation("summary") or alert["title"]),
            labels={name: str(value or "") for name, value in (alert.get("commonLabels") or {}).items()},
            started_at=self.now - ASKED_AFTER,
        )
        return answer_of(self.world, case, now=self.now)

    @cached_property
    def service(self) -> str:
        """The workload, else the database instance, else what the labels call a service."""
        names = (self._label("workload_name"), self._annotation("db_instance_identifier"), self._label("service"))
        return str(next((name for name in names if name), "unknown"))

    def _label(self, name: str) -> Any:
        return (self.row["alert"].get("commonLabels") or {}).get(name) or ""

    def _annotation(self, name: str) -> Any:
        return (self.row["alert"].get("commonAnnotations") or {}).get(name) or ""

    def _evidence(self, kind: str, field: str) -> list[Any]:
        return [row for row in (self.row["evidence"].get(kind) or {}).get(field) or [] if isinstance(row, Mapping)]

    @cached_property
    def now(self) -> datetime:
        """The last moment that anything in the evidence tells."""
        return max(_moments(self.row["evidence"]))

    @cached_property
    def world(self) -> World:
        """Metrics of the workload and its pods, its lines and events, and what else fires."""
        signals: dict[str, Signal] = {}
        series: dict[str, Sequence[Series]] = {}
        for signal, found in (*self._cloudwatch(), *self._kubernetes()):
            signals[signal.promql] = signal
            series[signal.promql] = found
        service = Service(name=self.service, match={"service": self.service}, signals=signals)
        return World(
            Catalogue([service]),
            RecordedMetrics(series),
            logs=RecordedLogs({self.service: [*self._lines()]}),
            alerts=[*self._firing()],
        )

    def _cloudwatch(self) -> Iterator[tuple[Signal, list[Series]]]:
        evidence = self.row["evidence"]
        rows = [v for k, v in evidence.items() if k.startswith("aws_cloudwatch_metrics") and isinstance(v, Mapping)]
        for row in [*rows, *self._evidence("aws_cloudwatch_metrics", "metric_data_results")]:
            points = [*_points(row)]
            if not points:
                continue
            times = np.array([at.timestamp() for at, _ in points])
            bound = PERCENT_BOUND if row.get("unit") == "Percent" else None
            name = str(row.get("metric_name") or row.get("label"))
            labels = {str(d.get("Name")): str(d.get("Value")) for d in row.get("dimensions") or []}
            values = np.array([value for _, value in points], dtype=np.float64)
            yield Signal(promql=name, unit="%" if bound else "", bad_above=bound), [Series(labels, times, values)]

    def _kubernetes(self) -> Iterator[tuple[Signal, list[Series]]]:
        """The state of pods and nodes, as it would have been sampled: each from the moment since which it stands."""
        desired = sum(int(row.get("desired") or 0) for row in self._evidence("eks_deployments", "deployments"))
        # A pod that is being deleted is no replica any more.
        pods = [pod for pod in self._evidence("eks_pods", "pods") if not pod.get("deletion_timestamp")]
        if desired:
            ready = [self._since(_ready_at(pod), {"pod": pod["name"]}) for pod in pods]
            total = Series({}, ready[0].times, np.sum([one.values for one in ready], axis=0)) if ready else None
            yield Signal(promql="ready replicas", bad_below=desired), [total] if total else []
        for reason in sorted({reason for pod in pods for reason in _reasons(pod)}):
            yield Signal(promql=f"containers in {reason}", bad_above=0), [self._since(self.now, {})]
        nodes = self._evidence("eks_node_health", "nodes")
        for state, name in NODE_STATES.items():
            ill = sum(node.get(state) == ("False" if state == "ready" else "True") for node in nodes)
            if nodes:
                yield Signal(promql=name, bad_above=0), [self._since(self.now if ill else None, {})]

    def _since(self, start: datetime | None, labels: Mapping[str, str]) -> Series:
        """0 before a moment and 1 from it on; always 0 without one."""
        times = np.arange((self.now - HISTORY).timestamp(), self.now.timestamp() + 1, STEP)
        stands = times >= start.timestamp() if start else np.zeros(len(times), dtype=bool)
        return Series(labels, times, stands.astype(np.float64))

    def _lines(self) -> Iterator[LogLine]:
        for row in self._evidence("datadog_logs", "logs"):
            if at := _moment_or_none(row.get("timestamp")):
                yield LogLine(at=at, text=str(row.get("message") or ""), level=str(row.get("status") or ""))
        for text in str((self.row["evidence"].get("eks_pod_logs") or {}).get("logs") or "").splitlines():
            start, _, rest = text.partition(" ")
            if at := _moment_or_none(start):
                yield LogLine(at=at, text=rest)
        for row in self._evidence("eks_events", "warning_events"):
            if at := _moment_or_none(row.get("last_time") or row.get("first_time")):
                text = f"{row.get('reason')} {row.get('involved_object')}: {row.get('message')}"
                yield LogLine(at=at, text=text, level="warn")
        for row in self._evidence("aws_rds_events", "events"):
            if at := _moment_or_none(row.get("date")):
                yield LogLine(at=at, text=str(row.get("message") or ""))

    def _firing(self) -> Iterator[Alert]:
        """The case's own alert and the monitors that stand on alert."""
        alert = self.row["alert"]
        own = str(self._label("alertname") or alert["title"])
        if alert.get("state") != "normal":
            yield self._alert(
                own, {k: str(v) for k, v in (alert.get("commonLabels") or {}).items()}, str(self._annotation("summary"))
            )
        for row in self._evidence("datadog_monitors", "monitors"):
            if str(row.get("overall_state")).lower() == "alert":
                yield self._alert(str(row.get("name")), {}, str(row.get("message") or ""))

    def _alert(self, name: str, labels: Mapping[str, str], summary: str) -> Alert:
        return Alert(
            source="opensre",
            fingerprint=name,
            status="firing",
            name=name,
            labels={**labels, "service": self.service},
            annotations={"summary": summary},
            starts_at=self.now,
        )


def _points(row: Mapping[str, Any]) -> Iterator[tuple[datetime, float]]:
    """A metric's points; CloudWatch leaves out what it could not collect."""
    for text, value in zip(row.get("timestamps") or (), row.get("values") or (), strict=False):
        if (at := _moment_or_none(text)) and isinstance(value, int | float):
            yield at, value


def _ready_at(pod: Mapping[str, Any]) -> datetime | None:
    """When the last container of a pod became ready; None if one is not."""
    containers = pod.get("containers") or []
    starts = [_moment_or_none((one.get("state") or {}).get("started_at")) for one in containers if one.get("ready")]
    known = [at for at in starts if at]
    return max(known) if containers and len(known) == len(containers) else None


def _reasons(pod: Mapping[str, Any]) -> Iterator[str]:
    """Why containers of a pod wait or ended, as the cluster's metrics count them."""
    for container in pod.get("containers") or []:
        for state in ("state", "last_state"):
            reason = str((container.get(state) or {}).get("reason") or "")
            if reason and reason != "Completed":
                yield reason


def _moments(value: Any) -> Iterable[datetime]:
    """Every moment in nested evidence."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _moments(one)
    elif isinstance(value, list):
        for one in value:
            yield from _moments(one)
    elif at := _moment_or_none(value):
        yield at


def _moment_or_none(text: object) -> datetime | None:
    """A moment with a zone, written as RFC 3339; None for anything else."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) and "T" in text[:11] else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo else None
