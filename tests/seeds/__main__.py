"""`python -m tests.seeds --seeds 1..20`: plays `tocsin demo --once` over seeds and scores it against the world's truth.

The truth is asked of the world by the player after the incident; the bot gets addresses only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1..20", help="first..last")
    first, _, last = parser.parse_args().seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    console = Console()
    rows = []
    for seed in track(seeds, description="Playing", console=console):
        rows.append(score(play(seed)))
        console.print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), highlight=False, soft_wrap=True)
    console.print(table(rows))
    for line in figures(rows):
        console.print(line)
    return 0 if all(row["as it should"] for row in rows) else 1


def play(seed: int) -> dict[str, Any]:
    """One incident in a process of its own; its outcome as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "bot.cli", "demo", "--once", "--seed", str(seed), "--json", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
        if not result.exists():
            raise SystemExit(f"seed {seed} did not finish:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return {**json.loads(result.read_text()), "exit": done.returncode, "seed": seed}


def score(outcome: dict[str, Any]) -> dict[str, Any]:
    """What was right about one incident."""
    truth, findings = outcome["truth"], outcome.get("findings") or {}
    hypotheses = findings.get("hypotheses") or [{}]
    first = hypotheses[0]
    innocent = {f"pipeline:{id}" for id in truth["innocent_change_ids"]}
    blamed = [h for h in hypotheses if h.get("change_id") in innocent and h.get("confidence") == "likely"]
    right = first.get("service") == truth["root"] and first.get("kind") == truth["cause"]
    if truth["cause"] == "change":
        right = right and first.get("change_id") == f"pipeline:{truth['change_id']}"
    fits = bool(truth["fixed_by"]) or bool(truth["tempting"])
    works = bool(truth["fix_works"]) and bool(truth["fixed_by"])
    proposed = bool(outcome["proposal"])
    # Where the action that tempts does not help, honest is "not recovered"; where none fits, no proposal.
    honest = (outcome["resolved"] if works else outcome.get("state") == "not recovered") if proposed else not works
    return {
        "seed": outcome["seed"],
        "fault": truth["fault"],
        "root": truth["root"],
        "first cause": f"{first.get('service', '-')} {first.get('kind', '')} ({first.get('confidence', '')})",
        "right": right,
        "innocent blamed": bool(blamed),
        "proposed": proposed,
        "fits": fits,
        "state": outcome.get("state", "-"),
        "seconds": outcome["seconds"],
        "honest": honest,
        "as it should": right and not blamed and honest and (fits or not proposed),
    }


def table(rows: list[dict[str, Any]]) -> Table:
    """All incidents, one a row."""
    made = Table(*rows[0])
    for row in rows:
        made.add_row(*("yes" if cell is True else "no" if cell is False else str(cell) for cell in row.values()))
    return made


def figures(rows: list[dict[str, Any]]) -> list[str]:
    """The figures that were promised."""
    none_fits = [r for r in rows if not r["fits"]]
    tempts = [r for r in rows if r["fits"] and r["fault"] == "poisoned-deploy"]
    return [
        f"right first cause: {sum(r['right'] for r in rows)} of {len(rows)}",
        f"innocent deploy called likely: {sum(r['innocent blamed'] for r in rows)}",
        f"no proposal where no action fits: {sum(not r['proposed'] for r in none_fits)} of {len(none_fits)}",
        f"'not recovered' where the fix fails: {sum(r['state'] == 'not recovered' for r in tempts)} of {len(tempts)}",
        f"slowest incident: {max(r['seconds'] for r in rows)} s",
    ]


if __name__ == "__main__":
    sys.exit(main())
