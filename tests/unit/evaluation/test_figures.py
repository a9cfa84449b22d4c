"""What the figures of an evaluation count, and what they do not."""

import json
from pathlib import Path

import pytest

from tests.evaluation.__main__ import main
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


def test_an_unknown_set_is_refused_with_the_sets_there_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["weather", "--data", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    assert "petshop" in capsys.readouterr().out
