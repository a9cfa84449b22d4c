"""`python -m tests.e2e`: all end-to-end tests. What measures has the machine for itself; the rest runs in lanes.

A lane is a worker of pytest-xdist with its own servers, and the modules say in which they are (`xdist_group`): they
wait more than they compute. The figures of both runs are printed at the end.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

LANES = ("matrix", "replicas", "stories", "others")
ALONE = ("-m", "alone")
ABREAST = ("-m", "not alone", "-n", str(len(LANES)), "--dist", "loadgroup")


def main() -> int:
    """Both runs, whatever becomes of the first; 0 if nothing failed."""
    with tempfile.TemporaryDirectory(prefix="tocsin-e2e-") as folder:
        figures = Path(folder) / "figures"
        command = [sys.executable, "-m", "pytest", "tests/e2e", f"--figures={figures}"]
        ended = [subprocess.run([*command, *how, *sys.argv[1:]]).returncode for how in (ALONE, ABREAST)]
        print("figures\n-------\n" + (figures.read_text() if figures.exists() else "none"))
    return max(ended)


if __name__ == "__main__":
    sys.exit(main())
