"""`python -m tests.e2e`: all end-to-end tests. What measures has the machine for itself; the rest runs in lanes.

The figures of both runs are printed at the end.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e import lanes

ALONE = ("-m", "alone")
ABREAST = ("-m", "not alone", "-n", str(lanes.COUNT))


def main() -> int:
    """Both runs, whatever becomes of the first; 0 if nothing failed."""
    with tempfile.TemporaryDirectory(prefix="tocsin-e2e-") as folder:
        figures = Path(folder) / "figures"
        command = [sys.executable, "-m", "pytest", "tests/e2e", f"--figures={figures}"]
        ended = [subprocess.run([*command, *how, *sys.argv[1:]]).returncode for how in (ALONE, ABREAST)]
        print("figures\n-------\n" + (figures.read_text() if figures.exists() else "none"))
    return int(any(ended))


if __name__ == "__main__":
    sys.exit(main())
