"""Runbooks of the Prometheus operator (Apache-2.0): which one belongs to an alert, with its name hidden and with its name?

`DIR` holds `<name>.docs.jsonl.gz`, `<name>.queries.jsonl` and, for figures, `<name>.labels.json`. The documents are laid
out as a folder of Markdown files and searched by the reader that the bot uses.
"""

import asyncio
import gzip
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.monitoring.runbooks import RunbookFolder
from tests.evaluation.figures import Answer, write_details

SIMPLE = "simple baseline as the set documents it, name hidden: TF-IDF R@1 0.796, R@3 0.932, MRR 0.867"
PUBLISHED = "published best: none, the set was put together from public rules and runbooks"
_WORD = re.compile(r"[a-z0-9]+")

Ranks = Mapping[str, Sequence[str]]
"""Query to ids of documents, best first."""


@dataclass(frozen=True)
class RunbookSet:
    """One set: documents by id, the queries' rows, and the right id of each query (empty if there are no labels)."""

    name: str
    documents: Mapping[str, str]
    queries: Sequence[Mapping[str, Any]]
    labels: Mapping[str, str]


def evaluate(data: Path, out: Path) -> None:
    """Rank all documents for each query; write the ranks with names hidden, print figures of both modes."""
    answers: dict[str, Sequence[str]] = {}
    for runbook_set in read_runbook_sets(data):
        hidden = {id: without(runbook_set.documents, text) for id, text in runbook_set.documents.items()}
        hits_hidden = asyncio.run(hits_of(hidden, runbook_set, lambda row: row["text_without_name"], named=False))
        named = asyncio.run(
            hits_of(runbook_set.documents, runbook_set, lambda row: f"{row['alertname']}\n{row['text']}", named=True)
        )
        simple = {row["id"]: tf_idf(hidden, row["text_without_name"]) for row in runbook_set.queries}
        answers |= hits_hidden
        if runbook_set.labels:
            print(figures(f"{runbook_set.name}, name hidden: Tocsin", hits_hidden, runbook_set.labels))
            print(figures(f"{runbook_set.name}, name hidden: simple baseline, TF-IDF", simple, runbook_set.labels))
            print(figures(f"{runbook_set.name}, exact name: Tocsin", named, runbook_set.labels))
            print(SIMPLE, PUBLISHED, sep="\n")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(answers, indent=1), encoding="utf-8")
    write_details({id: Answer(ranked[:10]) for id, ranked in answers.items()})


def read_runbook_sets(data: Path) -> list[RunbookSet]:
    """The sets in one folder."""
    sets = []
    for path in sorted(data.glob("*.docs.jsonl.gz")):
        name = path.name.removesuffix(".docs.jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            documents = {row["id"]: row["text"] for row in map(json.loads, file)}
        queries = [json.loads(line) for line in (data / f"{name}.queries.jsonl").read_text(encoding="utf-8").splitlines()]
        labels = data / f"{name}.labels.json"
        truth = json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else {}
        sets.append(RunbookSet(name, documents, queries, truth))
    return sets


def without(names: Mapping[str, str], text: str) -> str:
    """The text without any of the names, the longest first, since some hold others."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


async def hits_of(
    documents: Mapping[str, str], runbook_set: RunbookSet, query: Callable[[Mapping[str, Any]], str], *, named: bool
) -> dict[str, list[str]]:
    """What the bot's own reader answers; with `named=False` the files' names tell nothing."""
    with tempfile.TemporaryDirectory() as folder:
        files = {(id if named else f"{place:04}"): id for place, id in enumerate(sorted(documents))}
        for name, id in files.items():
            (Path(folder) / f"{name}.md").write_text(documents[id], encoding="utf-8")
        reader = RunbookFolder(Path(folder))
        hits = {row["id"]: await reader.search(query(row), limit=len(documents)) for row in runbook_set.queries}
    return {id: [files[hit.id] for hit in ranked] for id, ranked in hits.items()}


def tf_idf(documents: Mapping[str, str], text: str) -> list[str]:
    """The simple baseline: cosine of word counts times inverse document frequency."""
    counts = {id: Counter(_WORD.findall(document.lower())) for id, document in documents.items()}
    holders = Counter(word for words in counts.values() for word in words)
    rarity = {word: math.log((1 + len(counts)) / (1 + many)) + 1 for word, many in holders.items()}
    query = Counter(_WORD.findall(text.lower()))

    def cosine(words: Mapping[str, int]) -> float:
        dot = sum(often * words[word] * rarity[word] ** 2 for word, often in query.items() if word in words)
        return dot / math.sqrt(sum((often * rarity[word]) ** 2 for word, often in words.items())) if dot else 0.0

    return sorted(counts, key=lambda id: (-cosine(counts[id]), id))


def figures(name: str, ranks: Ranks, labels: Mapping[str, str]) -> str:
    """One line: R@1, R@3 and MRR."""
    places = [ranks[id].index(truth) + 1 if truth in ranks[id] else 0 for id, truth in labels.items() if id in ranks]
    many = max(1, len(places))
    first, three = (sum(0 < place <= k for place in places) / many for k in (1, 3))
    mrr = sum(1 / place for place in places if place) / many
    return f"{name} (n {len(places)}): R@1 {first:.3f}, R@3 {three:.3f}, MRR {mrr:.3f}"
