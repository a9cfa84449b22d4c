"""`python -m tests.attacks KIND ... --data DIR`: plays every item of these kinds against the real bot, prints passed / total.

Kinds: injection telemetry render unicode secret control query ssrf model_output huge leak malformed replay: one module each;
their items are those of that category in the JSONL files of DIR. A model that obeys every injected order to the letter stands
in for a model; Slack's stand-in, Prometheus and Loki run on loopback. `approval_steps` plays the items of the formal step
language in `approval_steps.jsonl` and their legitimate twins (laundering, records and clock those of their files); `--out`
writes what came of each. export fairness growth reading tokens toolserver transport play against a bot in a process of its
own. Exit status 0 only if everything holds that does not depend on a model.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.attacks import approval_steps, export, fairness, growth, reading, tokens, toolserver, transport
from tests.attacks.attempts import all_of
from tests.attacks.groups import play_all
from tests.attacks.items import read_items
from tests.attacks.reporting import report
from tests.attacks.roster import KINDS
from tests.attacks.steps.items import KINDS as STEP_KINDS
from tests.attacks.steps.play import AT_ONCE

SERVED = {
    "export": export.play,
    "fairness": fairness.play,
    "growth": growth.play,
    "reading": reading.play,
    "tokens": tokens.play,
    "toolserver": toolserver.play,
    "transport": transport.play,
}
"""Kinds that are played against a bot in a process of its own."""
ALL = (*STEP_KINDS, *KINDS, *SERVED)


def main(arguments: list[str] | None = None) -> int:
    """Play and print; 0 if all is well."""
    options = _options(arguments)
    names = options.what or [STEP_KINDS[0]]
    if unknown := set(names) - {*ALL}:
        print(f"unknown kind {', '.join(sorted(unknown))}; known: {' '.join(ALL)}")
        return 2
    if not options.data.exists():
        print(f"{options.data} is absent")
        return 2
    status = 0
    for kind in (name for name in names if name in STEP_KINDS):
        wishes = {"only": options.only, "out": options.out, "twins": not options.no_twins, "at_once": options.at_once}
        status = max(status, approval_steps.main(options.data, kind=kind, **wishes))
    others = [name for name in names if name not in STEP_KINDS]
    return max(status, _of_categories(others, options)) if others else status


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"of {' '.join(ALL)}; {STEP_KINDS[0]} if none is named")
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files, or one file")
    parser.add_argument("--only", default="", help="part of an id or a technique")
    parser.add_argument("--out", type=Path, help="kinds in steps: a JSON line for each item with what came of it")
    parser.add_argument("--no-twins", action="store_true", help="kinds in steps: leave the legitimate twins out")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="kinds in steps: worlds at a time")
    return parser.parse_args(arguments)


def _of_categories(names: Sequence[str], options: argparse.Namespace) -> int:
    """Play the items of these categories; 0 if all is well."""
    staged, served, status = [name for name in names if name in KINDS], [name for name in names if name in SERVED], 0
    items = [item for item in read_items(options.data) if options.only in item.id or options.only in item.technique]
    chosen = {name: [item for item in items if item.category == name] for name in names}
    if empty := [name for name, found in chosen.items() if not found]:
        print(f"no items of {', '.join(empty)} in {options.data}")
        return 2
    if staged:
        status = max(status, report(play_all(staged, chosen)))
    for name in served:
        status = max(status, report(all_of(name, SERVED[name], chosen[name])))
    return status


if __name__ == "__main__":
    sys.exit(main())
