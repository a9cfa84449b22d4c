"""Log templates (Loghub-2.0, research licence: measured with, never shipped): are lines of one kind put together?

Each system's lines are mined by the code behind `search_logs`. `FILE` is a folder: `<System>.csv` with the columns that
`score_logs.py` reads.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from bot.core.logs.templates import TemplateMiner

SIMPLE = "simple baselines GA / FGA: masking alone 0.363 / 0.480, drain3 as it comes 0.762 / 0.782"
PUBLISHED = "published on this split GA / FGA: Drain 0.844 / 0.826, LogPPT 0.644 / 0.814"


def evaluate(data: Path, out: Path) -> None:
    """Mine every system's lines, write group and template of each, print GA and FGA where the truth lies beside them."""
    out.mkdir(parents=True, exist_ok=True)
    scores: list[tuple[float, float]] = []
    for path in sorted((data / "logs").glob("*.csv.gz")):
        mined = mine_templates([row["Content"] for row in _rows(path)])
        with (out / path.name.removesuffix(".gz")).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("group", "template"), *mined])
        truth = data / "truth" / path.name
        if truth.exists():
            found = grouping([row["EventId"] for row in _rows(truth)], [group for group, _ in mined])
            scores.append(found)
            print(f"{path.name.removesuffix('.csv.gz')}: GA {found[0]:.3f}, FGA {found[1]:.3f}")
    if scores:
        ga, fga = (sum(values) / len(scores) for values in zip(*scores, strict=True))
        print(f"Tocsin, average of {len(scores)} systems: GA {ga:.3f}, FGA {fga:.3f}", SIMPLE, PUBLISHED, sep="\n")


def mine_templates(texts: Sequence[str]) -> list[tuple[int, str]]:
    """The template of each message: its number, and its text as it stands after all messages were read."""
    miner = TemplateMiner(capacity=len(texts))
    tallies = [miner.tally_of(text) for text in texts]
    return [(tally.template.number, tally.text) for tally in tallies]


def grouping(truth: Sequence[Hashable], found: Sequence[Hashable]) -> tuple[float, float]:
    """GA: share of lines whose group holds exactly the right lines. FGA: the same over groups, as F1."""
    right, ours = (_members(labels) for labels in (truth, found))
    exact = [lines for lines in ours.values() if lines in set(right.values())]
    return sum(map(len, exact)) / max(1, len(truth)), 2 * len(exact) / max(1, len(right) + len(ours))


def _members(labels: Sequence[Hashable]) -> dict[Hashable, frozenset[int]]:
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        members[label].append(place)
    return {label: frozenset(places) for label, places in members.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
