"""Weights chosen without a set: the set that is left out is ranked with what the others taught, and the worst is named."""

import gzip
import json
from pathlib import Path

import pytest

from bot.core.ranking.tuning import TUNING
from tests.evaluation.figures import Answer, reciprocal_ranks
from tests.evaluation.left_out import CHOICES, Looked, evaluate
from tests.unit.evaluation.test_rca_alerts import INCIDENTS, TOPOLOGY


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, culprit in (("shop", "front"), ("bank", "cart-0")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "topology.json").write_text(json.dumps(TOPOLOGY), encoding="utf-8")
        (folder / "labels.json").write_text(json.dumps({"second": {"root_cause": culprit}}), encoding="utf-8")
        with gzip.open(folder / "incidents.json.gz", "wt", encoding="utf-8") as file:
            json.dump(INCIDENTS, file)
    return tmp_path


def test_each_set_is_left_out_once_and_the_worst_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(data, data / "out.json")

    told = capsys.readouterr().out
    assert "| bank (1) | " in told and "| shop (1) | " in told and "worst set: " in told
    assert "| rca_alerts (2) | " in told and "worst project: rca_alerts, " in told
    assert "without shop: worth: anywhere " in told
    assert set(json.loads((data / "out.json").read_text(encoding="utf-8"))) == {
        f"{name}/{id}" for name in ("shop", "bank") for id in INCIDENTS
    }


def test_every_weight_in_use_is_chosen_anew() -> None:
    in_use = {part: set(vars(getattr(TUNING, part))) for part in CHOICES}

    assert in_use == {part: set(CHOICES[part]) for part in CHOICES} and set(CHOICES) == set(vars(TUNING))


def test_a_set_without_any_look_has_no_quality() -> None:
    assert Looked("empty", "none", {}, {"a": "cart"}, Answer.of).quality(TUNING).tolist() == [0.0]


def test_the_place_of_the_truth_counts_by_its_reciprocal() -> None:
    answers = {"a": Answer(["cart"]), "b": Answer(["front", "cart"]), "c": Answer([])}

    assert reciprocal_ranks(answers, dict.fromkeys("abc", "cart")) == [1.0, 0.5, 0.0]
