"""Bursts of alerts of two test beds (MIT; telemetry of GAIA and OpenRCA): which component was broken, from alerts alone?"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.core.alert import Alert
from bot.core.evidence import Case, Findings
from bot.core.logs.masking import masked
from bot.core.logs.parsing import message_of
from bot.core.service import Catalogue, Service
from tests.evaluation.figures import Answer, by_system, write_answers
from tests.evaluation.recorded import RecordedMetrics
from tests.evaluation.world import Investigation, World, investigate_and_answer, moment

SEEN_AFTER = timedelta(minutes=10)
"""What may be looked at: the burst, whole."""
SIMPLE = (
    "simple baselines: MicroSS rarity sum 0.30 / 0.43, most alerts 0.22 / 0.41; "
    "cloudbed-1 rarest three with a rule for services 0.34 / 0.53, rarest metric alert 0.33 / 0.49"
)
PUBLISHED = (
    "published best (FORGE 2026, open models, strict): MicroSS 0.28 / 0.43 and 0.26 / 0.47; "
    "cloudbed-1 0.21 / 0.36 (qwen3 32B, ReAct)"
)
WORDS = {"mrt": "mean response time", "sr": "success rate", "rr": "response rate"}
"""What a team would call the abbreviations of the origin."""
HOSTED, PART = "hosted_on", "instance_of"
CALLS = ("control_flow", "data_flow")


def evaluate(data: Path, out: Path) -> None:
    """Answer every incident under `data`; print how right that was where labels lie beside them."""
    answers, truth = by_system(data, "incidents.json.gz", "root_cause", _answered)
    write_answers(answers, out)
    if truth:
        for path in sorted(data.rglob("incidents.json.gz")):
            unnamed = System(path.parent).unnamed(truth)
            print(f"{path.parent.name}: no alert names the true component or a part of it in {len(unnamed)} incidents")
        print(SIMPLE, PUBLISHED, sep="\n")


def _answered(folder: Path) -> dict[str, Answer]:
    system = System(folder)
    return {id: system.answer(id) for id in system.incidents}


@dataclass(frozen=True)
class System:
    """One system: its topology, and its incidents, each with all earlier ones as its history."""

    folder: Path

    @cached_property
    def incidents(self) -> dict[str, dict[str, Any]]:
        """In order of time."""
        with gzip.open(self.folder / "incidents.json.gz", "rt", encoding="utf-8") as file:
            found = json.load(file)
        return dict(sorted(found.items(), key=lambda row: (row[1]["window_start"], row[0])))

    @cached_property
    def alerts(self) -> dict[str, list[Alert]]:
        """Incident to its alerts as a source would tell them."""
        return {id: [*self._told(incident)] for id, incident in self.incidents.items()}

    def answer(self, id: str) -> Answer:
        """The components that the analyst names, the likeliest first."""
        return self.answer_of(self.ask(id).findings)

    def ask(self, id: str) -> Investigation:
        """What the analyst sees and says of one burst, knowing the earlier ones."""
        started = moment(self.incidents[id]["window_start"])
        earlier = [[a for a in burst if a.starts_at < started] for other, burst in self.alerts.items() if other != id]
        world = World(self.catalogue, RecordedMetrics(), alerts=self.alerts[id], earlier=[burst for burst in earlier if burst])
        case = Case(group=id, alert_name="a burst of alerts", severity="SEV2", started_at=started)
        return investigate_and_answer(world, case, now=started + SEEN_AFTER)

    def answer_of(self, findings: Findings) -> Answer:
        """The components that are named, those that the topology knows."""
        named = [h.component or h.service for h in findings.hypotheses]
        return Answer.named([name for name in dict.fromkeys(named) if name in self.kinds], findings)

    def unnamed(self, truth: Mapping[str, str]) -> list[str]:
        """The incidents in which no alert names the true component, not even as an end of a call: out of a ranking's reach."""
        named = {id: {name for row in one["alerts"] for name in self._names(row)} for id, one in self.incidents.items()}
        return [id for id in self.incidents if id in truth and truth[id] not in named[id]]

    def _names(self, row: Mapping[str, Any]) -> Iterator[str]:
        for key in ("component", "caller", "callee"):
            if name := row.get(key):
                yield name
                yield self.services.get(name, name)
                yield self.hosts.get(name, name)

    @cached_property
    def topology(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "topology.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def kinds(self) -> dict[str, str]:
        return {node["id"]: node["type"] for node in self.topology["nodes"]}

    def _edges(self, *labels: str) -> Iterator[tuple[str, str]]:
        return ((e["source"], e["target"]) for e in self.topology["edges"] if e["label"] in labels)

    @cached_property
    def hosts(self) -> dict[str, str]:
        return dict(self._edges(HOSTED))

    @cached_property
    def services(self) -> dict[str, str]:
        """Instance to the service that it is part of."""
        return dict(self._edges(PART))

    @cached_property
    def catalogue(self) -> Catalogue:
        calls: dict[str, list[str]] = defaultdict(list)
        for caller, callee in self._edges(*CALLS):
            calls[caller].append(callee)
        names = [name for name, kind in self.kinds.items() if kind != "Host" and name not in self.services]
        return Catalogue(Service(name=name, depends_on=tuple(calls[name])) for name in names)

    def _told(self, incident: Mapping[str, Any]) -> Iterator[Alert]:
        for number, row in enumerate(incident["alerts"]):
            if not self._known(row):
                continue
            at = row.get("ts_ms", incident["window_start"] * 1000) / 1000
            name, labels = self._named(row)
            yield Alert(
                source=self.folder.name,
                fingerprint=str(number),
                status="firing",
                name=name,
                labels=labels,
                starts_at=moment(at),
            )

    def _known(self, row: Mapping[str, Any]) -> bool:
        """False for an address that the topology does not hold: MicroSS' hosts, which are no answer there."""
        return all(row[key] in self.kinds for key in ("component", "caller", "callee") if key in row)

    def _named(self, row: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
        """The name and labels that a rule would give such an alert."""
        if row["kind"] == "metric":
            return _spelled(row["metric"]), {**self.labels_of(row["component"]), "direction": row["direction"]}
        if row["kind"] == "trace":
            what = "Slow calls" if row["type"] == "PD" else f"Calls answered {row['type']}"
            ends = {**self.labels_of(row["caller"], "client_"), **self.labels_of(row["callee"], "server_")}
            return what, {**ends, "operation": row["operation"]}
        return f"Log lines: {_kind_of_line(row)}", self.labels_of(row["component"])

    def labels_of(self, component: str, end: str = "") -> dict[str, str]:
        """The labels that a source would give an alert of this component."""
        if self.kinds.get(component) == "Host":
            return {f"{end}node": component}
        service = self.services.get(component)
        if service is None:
            return {f"{end}service": component}
        host = self.hosts.get(component)
        return {f"{end}service": service, f"{end}pod": component} | ({f"{end}node": host} if host else {})


def _spelled(metric: str) -> str:
    """`grpc-mrt` is `grpc mean response time`."""
    parts = metric.split("-")
    return " ".join(WORDS.get(part, part) for part in parts)


def _kind_of_line(row: Mapping[str, Sequence[str]]) -> str:
    """The words of the first sample behind its columns."""
    return masked(message_of(row["samples"][0].split(" | ")[-1]))
