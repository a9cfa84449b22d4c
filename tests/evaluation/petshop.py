"""PetShop (CC BY 4.0): five-minute metrics of a demo shop's components; which one was broken?"""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.core.evidence import Case
from bot.core.metrics.series import Series
from tests.evaluation.figures import Answer, figures_line, read_truth, write_answers
from tests.evaluation.world import Investigation, Recording, World, investigate_and_answer, moment

Column = tuple[str, str, str]
"""Component, metric, statistic."""
STEP = 300
WINDOW = 5
"""Rows of one issue."""
SIMPLE = "simple baseline, MAD >= 10 traversal fitted to low_traffic: AC@1 0.88, AC@3 0.94"
PUBLISHED = "published best, MAD >= 5 and anomaly traversal, low traffic pooled: 0.69 / 0.77; temporal 0.88 / 1.00"


@dataclass(frozen=True)
class Table:
    """Rows of one file: `times` in Unix seconds, one array a column, NaN where nothing was measured."""

    times: NDArray[np.float64]
    columns: Mapping[Column, NDArray[np.float64]]

    def rows(self, start: int, end: int) -> "Table":
        """The rows `start` to `end`, the last not included."""
        return Table(self.times[start:end], {name: values[start:end] for name, values in self.columns.items()})


def evaluate(data: Path, out: Path) -> None:
    """Answer every issue under `data`; print how right that was where labels lie beside them, and how quiet we are."""
    answers: dict[str, Answer] = {}
    truth: dict[str, str] = {}
    quiet: list[bool] = []
    for folder in sorted(path.parent for path in data.rglob("alerts.json")):
        own = {id: Answer.of(one.findings) for id, one in investigated(folder)}
        answers |= own
        found = read_truth(folder / "labels.json", "root_cause_node")
        truth |= found
        if found:
            print(figures_line(folder.name, own, found))
        if (folder / "normal.csv.gz").exists():
            alerts = json.loads((folder / "alerts.json").read_text(encoding="utf-8"))
            quiet += normal_windows(read_table(folder / "normal.csv.gz"), read_graph(folder / "graph.csv"), alerts)
    write_answers(answers, out)
    if truth:
        print(figures_line("petshop, pooled", answers, truth))
        print(SIMPLE, PUBLISHED, sep="\n")
    if quiet:
        print(f"no cause named on {np.mean(quiet):.2f} of {len(quiet)} normal windows; published specificity 0.17 to 1.00")


def investigated(folder: Path) -> Iterator[tuple[str, Investigation]]:
    """Each issue of one folder, and what was seen and said of it."""
    normal, graph = read_table(normal_of(folder)), read_graph(folder / "graph.csv")
    alerts = json.loads((folder / "alerts.json").read_text(encoding="utf-8"))
    for id, alert in sorted(alerts.items()):
        yield id, investigate_issue(id, alert, normal, read_table(folder / "issues" / f"{id}.csv.gz"), graph)


def normal_windows(normal: Table, graph: Mapping[str, list[str]], alerts: Mapping[str, Mapping[str, str]]) -> list[bool]:
    """Whether no cause is named on stretches of the normal period, each with only what came before as its history."""
    kinds = sorted({(alert["node"], alert["metric"], alert["agg"]) for alert in alerts.values()})
    quiet = []
    for number, start in enumerate(range(len(normal.times) // 2, len(normal.times) - WINDOW, WINDOW)):
        node, metric, agg = kinds[number % len(kinds)]
        window = normal.rows(start, start + WINDOW)
        alert = {"node": node, "metric": metric, "agg": agg, "timestamp": window.times[2]}
        quiet.append(not _answer(f"normal-{number}", alert, normal.rows(0, start), window, graph).ranked)
    return quiet


def _answer(id: str, alert: Mapping[str, object], normal: Table, issue: Table, graph: Mapping[str, list[str]]) -> Answer:
    return Answer.of(investigate_issue(id, alert, normal, issue, graph).findings)


def investigate_issue(
    id: str, alert: Mapping[str, object], normal: Table, issue: Table, graph: Mapping[str, list[str]]
) -> Investigation:
    """What the analyst sees and says of one issue once its rows are in."""
    world = World.of(_recordings(normal, issue), graph)
    at = moment(float(str(alert["timestamp"])))
    name = f"{alert['metric']} {alert['agg']}"
    case = Case(group=id, service=str(alert["node"]), alert_name=name, severity="SEV2", started_at=at)
    return investigate_and_answer(world, case, now=moment(float(issue.times[-1]) + 1))


def _recordings(normal: Table, issue: Table) -> Iterator[Recording]:
    """The normal period, moved to end where the issue's rows begin: it was recorded at another time."""
    before = issue.times[0] - STEP * np.arange(len(normal.times), 0, -1)
    times = np.concatenate([before, issue.times])
    nothing = np.full(len(before), np.nan), np.full(len(issue.times), np.nan)
    for column in dict.fromkeys([*normal.columns, *issue.columns]):
        component, metric, statistic = column
        values = np.concatenate([normal.columns.get(column, nothing[0]), issue.columns.get(column, nothing[1])])
        unit = {"latency": "s", "availability": "%", "requests": ""}.get(metric, "")
        yield Recording(component, f"{metric} {statistic}", [Series({}, times, values)], unit)


def normal_of(folder: Path) -> Path:
    """Its own normal period, else a sibling's."""
    own = folder / "normal.csv.gz"
    return own if own.exists() else next(iter(sorted(folder.parent.glob("*/normal.csv.gz"))), own)


def read_graph(path: Path) -> dict[str, list[str]]:
    """Caller to callees, from an adjacency matrix whose row calls its column."""
    with path.open(newline="", encoding="utf-8") as file:
        (_, *names), *rows = csv.reader(file)
    return {row[0]: [name for name, cell in zip(names, row[1:], strict=True) if cell and float(cell) > 0] for row in rows}


def read_table(path: Path) -> Table:
    """A file with three header rows (component, metric, statistic) and Unix seconds as its index; no rows if it is absent."""
    if not path.exists():
        return Table(np.empty(0), {})
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    names = list(zip(*(row[1:] for row in rows[:3]), strict=True))
    body = [row for row in rows[3:] if row and _is_number(row[0])]
    cells = np.array([[_number(cell) for cell in row] for row in body])
    return Table(cells[:, 0], {name: cells[:, place + 1] for place, name in enumerate(names)})


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit()


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")
