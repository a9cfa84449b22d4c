"""The real bot, but it dies at the points that stand in `<folder>/points`:  python -m tests.crash.bot <folder>"""

import sys
from functools import partial
from pathlib import Path

from bot.serving import run
from bot.settings import load_secrets
from tests.crash.strikes import CrashingApp, CrashingRun, Strikes


def main(folder: Path) -> None:
    strikes = Strikes(folder)
    run(load_secrets(), wrap_run=lambda inner: CrashingRun(inner, strikes), build=partial(CrashingApp, strikes=strikes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
