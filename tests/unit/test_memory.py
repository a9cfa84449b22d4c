"""What the server gives back: work that is done apart leaves its results and none of its memory."""

import sys
from pathlib import Path

import pytest

from bot.memory import run_apart


def test_what_is_done_apart_leaves_its_result_and_nothing_in_this_process(tmp_path: Path) -> None:
    def work() -> None:
        sys.modules["loaded_apart"] = sys
        (tmp_path / "result").write_text("done")

    run_apart(work)

    assert (tmp_path / "result").read_text() == "done" and "loaded_apart" not in sys.modules


def test_an_error_apart_is_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_apart(lambda: (tmp_path / "missing").unlink())

    assert capfd.readouterr().err == ""
