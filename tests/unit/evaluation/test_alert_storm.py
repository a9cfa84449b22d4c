"""Streams of alerts: a tiny one goes through the inbox, and the group of each alert comes out."""

import gzip
import json
from pathlib import Path

import pytest

from tests.evaluation.alert_storm import evaluate, figures

ROWS = [
    {"id": 0, "ts": 1700000000.5, "kind": "metric", "component": "cart-0", "name": "cpu", "direction": "up"},
    {"id": 1, "ts": 1700000001.5, "kind": "metric", "component": "cart-0", "name": "memory", "direction": "up"},
    {"id": 2, "ts": 1700000002.5, "kind": "metric", "component": "mail-0", "name": "cpu", "direction": "up"},
]
TOPOLOGY = {
    "nodes": [{"id": name, "type": kind} for name, kind in (("cart", "Service"), ("mail", "Service"))]
    + [{"id": f"{name}-0", "type": "Service_Instance"} for name in ("cart", "mail")],
    "edges": [{"source": f"{name}-0", "target": name, "label": "instance_of"} for name in ("cart", "mail")],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "shop.alerts.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "topology.json").write_text(json.dumps(TOPOLOGY))
    return tmp_path


def test_each_alert_has_the_group_that_the_sorter_chose_without_any_label(data: Path, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "out" / "groups.json")

    first, second, other = json.loads((tmp_path / "out" / "groups.json").read_text())
    assert first == second != other


def test_with_labels_the_figures_are_printed(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "shop.labels.json").write_text(json.dumps({"incident_of_alert": [0, 0, 1]}))

    evaluate(data, tmp_path / "groups.json")

    assert "shop (n 3): pair F1 1.000" in capsys.readouterr().out


def test_pairs_are_counted_as_the_scoring_script_counts_them() -> None:
    text = figures([0, 0, 0, 1, 1], [7, 7, 8, 8, 8])

    assert "pair F1 0.500 (precision 0.500, recall 0.500)" in text and "purity 0.800" in text
