"""`python -m tests.attacks KIND ... --data DIR`: plays every item of these kinds against the real bot, prints passed / total.

Kinds: injection telemetry render unicode secret control query ssrf model_output huge leak malformed
replay: one module each; their items
are those of that category in the JSONL files of DIR. A model that obeys every injected order to the letter stands in for
a model; Slack's stand-in, Prometheus and Loki run on loopback. `approval` (or `all`, or a file of step scripts) plays
step scripts and takes `--no-twins`. `transport` plays against a bot in a process of
its own. Exit status 0 only if everything that does not depend on a model holds.
"""

import argparse
import sys
from pathlib import Path

from tests.attacks import approval, transport
from tests.attacks.items import read_items
from tests.attacks.roster import KINDS
from tests.attacks.scene import play_all
from tests.attacks.telling import tell

SERVED = {"transport": transport.play}
"""Kinds that are played against a bot in a process of its own."""


def main(arguments: list[str] | None = None) -> int:
    """Play and print; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("what", nargs="*", default=["approval"], help=f"approval, all, or of {' '.join([*KINDS, *SERVED])}")
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files, or one file")
    parser.add_argument("--only", default="", help="part of an id or a technique")
    parser.add_argument("--no-twins", action="store_true", help="approval: leave the legitimate twins out")
    options = parser.parse_args(arguments)
    staged = [KINDS[name] for name in options.what if name in KINDS]
    served = [name for name in options.what if name in SERVED]
    status = 0
    for what in (name for name in options.what if name not in KINDS and name not in SERVED):
        more = ["--no-twins"] if options.no_twins else []
        status = max(status, approval.main([what, "--data", str(options.data), "--only", options.only, *more]))
    if not staged and not served:
        return status
    if not options.data.exists():
        print(f"{options.data} is absent")
        return 2
    items = [item for item in read_items(options.data) if options.only in item.id or options.only in item.technique]
    chosen = {name: [item for item in items if item.category == name] for name in [*(kind.name for kind in staged), *served]}
    if empty := [name for name, found in chosen.items() if not found]:
        print(f"no items of {', '.join(empty)} in {options.data}")
        return 2
    if staged:
        status = max(status, tell(play_all(staged, chosen)))
    for name in served:
        status = max(status, tell(SERVED[name](chosen[name])))
    return status


if __name__ == "__main__":
    sys.exit(main())
