"""`make evaluate`: which sets it runs, and about which it asks a model."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real import missing

ROOT = Path(__file__).parents[3]
MODEL = "MODEL=openai:some"


def evaluated(folder: Path, *variables: str) -> list[str]:
    """The arguments of each run of `python` that it makes, with all sets' folders there."""
    if shutil.which("make") is None:
        missing("make")
    data, python = folder / "data", folder / "python"
    for name in ("petshop", "nezha", "rootcausebench", "webhooks"):
        (data / name).mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    paths = [f"BIN={folder}", f"EVALUATION_DATA={data}"]
    command = ["make", "-s", "-C", str(ROOT), "-o", ".venv/tests-installed", "evaluate", *paths, *variables]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.replace(str(data), "DATA") for line in lines if line.startswith("-m ")]


def test_a_model_is_asked_about_the_sets_that_were_named_alone(tmp_path: Path) -> None:
    out = ".tocsin/evaluation/rootcausebench.json"

    assert evaluated(tmp_path, MODEL, "SETS=rootcausebench") == [
        f"-m tests.evaluation rootcausebench --data DATA/rootcausebench --out {out} --model openai:some"
    ]


@pytest.mark.parametrize(("variables", "asked"), [((), []), ((MODEL,), ["petshop", "nezha", "rootcausebench"])])
def test_all_sets_are_run_by_default(tmp_path: Path, variables: tuple[str, ...], asked: list[str]) -> None:
    runs = [line.split() for line in evaluated(tmp_path, *variables)]

    assert [(words[2], words[4]) for words in runs] == [
        ("petshop", "DATA/petshop"),
        ("nezha", "DATA/nezha"),
        ("rootcausebench", "DATA/rootcausebench"),
        ("delays", "DATA/nezha"),
        ("webhooks", "DATA/webhooks"),
        ("left_out", "DATA"),
    ]
    assert [words[2] for words in runs if "--model" in words] == asked
