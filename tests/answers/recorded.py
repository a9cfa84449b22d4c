"""The investigations that the answers are about, kept beside this file: `python -m tests.answers` makes them anew."""

import gzip
import json
from functools import cache
from pathlib import Path

from bot.core.evidence import Case, Findings, LedgerEntry
from bot.core.ranking.ranking import rank
from bot.core.verdict.category import categorize
from bot.core.verdict.verdict import judge
from tests.answers.faults import Investigated, all_faults, investigate_fault

PATH = Path(__file__).with_name("investigated.json.gz")
SEEDS = (1, 5)
"""Each fault at the places that these seeds draw."""


def record() -> None:
    """Investigate every fault with the live tools, and keep what they answered."""
    scenes = {f"{fault}/{seed}": _stored(investigate_fault(fault, seed=seed)) for fault in all_faults() for seed in SEEDS}
    # No moment of writing in the file: the same evidence is the same file.
    with gzip.GzipFile(PATH, "wb", mtime=0) as file:
        file.write(json.dumps(scenes, ensure_ascii=False).encode())


@cache
def investigated() -> dict[str, Investigated]:
    """All of them by name; the analyst ranks anew, by the code of now."""
    with gzip.open(PATH, "rt", encoding="utf-8") as file:
        return {name: _loaded(stored) for name, stored in json.load(file).items()}


def _stored(one: Investigated) -> dict[str, object]:
    return {
        "case": one.case.model_dump(mode="json"),
        "now": one.now.isoformat(),
        "ledger": [entry.model_dump(mode="json") for entry in one.ledger],
        "truth": dict(one.truth),
        "services": list(one.services),
    }


def _loaded(stored: dict[str, object]) -> Investigated:
    case = Case.model_validate(stored["case"])
    entries = stored["ledger"]
    assert isinstance(entries, list)
    ledger = [LedgerEntry.model_validate(entry) for entry in entries]
    now = max(entry.at for entry in ledger)
    findings = judge(categorize(rank(case, ledger, now=now), case, ledger), ledger, case=case)
    truth, services = stored["truth"], stored["services"]
    assert isinstance(truth, dict) and isinstance(services, list)
    return Investigated(case, now, ledger, Findings.model_validate(findings.model_dump()), truth, services)
