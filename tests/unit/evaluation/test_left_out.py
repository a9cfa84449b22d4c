"""Weights chosen without a set: the set that is left out is ranked with what the others taught, and the worst is named."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from bot.core.tuning import TUNING
from tests.evaluation.figures import Answer, reciprocal_ranks
from tests.evaluation.left_out import InvestigatedSet, evaluate, sure_gain
from tests.evaluation.weight_choices import CHOICES, NOT_CHOSEN
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
    assert "without shop: " in told and "without rca_alerts: the middle of each" in told
    assert set(json.loads((data / "out.json").read_text(encoding="utf-8"))) == {
        f"{name}/{id}" for name in ("shop", "bank") for id in INCIDENTS
    }


def test_every_weight_in_use_is_chosen_anew_or_listed_with_the_reason_why_not() -> None:
    parts = {part: weights for part, weights in vars(TUNING).items() if part not in NOT_CHOSEN}
    in_use = {f"{part}.{name}" for part, weights in parts.items() for name in vars(weights)}
    chosen = {f"{part}.{name}" for part, names in CHOICES.items() for name in names}

    assert in_use == chosen | {name for name in NOT_CHOSEN if "." in name} and not chosen & set(NOT_CHOSEN)


def test_every_weight_in_use_is_among_the_values_that_are_tried() -> None:
    for part, names in CHOICES.items():
        for name, values in names.items():
            assert getattr(getattr(TUNING, part), name) in values, f"{part}.{name}"


@pytest.mark.parametrize("incidents", [8, 30, 200])
def test_one_incident_that_comes_out_better_moves_no_weight_and_several_do(incidents: int) -> None:
    one, several = (np.array([0.5] * better + [0.0] * (incidents - better)) for better in (1, 5))
    unmoved = np.zeros(40)

    assert sure_gain([one, unmoved]) < 0 < sure_gain([several, unmoved])


def test_a_set_without_any_investigation_has_no_quality() -> None:
    assert InvestigatedSet("empty", "none", {}, {"a": "cart"}, Answer.of).quality(TUNING).tolist() == [0.0]


def test_the_place_of_the_truth_counts_by_its_reciprocal() -> None:
    answers = {"a": Answer(["cart"]), "b": Answer(["front", "cart"]), "c": Answer([])}

    assert reciprocal_ranks(answers, dict.fromkeys("abc", "cart")) == [1.0, 0.5, 0.0]
