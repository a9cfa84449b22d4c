"""The translation of a runbook set, on a small set of the same form."""

import gzip
import json
from pathlib import Path

import pytest

from tests.evaluation.runbooks import evaluate

DOCUMENTS = {
    "DiskFull": "# DiskFull\n\nThe filesystem of a node is filling up. See also PodRestarting.\n",
    "PodRestarting": "# PodRestarting\n\nA container starts again and again.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "own.docs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": id, "text": text}) + "\n" for id, text in DOCUMENTS.items())
    query = {"id": "q0", "alertname": "DiskFull", "text": "PodRestarting is not it.", "text_without_name": "Filesystems fill."}
    (tmp_path / "own.queries.jsonl").write_text(json.dumps(query) + "\n")
    return tmp_path


def test_the_answers_are_ranked_ids_with_the_names_hidden(folder: Path, tmp_path: Path) -> None:
    evaluate(folder, tmp_path / "answers.json")

    assert json.loads((tmp_path / "answers.json").read_text()) == {"q0": ["DiskFull"]}


def test_without_labels_nothing_is_scored(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(folder, tmp_path / "answers.json")

    assert capsys.readouterr().out == ""


def test_with_labels_both_modes_are_scored(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "own.labels.json").write_text(json.dumps({"q0": "DiskFull"}))

    evaluate(folder, tmp_path / "answers.json")

    printed = capsys.readouterr().out
    assert "own, name hidden: Tocsin (n 1): R@1 1.000" in printed and "own, exact name: Tocsin (n 1): R@1 1.000" in printed
