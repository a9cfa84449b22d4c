"""How long a person waits: `--help`, a ready server, the demo, and the way from a clone to the first card."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench import bodies
from tests.bench.load import quantile
from tests.bench.place import TOKEN, python, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import memory_mb
from tests.real.processes import clean_environment

HEAVY = ("langchain", "openai", "dbos")
TRIES = 5


def report() -> None:
    """Measure and print all of it."""
    rows = [_help(), *_server(), _first_question(), _demo(), _clone()]
    table("Start", ("what", "seen", "goal"), rows)


def _help() -> list[object]:
    """The median of some starts, and which of the heavy modules were loaded."""
    took = []
    for _ in range(TRIES):
        began = time.monotonic()
        subprocess.run(python("-m", "bot.cli", "--help"), check=True, capture_output=True)
        took.append(time.monotonic() - began)
    command = python("-X", "importtime", "-m", "bot.cli", "--help")
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    modules = re.findall(r"\| +([\w.]+)$", told, re.M)
    heavy = sorted({module.partition(".")[0] for module in modules} & set(HEAVY))
    median = quantile(took, 0.5)
    seen = f"{median:.2f} s, {len(modules)} modules, of the heavy ones: {', '.join(heavy) or 'none'}"
    return ["tocsin --help", seen, f"<= 0.3 s, none heavy: {reached(median, 0.3)}"]


def _server() -> list[list[object]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        took = []
        for number in range(3):
            with running_bot(Path(name) / str(number), {}) as bot:
                took.append(bot.ready_after)
                memory = memory_mb(bot.pid)
    median = quantile(took, 0.5)
    ready: list[object] = ["serve until /readyz, new database", f"{median:.2f} s", f"<= 4 s: {reached(median, 4)}"]
    return [ready, ["memory without a model, at rest", f"{memory:.0f} MB", f"<= 120 MB: {reached(memory, 120)}"]]


def _first_question() -> list[object]:
    """An alert the moment the server is ready: how long until the model is asked, its code not loaded yet."""
    took = []
    for number in range(3):
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as name,
            running_bot(Path(name) / "bot", {}, hanging_model=True) as bot,
        ):
            began, alert = time.monotonic(), bodies.alert(number, severity="critical")
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            httpx.post(bot.url, content=bodies.to_tocsin([alert]), headers=headers, trust_env=False).raise_for_status()
            while bot.model is not None and not bot.model.requests() and time.monotonic() - began < 30:
                time.sleep(0.02)
            took.append(time.monotonic() - began)
    median = quantile(took, 0.5)
    return [
        "cold start: from the first alert to the first request to a model",
        f"{median:.2f} s",
        f"<= 3 s: {reached(median, 3)}",
    ]


def _demo() -> list[object]:
    began = time.monotonic()
    ended = subprocess.run(python("-m", "bot.cli", "demo", "--once"), capture_output=True, env=clean_environment())
    took = time.monotonic() - began
    return ["tocsin demo --once", f"{took:.1f} s, exit {ended.returncode}", f"<= 60 s: {reached(took, 60)}"]


def _clone() -> list[object]:
    """A clone of the last commit, `make install` from the warm package cache, then the demo until its first card."""
    what = "clone, make install (warm cache), demo, first card"
    if shutil.which("git") is None or shutil.which("make") is None:
        return [what, "not measured: git or make is missing", ""]
    root = subprocess.run(["git", "rev-parse", "--show-toplevel"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        began, copy = time.monotonic(), Path(name) / "copy"
        subprocess.run(["git", "clone", "-q", root, str(copy)], check=True)
        subprocess.run(["make", "-s", "install"], cwd=copy, check=True, env=_outside_venv())
        installed = time.monotonic() - began
        command = [str(copy / ".venv/bin/python"), "-m", "tests.bench.first_card"]
        # The measuring file may be newer than the commit.
        shutil.copytree(Path(__file__).parent, copy / "tests/bench", dirs_exist_ok=True)
        card = subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True).stdout.strip()
        took = time.monotonic() - began
    return [what, f"{took:.0f} s (installed after {installed:.0f} s; stage and card {card} s)", f"<= 90 s: {reached(took, 90)}"]


def _outside_venv() -> dict[str, str]:
    """The environment as in a fresh shell: the interpreter that made our own venv comes first."""
    return clean_environment() | {"PATH": os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if ".venv" not in p)}
