"""Roll-outs of a demo shop (ChangeRCA, no licence named: measured with, never shipped): which of several broke it?"""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bot.core.change import Change
from bot.core.evidence import Case
from bot.core.logs.line import LogLine
from bot.core.metrics.expression import split_by
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service, Signal
from tests.evaluation.figures import Answer, Truth, accuracy, figures_line, read_truth, write_answers
from tests.evaluation.recorded import RecordedLogs, RecordedMetrics
from tests.evaluation.world import Investigation, World, investigate_and_answer, moment

LABELS = ("pod", "version", "caller")
SIMPLE = (
    "simple baselines (AC@1 / 3 / 5): the last change before the alert 0.57 / 0.97 / 1.00; "
    "largest median shift among the changed services 0.62 / 0.95 / 1.00"
)
PUBLISHED = "published (all 51, tuned on them): ChangeRCA 0.88 / 1.00 / 1.00; MicroRCA 0.51, GIED 0.45, Microscope 0.39"


def evaluate(data: Path, out: Path) -> None:
    """Answer every incident under `data`; print how right that was where labels lie beside them."""
    answers: dict[str, Answer] = {}
    services: dict[str, str] = {}
    bad: dict[str, str] = {}
    for folder in sorted(path.parent for path in data.rglob("incidents.json")):
        shop = Shop(folder)
        answers |= {id: shop.answer(id) for id in shop.incidents}
        services |= read_truth(folder / "labels.json", "root_cause_service")
        bad |= read_truth(folder / "labels.json", "change_id")
    write_answers(answers, out)
    if services:
        print(figures(answers, services, bad))
        print(SIMPLE, PUBLISHED, sep="\n")


def figures(answers: Mapping[str, Answer], services: Truth, bad: Truth) -> str:
    """The services first; then the change: whether the first one named is the bad one, and what "likely" was worth."""
    bad_first = np.mean([answers[id].change == bad[id] for id in bad])
    first = [next(filter(None, answers[id].changes), "") == bad[id] for id in bad if id in answers]
    likely = [answers[id].change == bad[id] for id in bad if id in answers and answers[id].likely]
    worth = f"of those {np.mean(likely):.2f} right" if likely else "none"
    return (
        f"{figures_line('changes, services', answers, services)}; AC@5 {accuracy(answers, services, 5):.2f}\n"
        f"changes (n {len(bad)}): the bad change is the first cause {bad_first:.2f}, "
        f"the first change named {np.mean(first):.2f}; likely {len(likely) / max(1, len(bad)):.2f}, {worth}"
    )


@dataclass(frozen=True)
class Shop:
    """One system with its incidents."""

    folder: Path

    def _json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    @cached_property
    def incidents(self) -> dict[str, dict[str, Any]]:
        incidents: dict[str, dict[str, Any]] = self._json("incidents.json")
        return incidents

    @cached_property
    def changes(self) -> dict[str, list[dict[str, Any]]]:
        changes: dict[str, list[dict[str, Any]]] = self._json("changes.json")
        return changes

    @cached_property
    def graph(self) -> dict[str, list[str]]:
        graph: dict[str, list[str]] = self._json("graph.json")
        return graph

    def answer(self, id: str) -> Answer:
        """What the analyst says when the incident's recording ends."""
        return Answer.of(self.ask(id).findings)

    def ask(self, id: str) -> Investigation:
        """The same with all that was seen."""
        incident = self.incidents[id]
        case = Case(
            group=id,
            service=incident["service"],
            alert_name=incident["alert_name"],
            severity="SEV2",
            started_at=moment(incident["alert_ts"]),
        )
        return investigate_and_answer(self.world(id), case, now=moment(incident["until"]))

    def world(self, id: str) -> World:
        """Each signal is the mean over a service's pods; each can be split by pod, version and caller."""
        series: dict[str, list[Series]] = {}
        signals: dict[str, dict[str, Signal]] = {name: {} for name in self._services(id)}
        for (service, signal), (unit, raw) in self._recorded(id).items():
            selector = f'{signal.replace(" ", "_")}{{service="{service}"}}'
            promql = f"avg({selector})"
            signals.setdefault(service, {})[signal] = Signal(promql=promql, unit=unit)
            series[selector] = raw
            series[promql] = _means(raw, ())
            series |= {
                split_by(promql, label): _means(raw, (label,)) for label in LABELS if any(s.labels.get(label) for s in raw)
            }
        services = [
            Service(name=name, depends_on=tuple(self.graph.get(name, ())), signals=own) for name, own in signals.items()
        ]
        changes = sorted((_change(row) for row in self.changes.get(id, [])), key=lambda one: one.at, reverse=True)
        return World(Catalogue(services), RecordedMetrics(series), logs=self._logs(id), changes=changes)

    def _services(self, id: str) -> list[str]:
        called = [callee for callees in self.graph.values() for callee in callees]
        return sorted({*self.graph, *called, *(row["service"] for row in self.changes.get(id, []))})

    def _recorded(self, id: str) -> dict[tuple[str, str], tuple[str, list[Series]]]:
        """Service and signal to its unit and its series, one for each pod, version and caller."""
        points: dict[tuple[str, str], dict[tuple[str, ...], list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
        units: dict[str, str] = {}
        for row in self._rows(id):
            units[row["signal"]] = row["unit"]
            key = tuple(row[label] for label in LABELS)
            points[row["service"], row["signal"]][key].append((float(row["ts"]), float(row["value"] or "nan")))
        return {
            (service, signal): (units[signal], [_series(key, rows) for key, rows in groups.items()])
            for (service, signal), groups in points.items()
        }

    def _rows(self, id: str) -> Iterator[dict[str, str]]:
        with gzip.open(self.folder / "metrics" / f"{id}.csv.gz", "rt", newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)

    def _logs(self, id: str) -> RecordedLogs | None:
        path = self.folder / "logs" / f"{id}.jsonl.gz"
        if not path.exists():
            return None
        lines: dict[str, list[LogLine]] = {name: [] for name in self._services(id)}
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                line = LogLine(at=moment(float(row["ts"])), text=str(row["text"]), level=str(row.get("level") or ""))
                lines.setdefault(row["service"], []).append(line)
        return RecordedLogs(lines)


def _change(row: Mapping[str, Any]) -> Change:
    return Change(
        id=row["id"],
        at=moment(row["at"]),
        service=row["service"],
        kind=row["kind"],
        title=row["title"],
        version=row["version"] or "",
        previous_version=row["previous_version"] or "",
    )


def _series(key: Sequence[str], rows: Sequence[tuple[float, float]]) -> Series:
    labels = {label: text for label, text in zip(LABELS, key, strict=True) if text}
    times, values = zip(*sorted(rows), strict=True)
    return Series(labels, np.array(times), np.array(values))


def _means(raw: Sequence[Series], labels: Sequence[str]) -> list[Series]:
    """What `avg by (labels)` answers: the mean at each moment over the series that have a sample there."""
    groups: dict[tuple[str, ...], dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in raw:
        for at, value in zip(one.times, one.values, strict=True):
            if value == value:
                groups[tuple(one.labels.get(label, "") for label in labels)][float(at)].append(float(value))
    return [
        Series(
            {label: text for label, text in zip(labels, key, strict=True) if text},
            np.array(sorted(samples)),
            np.array([float(np.mean(samples[at])) for at in sorted(samples)]),
        )
        for key, samples in groups.items()
    ]
