"""`python -m tests.crash`: the whole matrix. Exit code 1 if an invariant does not hold or a point was not reached."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.crash import matrix, plan
from tests.crash.matrix import Outcome
from tests.crash.story import Asked, Told


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print a table of all stories and the figures."""
    options = _parse(arguments)
    console = Console()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="tocsin-crash-"))
    console.print(f"Logs and databases: {folder}")
    with console.status("A clean run of each kind, for the list of points"):
        clean = matrix.run(matrix.CLEAN, folder)
        points = [point for told in sorted(clean.told, key=lambda one: one.name) for point in matrix.points_of(told)]
    points = [point for point in points if point.startswith(tuple(options.only or [""]))]
    chosen = plan.once(points) if options.quick else points
    console.print(f"{len(points)} points in the journal and outside it; {len(chosen)} are struck on each database")
    failed = bool(clean.violations) or not points
    for what in clean.violations:
        console.print(f"[red]{what}[/red]", highlight=False)
    for database in ("sqlite", "postgresql") if options.database == "both" else (options.database,):
        asked = matrix.point_stories(chosen, each=options.each)
        asked += matrix.random_stories(options.kills // (2 if options.database == "both" else 1))
        outcome = _played(asked, folder / database, database, console)
        _print(outcome, database, console)
        failed = failed or bool(outcome.violations or outcome.missed)
        if options.json:
            _write(options.json, database, outcome)
    return int(failed)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each point once instead of before and after")
    parser.add_argument("--only", action="append", metavar="PREFIX", help="strike only points that begin so; may be repeated")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--kills", type=int, default=200, help="random kills in all")
    parser.add_argument("--each", type=int, default=8, help="points struck in one story; 1 gives each point a story of its own")
    parser.add_argument("--keep", type=Path, help="a folder for logs and databases")
    parser.add_argument("--json", type=Path, help="add the figures to this file, a line a database")
    return parser.parse_args(arguments)


def _played(asked: Sequence[Asked], folder: Path, database: str, console: Console) -> Outcome:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"Stories on {database}", total=len(asked))

        def tell(told: Told) -> None:
            progress.advance(task)
            for what in told.violations:
                progress.console.print(f"[red]{told.name}[/red]: {what}", highlight=False)

        return matrix.run(asked, folder, database=database, tell=tell)


def _print(outcome: Outcome, database: str, console: Console) -> None:
    table = Table("story", "kills", "seconds", "end", "executions", "violations", title=database)
    for told in sorted(outcome.told, key=lambda one: one.name):
        states = ", ".join(f"{p['ref']} {p['state']}" for p in told.history.proposals)
        executions = len(told.history.executions)
        table.add_row(told.name, str(told.kills), f"{told.seconds:.0f}", states, str(executions), str(len(told.violations)))
    console.print(table)
    for line in outcome.figures():
        console.print(f"{database}: {line}", highlight=False)
    for point in outcome.missed:
        console.print(f"[red]not reached:[/red] {point}", highlight=False)


def _write(path: Path, database: str, outcome: Outcome) -> None:
    line = {"at": time.time(), "database": database, "figures": outcome.figures(), "violations": outcome.violations}
    with path.open("a") as file:
        file.write(json.dumps(line | {"missed": outcome.missed}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
