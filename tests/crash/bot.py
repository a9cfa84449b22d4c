"""The real bot, but it dies at the points that stand in `<folder>/points`:  python -m tests.crash.bot <folder>"""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bot.serving import run
from bot.settings import load_secrets
from tests.crash.strikes import CrashingApp, CrashingRun, Strikes
from tests.real.forks import ForkedProcess

LOADED = "tests.crash.loaded"


def main(folder: Path) -> None:
    strikes = Strikes(folder)
    run(load_secrets(), wrap_run=lambda inner: CrashingRun(inner, strikes), build=partial(CrashingApp, strikes=strikes))


def forked(name: str, folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
    """The same bot, forked from a process that has imported it."""
    return ForkedProcess(name, main, [folder], folder, environment, loaded=[LOADED])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
