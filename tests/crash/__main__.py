"""`python -m tests.crash`: the whole matrix. Exit code 1 if an invariant does not hold or a point was not reached."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence, Set
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.crash import matrix, plan, rights
from tests.crash.matrix import Outcome
from tests.crash.scenario import Result, Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print a table of all scenarios and the figures."""
    options = _parse(arguments)
    if options.rights:
        return rights.main(["--database", options.database])
    console = Console()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="tocsin-crash-"))
    console.print(f"Logs and databases: {folder}")
    with console.status("A clean run of each kind, for the list of points"):
        clean = matrix.run(matrix.clean_runs(options.only or ()), folder)
        by_run = {one.name: matrix.points_of(one) for one in sorted(clean.results, key=lambda one: one.name)}
        again = set(by_run.pop(matrix.AGAIN.name, ()))
        points = [point for run in by_run.values() for point in run]
        occasional = set(by_run.get(matrix.CLEAN[0].name, ())) - again
    journal = points
    points = [] if options.random else [point for point in points if point.startswith(tuple(options.only or [""]))]
    chosen = plan.once(points) if options.quick else points
    console.print(f"{len(points)} points in the journal and outside it; {len(chosen)} are struck on each database")
    console.print(f"{len(occasional)} of them came up in one of two equal runs only: they are struck where they come up again")
    if not (points or options.random):
        console.print(f"no point begins with {' or '.join(options.only or ['anything'])}: the clean runs did not come by it")
        return 1
    failed = bool(clean.violations)
    for what in clean.violations:
        console.print(f"[red]{what}[/red]", highlight=False)
    for database in ("sqlite", "postgresql") if options.database == "both" else (options.database,):
        scenarios = matrix.point_scenarios(chosen, each=options.each, journal=journal)
        scenarios += matrix.random_scenarios(options.kills // (2 if options.database == "both" else 1))
        outcome = _played(scenarios, folder / database, database, console)
        _print(outcome, database, console, occasional)
        failed = failed or bool(outcome.violations or set(outcome.missed) - occasional)
        if options.json:
            _write(options.json, database, outcome)
    if not (options.only or options.random):
        failed = bool(rights.main(["--database", options.database])) or failed
    return int(failed)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each point once instead of before and after")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="strike only points that begin so; may be repeated")
    parser.add_argument("--random", action="store_true", help="the random kills alone")
    parser.add_argument("--rights", action="store_true", help="break-glass and standing approvals alone")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--kills", type=int, default=200, help="random kills in all")
    parser.add_argument("--each", type=int, default=8, help="points struck in one scenario; 1 gives each its own")
    parser.add_argument("--keep", type=Path, help="a folder for logs and databases")
    parser.add_argument("--json", type=Path, help="add the figures to this file, a line a database")
    return parser.parse_args(arguments)


def _played(scenarios: Sequence[Scenario], folder: Path, database: str, console: Console) -> Outcome:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"Scenarios on {database}", total=len(scenarios))

        def report(result: Result) -> None:
            progress.advance(task)
            for what in result.violations:
                progress.console.print(f"[red]{result.name}[/red]: {what}", highlight=False)

        return matrix.run(scenarios, folder, database=database, report=report)


def _print(outcome: Outcome, database: str, console: Console, occasional: Set[str]) -> None:
    table = Table("scenario", "kills", "seconds", "end", "executions", "violations", title=database)
    for result in sorted(outcome.results, key=lambda one: one.name):
        states = ", ".join(f"{p['ref']} {p['state']}" for p in result.history.proposals)
        counts = str(len(result.history.executions)), str(len(result.violations))
        table.add_row(result.name, str(result.kills), f"{result.seconds:.0f}", states, *counts)
    console.print(table)
    for line in outcome.figures():
        console.print(f"{database}: {line}", highlight=False)
    for point in outcome.missed:
        note = "did not come up again" if point in occasional else "[red]not reached[/red]"
        console.print(f"{note}: {point}", highlight=False)


def _write(path: Path, database: str, outcome: Outcome) -> None:
    line = {"at": time.time(), "database": database, "figures": outcome.figures(), "violations": outcome.violations}
    with path.open("a") as file:
        file.write(json.dumps(line | {"missed": outcome.missed}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
