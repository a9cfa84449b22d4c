"""Nezha (MIT): metrics, calls and log templates of two Kubernetes test beds a minute; which service was broken?"""

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bot.core.evidence import Case
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series
from bot.core.traces.calls import CallSummary, Side
from tests.evaluation.figures import Answer, by_system, figures_line, write_answers
from tests.evaluation.recorded import RecordedLogs, RecordedTraces
from tests.evaluation.world import Investigation, Recording, World, investigate_and_answer, moment

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
    answers, truth = by_system(data, "incidents.json", "root_cause_service", _answered)
    write_answers(answers, out)
    if truth:
        print(figures_line("nezha, all", answers, truth))
        print(SIMPLE, PUBLISHED, sep="\n")


def _answered(folder: Path) -> dict[str, Answer]:
    system = System(folder)
    return {id: Answer.of(system.ask(id, at).findings) for id, at in system.alerts().items()}


@dataclass(frozen=True)
class System:
    """One system on one day."""

    folder: Path

    def alerts(self) -> dict[str, float]:
        """Incident to the moment of its alert, in Unix seconds."""
        found = json.loads((self.folder / "incidents.json").read_text(encoding="utf-8"))
        return {id: float(incident["alert_ts"]) for id, incident in found.items()}

    def ask(self, id: str, at: float) -> Investigation:
        """What the analyst says at `at` + 240 s, knowing nothing later."""
        end = at + SEEN_AFTER
        case = Case(group=id, severity="SEV2", started_at=moment(at))
        return investigate_and_answer(self.world(end), case, now=moment(end))

    def world(
        self, end: float, *, recordings: Sequence[Recording] | None = None, calls: Sequence[CallSummary] | None = None
    ) -> World:
        """What could be looked at until `end`; with other recordings or calls than those that were recorded."""
        seen = [
            Recording(one.service, one.signal, [_until(series, end) for series in one.series], one.unit)
            for one in (self.recordings if recordings is None else recordings)
        ]
        calls = self.calls if calls is None else calls
        logs = RecordedLogs(self.lines) if self.lines else None
        return World.of(seen, self.graph, logs=logs, traces=RecordedTraces(calls) if calls else None)

    @cached_property
    def recordings(self) -> list[Recording]:
        inner = _edge_recordings(_rows(self.folder / "destination_50.csv.gz"), "latency p50")
        outer = _edge_recordings(_rows(self.folder / "source_50.csv.gz"), "latency p50 at callers")
        return [*_pod_recordings(_rows(self.folder / "pod_metrics.csv.gz")), *inner, *outer]

    @cached_property
    def lines(self) -> dict[str, list[LogLine]]:
        """The log lines of each service, written again from their counts: spread over their minute."""
        found: dict[str, list[LogLine]] = defaultdict(list)
        # Windows of faults overlap: the same minute stands in several.
        counts: dict[tuple[str, float, str, str], int] = {}
        for row in _rows(self.folder / "logs_1m.csv.gz"):
            if float(row["minute"]) > 0:
                key = (row["service"], float(row["minute"]), row["level"].lower(), row["template"])
                counts[key] = max(counts.get(key, 0), int(float(row["n"])))
        for (service, minute, level, template), n in counts.items():
            text = _statement(template)
            found[service] += [LogLine(at=moment(minute + 60 * (i + 0.5) / n), text=text, level=level) for i in range(n)]
        return dict(found)

    @cached_property
    def calls(self) -> list[CallSummary]:
        """The spans a minute; of a minute that stands in several windows the fullest row counts."""
        found: dict[tuple[int, str, str, str], CallSummary] = {}
        for row in _rows(self.folder / "spans_1m.csv.gz"):
            one = _calls(row)
            key = (one.minute, one.caller, one.service, one.operation)
            if key not in found or one.count > found[key].count:
                found[key] = one
        return list(found.values())

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


def _edge_recordings(rows: Iterable[Mapping[str, str]], signal: str) -> Iterator[Recording]:
    """Columns `caller_callee` of latencies: one signal a callee, one series a caller."""
    table = list(rows)
    callees: dict[str, list[str]] = defaultdict(list)
    for edge in (name for name in (table[0] if table else ()) if name != "ts"):
        callees[edge.split("_")[1]].append(edge)
    for callee, edges in callees.items():
        yield Recording(callee, signal, [_series(table, edge, {"caller": edge.split("_")[0]}) for edge in edges], "s")


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


def _calls(row: Mapping[str, str]) -> CallSummary:
    """Spans that a service has of itself and names after an HTTP method are its waits for others."""
    caller, service = row["caller"].strip("-"), row["service"]
    waits = caller == service and re.match(r"HTTP [A-Z]+$", row["operation"])
    p50, p95, longest = (float(row[name]) / 1e6 for name in ("p50_us", "p95_us", "max_us"))
    side: Side = "client" if waits else "internal" if caller == service else "server"
    return CallSummary(
        int(float(row["minute"])), caller, service, row["operation"], side, int(float(row["n"])), p50, p95, longest
    )


def _statement(template: str) -> str:
    """INFO lines are kept as `logger#line`, not as text: another line number is another text, so it is spelled in letters."""
    return re.sub(r"#(\d+)", lambda found: "#" + "".join(chr(ord("a") + int(digit)) for digit in found[1]), template)


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
