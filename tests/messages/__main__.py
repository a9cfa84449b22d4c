"""`python -m tests.messages`: plays every fault, counts the words that people read and what is not so; takes the pictures.

`count` alone plays the faults, `pictures` alone takes docs/messages/*.png.
"""

import argparse
import re
import sys
import time
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Message, Player
from bot.core.messages.triage_consistency import rounds_to_nothing
from bot.core.messages.triage_summary import MAX_WORDS
from bot.sandbox.scenarios.catalogue import FAULTS, fault_of_seed
from bot.slack.views.proposal import MAX_WORDS as MOST_APPROVAL_WORDS
from tests.messages.pictures import take_all
from tests.messages.words import text_of, words_of

TAKEOVER_SECONDS = 4.0


class Counted(NamedTuple):
    """One played fault: words before Details, 0 where there was no such message, and lines that say what is not so."""

    fault: str
    card: int
    triage: int
    approval: int
    wrong: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("count", "pictures", "all"), default="all")
    parser.add_argument("--seeds", default=f"1..{len(FAULTS)}", help="first..last; nine in a row meet every fault")
    chosen = parser.parse_args()
    console = Console()
    if chosen.what in ("pictures", "all"):
        console.print(f"docs/messages: {', '.join(take_all())}")
    if chosen.what == "pictures":
        return 0
    first, _, last = chosen.seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    return report(console, [count(seed) for seed in track(seeds, "Playing", console=console)])


def count(seed: int) -> Counted:
    """The messages of one fault once its proposal stands, or its causes where there is none."""
    with DemoProcesses(seed=seed, model=False) as stage:
        player = Player(stage.client, stage.access["control"])
        stage.break_something()
        triage = player.wait("triage:", holds="*TRIAGED*", seconds=90)
        player.wait("proposal:", seconds=15 if triage else 1)
        time.sleep(TAKEOVER_SECONDS)
        shown = [next(iter(player.by_key(prefix)), None) for prefix in ("card:", "triage:", "proposal:")]
    texts = [line for message in shown if message for line in text_of(_blocks(message)).splitlines()]
    return Counted(
        fault_of_seed(seed).name, *(words_of(_blocks(message)) if message else 0 for message in shown), _wrong(texts)
    )


def _blocks(message: Message) -> list[dict[str, object]]:
    return list(message.get("blocks") or [])  # type: ignore[call-overload]


def _wrong(lines: list[str]) -> list[str]:
    """What needs no more than the text to be seen: no change at all, a broken link, more than one onset."""
    onsets = {at for line in lines for at in re.findall(r"left the normal range at (\d\d:\d\d:\d\d)", line)}
    several = [f"{len(onsets)} onsets"] if len(onsets) > 1 else []
    return [line for line in lines if rounds_to_nothing(line) or "hxxp" in line] + several


def report(console: Console, rows: list[Counted]) -> int:
    table = Table("fault", "words: card", "triage", "approval", "wrong lines")
    for row in rows:
        table.add_row(row.fault, str(row.card), str(row.triage), str(row.approval or "-"), "; ".join(row.wrong) or "0")
    console.print(table)
    triage, approval = max(row.triage for row in rows), max(row.approval for row in rows)
    console.print(f"words before Details, worst triage: {triage} (at most {MAX_WORDS})")
    console.print(f"words before Details, worst approval: {approval} (at most {MOST_APPROVAL_WORDS})")
    good = triage <= MAX_WORDS and approval <= MOST_APPROVAL_WORDS and all(row.triage and not row.wrong for row in rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
