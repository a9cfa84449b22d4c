"""`python -m tests.trial --runs 40`: outages back to back and overlapping, drawn by a seed, against the whole bot.

Each outage needs a message within 5 s of its alert's webhook that names it, somebody who is mentioned, and the right
start; no message may contradict what is known, and nobody is called for nothing. Exit code 0 only if all of it holds.
What was named as the cause of each is counted too, by the way it follows the one before.
"""

import argparse
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bot.core.errors import TocsinError
from tests.trial.causes import figures_of_causes
from tests.trial.judge import JudgedOutage, Verdict, judge
from tests.trial.play import play

UNPLAYED = "could not be played"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--first", type=int, default=1, help="seed of the first run")
    parser.add_argument("--at-once", type=int, default=3, help="runs side by side")
    parser.add_argument("--keep", type=Path, help="folder for the messages and logs of every run")
    options = parser.parse_args()
    console = Console()
    outages: list[JudgedOutage] = []
    wrong: list[str] = []
    with Progress(console=console, transient=True) as progress, ThreadPoolExecutor(options.at_once) as pool:
        task = progress.add_task("Runs", total=options.runs)
        seeds = range(options.first, options.first + options.runs)
        for seed, (told, lines) in zip(seeds, pool.map(lambda seed: judged_run(seed, options.keep), seeds), strict=True):
            outages, wrong = outages + told, wrong + lines
            console.print("\n".join(described(seed, told, lines)), highlight=False, markup=False, soft_wrap=True)
            progress.advance(task)
    for line in figures(outages, wrong):
        console.print(line, highlight=False)
    bad = [one for one in outages if one.verdict not in (Verdict.TOLD, Verdict.SILENT)]
    return 1 if bad or wrong else 0


def judged_run(seed: int, kept: Path | None) -> tuple[list[JudgedOutage], list[str]]:
    """One run, played and judged; one that could not be played is wrong, and stops no other."""
    try:
        return judge(*play(seed, kept))
    except TocsinError as error:
        return [], [f"{UNPLAYED}: {error}"]


def described(seed: int, outages: list[JudgedOutage], wrong: list[str]) -> list[str]:
    """A run, line by line."""
    rows = [
        f"run {seed:3}  {one.outage.follows:12} {one.outage.fault:18} {one.outage.root:14} {one.verdict}"
        + (f", {one.seconds:.1f} s" if one.seconds is not None else "")
        + (f", cause: {one.cause.named}" + ", likely" * one.cause.likely if one.cause else "")
        + (f", {one.further_cards} more cards" if one.further_cards else "")
        for one in outages
    ]
    return rows + [f"run {seed:3}  {line}" for line in wrong]


def figures(outages: list[JudgedOutage], wrong: list[str]) -> list[str]:
    """The sums."""
    counts = {verdict: sum(one.verdict is verdict for one in outages) for verdict in Verdict}
    seconds = sorted(one.seconds for one in outages if one.seconds is not None)
    pages = sum(line.startswith("false page") for line in wrong)
    unplayed = sum(line.startswith(UNPLAYED) for line in wrong)
    return [
        *(f"{verdict}: {count} of {len(outages)} outages" for verdict, count in counts.items()),
        f"false pages: {pages}",
        f"contradictions: {len(wrong) - pages - unplayed}",
        *([f"not played: {unplayed} runs"] if unplayed else []),
        f"cards beside the one that told an outage: {sum(one.further_cards for one in outages)}",
        *figures_of_causes([one.cause for one in outages if one.cause]),
        f"seconds from webhook to message: median {statistics.median(seconds):.2f}, most {seconds[-1]:.2f}" if seconds else "",
    ]


if __name__ == "__main__":
    sys.exit(main())
