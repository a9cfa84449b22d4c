"""The translation of written scenarios: evidence of the documented form goes in, a category and a text come out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.agent_scenarios import Scenario, evaluate, figures


def pod(name: str, *, ready: bool = True, reason: str = "", gone: bool = False) -> dict[str, Any]:
    state = {"waiting": True, "reason": reason} if reason else {"running": True, "started_at": "2026-04-18T08:00:00Z"}
    deleted = {"deletion_timestamp": "2026-04-18T10:00:00Z"} if gone else {}
    return {"name": name, "containers": [{"name": "web", "ready": ready, "restart_count": 0, "state": state}], **deleted}


def scenario(pods: list[dict[str, Any]], logs: tuple[str, ...] | list[str] = (), state: str = "alerting") -> dict[str, Any]:
    labels = {"alertname": "PodCrashLooping", "severity": "critical", "workload_name": "web"}
    return {
        "id": "one",
        "alert": {
            "title": "Crash",
            "state": state,
            "commonLabels": labels,
            "commonAnnotations": {"summary": "a pod of web crashes"},
        },
        "evidence": {
            "eks_pods": {"pods": pods},
            "eks_deployments": {"deployments": [{"name": "web", "desired": 2, "ready": 2}]},
            "eks_node_health": {"nodes": [{"name": "n1", "ready": "True", "memory_pressure": "False"}]},
            "datadog_logs": {
                "logs": [{"timestamp": "2026-04-18T10:14:00Z", "message": text, "status": "info"} for text in logs]
            },
            "eks_events": {"warning_events": []},
        },
    }


def answer(row: dict[str, Any]) -> str:
    return Scenario(row).ask().category


def test_a_leaving_pod_that_crashes_is_nothing_wrong() -> None:
    pods = [pod("web-1"), pod("web-2"), pod("web-old", ready=False, reason="CrashLoopBackOff", gone=True)]

    assert answer(scenario(pods, ["GET / 200 3ms"])) == "healthy"


def test_a_pod_that_waits_for_its_image_is_a_wrong_configuration() -> None:
    assert answer(scenario([pod("web-1"), pod("web-2", ready=False, reason="ImagePullBackOff")])) == "configuration_error"


def test_a_killed_pod_ran_out_of_memory() -> None:
    assert answer(scenario([pod("web-1"), pod("web-2", ready=False, reason="OOMKilled")], ["start"])) == "resource_exhaustion"


def test_a_lost_node_is_infrastructure() -> None:
    row = scenario([pod("web-1"), pod("web-2")], ["GET / 200 3ms"])
    row["evidence"]["eks_node_health"]["nodes"][0]["ready"] = "False"

    assert answer(row) == "infrastructure"


def test_a_series_of_either_documented_form_becomes_a_signal() -> None:
    series = {"metric_name": "CPUUtilization", "unit": "Percent", "timestamps": ["2026-04-18T10:00:00Z"], "values": [97.0]}
    labels = {"alertname": "Slow", "service": "rds"}
    for evidence in (
        {"aws_cloudwatch_metrics": {"metric_data_results": [series]}},
        {"aws_cloudwatch_metrics_CPUUtilization": series},
    ):
        row = {"id": "one", "alert": {"title": "Slow", "state": "alerting", "commonLabels": labels}, "evidence": evidence}

        assert answer(row) == "resource_exhaustion"


@pytest.mark.parametrize("labelled", [True, False])
def test_answers_have_the_form_that_is_scored_with_or_without_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labelled: bool
) -> None:
    with gzip.open(tmp_path / "opensre.jsonl.gz", "wt") as file:
        file.write(json.dumps(scenario([pod("web-1"), pod("web-2")], ["GET / 200 3ms"])))
    if labelled:
        (tmp_path / "opensre.labels.json").write_text(json.dumps({"one": {"root_cause_category": "healthy"}}))

    evaluate(tmp_path, tmp_path / "out.json")

    answers = json.loads((tmp_path / "out.json").read_text())
    assert answers["one"]["root_cause_category"] == "healthy" and "stayed within the normal range" in answers["one"]["text"]
    assert ("category 1.00" in capsys.readouterr().out) is labelled


def test_figures_tell_healthy_cases_apart() -> None:
    answers = {id: {"root_cause_category": "healthy", "text": "normal"} for id in ("well", "ill")}
    labels = {"well": {"root_cause_category": "healthy"}, "ill": {"root_cause_category": "code_defect"}}

    assert "category 0.50; healthy 1.00 of 1, others 0.00 of 1" in figures(answers, labels)
