"""What the figures of an evaluation count, and what they do not."""

import importlib
import json
from pathlib import Path

import pytest

from tests.evaluation.__main__ import WITHOUT_DETAILS, main, sets
from tests.evaluation.figures import Answer, accuracy, figures_line, write_answers

TRUTH = {"a": "cart", "b": "Payment"}


def test_the_truth_counts_where_it_stands_among_the_first_k() -> None:
    answers = {"a": Answer(["cart"]), "b": Answer(["front", "payment"])}

    assert (accuracy(answers, TRUTH, 1), accuracy(answers, TRUTH, 3)) == (0.5, 1.0)


def test_an_incident_without_an_answer_counts_as_wrong() -> None:
    assert accuracy({"a": Answer(["cart"]), "b": Answer([])}, TRUTH, 3) == 0.5


def test_confidence_is_told_by_how_much_of_it_was_right() -> None:
    answers = {"a": Answer(["cart"], likely=True), "b": Answer(["front"], likely=False)}

    assert "likely 0.50, of those 1.00 right" in figures_line("both", answers, TRUTH)


def test_answers_are_written_as_the_scoring_script_reads_them(tmp_path: Path) -> None:
    write_answers({"a": Answer(["cart", "front"])}, tmp_path / "deep" / "out.json")

    assert json.loads((tmp_path / "deep" / "out.json").read_text()) == {"a": ["cart", "front"]}


@pytest.mark.parametrize("name", ["alert_storm", "webhooks", "loghub2k"])
def test_details_of_a_set_that_ranks_no_causes_are_refused(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, details = tmp_path / "out.json", tmp_path / "details.json"

    assert main([name, "--data", str(tmp_path), "--out", str(out), "--details", str(details)]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{name} ranks no causes: there are no details to write, leave out --details"
    ]
    assert not out.exists()


def test_every_other_set_writes_details() -> None:
    modules = {name: importlib.import_module(f"tests.evaluation.{name}") for name in sets()}

    silent = {name for name, module in modules.items() if not {"write_answers", "write_details"} & vars(module).keys()}
    assert silent == WITHOUT_DETAILS


def test_an_unknown_set_is_refused_with_the_sets_there_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["weather", "--data", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    assert "petshop" in capsys.readouterr().out
