"""Nezha (MIT): metrics, calls and log templates of two Kubernetes test beds a minute; which service was broken?"""

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bot.core.evidence import Case, Findings
from bot.core.series import Series
from tests.evaluation.figures import Answer, in_words, read_truth, write_answers
from tests.evaluation.world import Recording, World, ask, moment

SEEN_AFTER = 240
"""Seconds after the alert that may be looked at."""
BROKEN_TS = 1.75e9
"""Rows of a later moment have a broken clock (the origin's fault)."""
PUBLISHED = (
    "published best (Nezha, all faults of both days, raw metrics, logs and traces): Online Boutique AS@1 0.93, AS@3 0.96; "
    "Train Ticket 0.87, 0.98"
)
SIMPLE = (
    "simple baselines: Online Boutique N-sigma 0.42 / 0.50, IQR 0.38 / 0.67; "
    "Train Ticket 2023-01-29 new or vanished log templates 0.46 / 0.64"
)
SIGNALS = {
    "CpuUsage(m)": ("cpu", "m"),
    "MemoryUsage(Mi)": ("memory", "Mi"),
    "SyscallRead": ("disk reads", "/s"),
    "SyscallWrite": ("disk writes", "/s"),
    "NetworkReceiveBytes": ("network bytes received", "B/s"),
    "NetworkTransmitBytes": ("network bytes sent", "B/s"),
    "PodClientLatencyP90(s)": ("client latency p90", "s"),
    "PodClientLatencyP95(s)": ("client latency p95", "s"),
    "PodClientLatencyP99(s)": ("client latency p99", "s"),
    "PodServerLatencyP90(s)": ("latency p90", "s"),
    "PodServerLatencyP95(s)": ("latency p95", "s"),
    "PodServerLatencyP99(s)": ("latency p99", "s"),
    "PodWorkload(Ops)": ("requests", "/s"),
}
"""What a team would call the columns in its catalogue. The success rate is zero throughout and left out."""


def evaluate(data: Path, out: Path) -> None:
    """Answer every incident under `data`; print how right that was where labels lie beside them."""
    answers: dict[str, Answer] = {}
    truth: dict[str, str] = {}
    for folder in sorted(path.parent for path in data.rglob("incidents.json")):
        system = System(folder)
        own = {id: Answer.of(system.ask(id, at)) for id, at in system.alerts().items()}
        answers |= own
        found = read_truth(folder / "labels.json", "root_cause_service")
        truth |= found
        if found:
            print(in_words(folder.name, own, found), flush=True)
    write_answers(answers, out)
    if truth:
        print(in_words("nezha, all", answers, truth))
        print(SIMPLE, PUBLISHED, sep="\n")


@dataclass(frozen=True)
class System:
    """One system on one day."""

    folder: Path

    def alerts(self) -> dict[str, float]:
        """Incident to the moment of its alert, in Unix seconds."""
        found = json.loads((self.folder / "incidents.json").read_text(encoding="utf-8"))
        return {id: float(incident["alert_ts"]) for id, incident in found.items()}

    def ask(self, id: str, at: float) -> Findings:
        """What the analyst says at `at` + 240 s, knowing nothing later."""
        end = at + SEEN_AFTER
        case = Case(group=id, service=self.entry, alert_name="SLO of the entry", severity="SEV2", started_at=moment(at))
        return ask(self._world(end), case, now=moment(end))

    def _world(self, end: float) -> World:
        recordings = [
            Recording(one.service, one.signal, [_until(series, end) for series in one.series], one.unit)
            for one in self.recordings
        ]
        return World.of(recordings, self.graph)

    @cached_property
    def recordings(self) -> list[Recording]:
        return [*_pod_recordings(_rows(self.folder / "pod_metrics.csv.gz"))]

    @cached_property
    def graph(self) -> dict[str, list[str]]:
        """Caller to callees: the listed edges, else who was seen calling whom."""
        edges = [(row["Source"], row["Target"]) for row in _rows(self.folder / "dependency.csv")]
        edges += [(row["caller"], row["service"]) for row in _rows(self.folder / "spans_1m.csv.gz")]
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for caller, callee in edges:
            if caller != callee and caller not in ("", "-") and not re.fullmatch(r"[\d.]+", callee):
                found[caller][callee] = None
        return {caller: list(callees) for caller, callees in found.items()}

    @cached_property
    def entry(self) -> str:
        """The service that users call: the one that spans show without a caller, else the one the front's file names."""
        for row in _rows(self.folder / "spans_1m.csv.gz"):
            if row["caller"] == "-":
                return row["service"]
        named = next((row["ServiceName"] for row in _rows(self.folder / "front_service.csv.gz")), "")
        return next((name for name in self.graph if name.lower() == named.lower()), "")


def _pod_recordings(rows: Iterable[Mapping[str, str]]) -> Iterator[Recording]:
    """One signal a column and service, one series a pod."""
    pods: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        if float(row["ts"]) < BROKEN_TS:
            pods[row["pod"]].append(row)
    services: dict[str, list[str]] = defaultdict(list)
    for pod in pods:
        services[service_of(pod)].append(pod)
    for service, names in services.items():
        for column, (signal, unit) in SIGNALS.items():
            yield Recording(service, signal, [_series(pods[pod], column, {"pod": pod}) for pod in names], unit)


def service_of(pod: str) -> str:
    """`checkoutservice-578fcf4766-9csqn` is a pod of `checkoutservice`."""
    return re.sub(r"-[a-z0-9]+-[a-z0-9]{5}$", "", pod)


def _series(rows: Iterable[Mapping[str, str]], column: str, labels: Mapping[str, str]) -> Series:
    pairs = sorted((float(row["ts"]), float(row[column] or "nan")) for row in rows if column in row)
    return Series(labels, np.array([at for at, _ in pairs]), np.array([value for _, value in pairs]))


def _until(series: Series, end: float) -> Series:
    keep = series.times <= end
    return Series(series.labels, series.times[keep], series.values[keep])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, packed or not; none if it is absent."""
    if not path.exists():
        return
    if path.suffix == ".gz":
        with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)
    else:
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)
