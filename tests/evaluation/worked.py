"""One petshop incident worked through: prints how its symptom is attributed and draws it; `--out` is the picture (PNG).

`--data` is the folder of the petshop set. The incident is the first whose cause lies deepest below the alerting service.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from bot.core.metrics.signal_names import family_of
from bot.core.ranking.attribution import CallGraph, excess, explained_by_callees, symptom_of
from bot.core.ranking.observations import Observations, observe
from tests.evaluation.petshop import Table, investigate_issue, normal_of, read_graph, read_table
from tests.evaluation.world import Investigation, moment

BEFORE = 24
"""Rows of five minutes that are drawn before the issue's own."""


def evaluate(data: Path, out: Path) -> None:
    """Find the incident, print its attribution, draw its path."""
    folder = next(path.parent for path in sorted(data.rglob("alerts.json")))
    alerts = json.loads((folder / "alerts.json").read_text(encoding="utf-8"))
    normal, graph = read_table(normal_of(folder)), read_graph(folder / "graph.csv")
    best: tuple[list[str], str, Investigation] | None = None
    for id, alert in sorted(alerts.items()):
        one = investigate_issue(id, alert, normal, read_table(folder / "issues" / f"{id}.csv.gz"), graph)
        path = _path(one)
        if best is None or len(path) > len(best[0]):
            best = path, id, one
    assert best is not None
    path, id, one = best
    observations = observe(one.ledger, alert=one.case.alert_name)
    print(f"incident {id}: {one.case.alert_name} of {one.case.service} at {one.case.started_at:%Y-%m-%d %H:%M:%S} UTC")
    for line in _steps(path, one, observations):
        print(line)
    for hypothesis in one.findings.hypotheses:
        print(f"{hypothesis.confidence} {hypothesis.likelihood:.2f} {hypothesis.cause}")
    issue = read_table(folder / "issues" / f"{id}.csv.gz")
    _draw(path, one, observations, normal, issue, out)


def _graph(observations: Observations) -> CallGraph:
    return CallGraph(observations.comparable, observations.depends_on, observations.rates)


def _path(one: Investigation) -> list[str]:
    """From the alerting service along the largest share of the attribution, as far as it goes."""
    observations = observe(one.ledger, alert=one.case.alert_name)
    graph, family, path = _graph(observations), family_of(one.case.alert_name), [one.case.service]
    while True:
        callees = [c for c in graph.depends_on.get(path[-1], ()) if c not in path]
        shares = explained_by_callees(path[-1], callees, graph, symptom_of(graph.of(path[-1]), family))
        if sum(shares.values()) < 0.5:
            return path
        path.append(max(shares, key=lambda callee: shares[callee]))


def _steps(path: list[str], one: Investigation, observations: Observations) -> list[str]:
    graph, family, lines = _graph(observations), family_of(one.case.alert_name), []
    for place, service in enumerate(path):
        symptom = symptom_of(graph.of(service), family)
        if symptom is None:
            continue
        lost = excess(symptom, service, service, graph)
        shares = (
            explained_by_callees(service, graph.depends_on.get(service, ()), graph, symptom) if place + 1 < len(path) else {}
        )
        parts = ", ".join(
            f"{share:.2f} to {callee}" for callee, share in sorted(shares.items(), key=lambda p: -p[1]) if share > 0.01
        )
        moved = f"{symptom.before:.4g} -> {symptom.after:.4g} {symptom.unit}"
        lines.append(
            f"{service}: {symptom.signal} {moved}, doublings {symptom.doublings:.2f}, X {lost:.1f}; "
            f"attributed {parts or 'nothing'}"
        )
    return lines


def _draw(path: list[str], one: Investigation, observations: Observations, normal: Table, issue: Table, out: Path) -> None:
    metric, statistic = one.case.alert_name.split(" ", 1)
    figure, rows = pyplot.subplots(len(path), 1, figsize=(9, 1.7 * len(path)), sharex=True, layout="constrained")
    for axis, service in zip(rows, path, strict=True):
        column = (service, metric, statistic)
        before = normal.columns[column][-BEFORE:]
        minutes = [5 * place for place in range(-len(before), len(issue.times))]
        axis.plot(minutes, [*before, *issue.columns[column]], color="#1f6feb")
        axis.axvline(
            (one.case.started_at - moment(float(issue.times[0]))).total_seconds() / 60, color="#d1242f", linestyle="--"
        )
        deviation = observations.comparable[service][family_of(metric)]
        axis.set_title(f"{service}: {one.case.alert_name}, doublings {deviation.doublings:.1f}", fontsize=9, loc="left")
        axis.axhline(deviation.before, color="#8c959f", linewidth=0.8)
    rows[-1].set_xlabel("minutes from the first row of the incident; dashed: the alert; grey: the median before")
    figure.savefig(out, dpi=90)
    print(f"drawn: {out}")
