"""`python -m tests.bench [part ...]`: all parts take some ten minutes; figures are printed, nothing is asserted."""

import argparse
import importlib

from tests.bench.report import machine

PARTS = (
    "intake",
    "sorting",
    "growth",
    "card",
    "storm",
    "triages",
    "fairness",
    "replicas",
    "start",
    "agent",
    "disk",
    "retention",
    "press",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"which of {', '.join(PARTS)}; all without one")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one load")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each kind; medians are printed")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(machine())
    for part in options.parts or PARTS:
        _run(part, options.seconds, options.rounds)


def _run(part: str, seconds: float, rounds: int) -> None:
    """Import late: each part measures what it imports as little as it can."""
    report = importlib.import_module(f"tests.bench.{part}").report
    if part == "intake":
        report(seconds=seconds, rounds=rounds)
    else:
        report()


if __name__ == "__main__":
    main()
