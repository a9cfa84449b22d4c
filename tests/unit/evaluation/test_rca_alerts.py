"""The translation of bursts of alerts: a tiny system of the documented form goes in, ranked components come out."""

import gzip
import json
from pathlib import Path

import pytest

from tests.evaluation.rca_alerts import System, evaluate

TOPOLOGY = {
    "nodes": [
        {"id": "cart", "type": "Service"},
        {"id": "cart-0", "type": "Service_Instance"},
        {"id": "front", "type": "Service"},
        {"id": "node-1", "type": "Host"},
    ],
    "edges": [
        {"source": "cart-0", "target": "cart", "label": "instance_of"},
        {"source": "cart-0", "target": "node-1", "label": "hosted_on"},
        {"source": "front", "target": "cart", "label": "calls"},
    ],
}


def metric(component: str, name: str, at: float) -> dict[str, object]:
    return {"kind": "metric", "ts_ms": at * 1000, "component": component, "host": None, "metric": name, "direction": "up"}


INCIDENTS = {
    "second": {"window_start": 9000.0, "alerts": [metric("front", "grpc-mrt", 9001), metric("cart-0", "disk used", 9002)]},
    "first": {"window_start": 1000.0, "alerts": [metric("front", "grpc-mrt", 1001), metric("10.0.0.9", "disk used", 1001)]},
    "logs": {
        "window_start": 20000.0,
        "alerts": [
            {"kind": "log", "component": "cart-0", "template_id": "3", "samples": ["a | ERROR | lost 4 keys"], "count": 1},
            {"kind": "trace", "ts_ms": 20001000, "caller": "front", "callee": "cart-0", "operation": "get", "type": "PD"},
        ],
    },
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "topology.json").write_text(json.dumps(TOPOLOGY))
    with gzip.open(folder / "incidents.json.gz", "wt") as file:
        json.dump(INCIDENTS, file)
    return tmp_path


def test_answers_are_components_of_the_topology_without_any_label(data: Path, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "out" / "answers.json")

    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert set(answers) == set(INCIDENTS) and answers["second"][0] in ("cart", "cart-0")
    assert {name for ranked in answers.values() for name in ranked} <= {node["id"] for node in TOPOLOGY["nodes"]}


def test_alerts_carry_the_labels_that_a_rule_would_give_them(data: Path) -> None:
    alerts = System(data / "shop").alerts

    assert [(a.name, a.labels) for a in alerts["second"]] == [
        ("grpc mean response time", {"service": "front", "direction": "up"}),
        ("disk used", {"service": "cart", "pod": "cart-0", "node": "node-1", "direction": "up"}),
    ]
    assert alerts["logs"][0].name == "Log lines: lost <*> keys"
    assert alerts["logs"][1].labels["client_service"] == "front" and alerts["logs"][1].labels["server_pod"] == "cart-0"


def test_what_the_topology_does_not_hold_is_not_told(data: Path) -> None:
    assert [a.name for a in System(data / "shop").alerts["first"]] == ["grpc mean response time"]
