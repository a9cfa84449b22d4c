"""`python -m tests.bench [part ...]`: all parts take some ten minutes; figures are printed, nothing is asserted."""

import argparse

from tests.bench.report import machine

PARTS = ("intake", "card", "storm", "start", "agent")


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
    if part == "intake":
        from tests.bench import intake

        intake.measure(seconds=seconds, rounds=rounds)
    elif part == "card":
        from tests.bench import card

        card.report()
    elif part == "storm":
        from tests.bench import storm

        storm.report()
    elif part == "start":
        from tests.bench import start

        start.report()
    else:
        from tests.bench import agent

        agent.report()


if __name__ == "__main__":
    main()
