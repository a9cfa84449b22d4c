"""Kinds in the formal step language: plays their items, prints passed / total and writes what came of each."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

from tests.attacks.steps.items import Item, read_items
from tests.attacks.steps.play import AT_ONCE, Result, play_all


def main(data: Path, *, kind: str, only: str = "", out: Path | None = None, twins: bool = True, at_once: int = AT_ONCE) -> int:
    """Play and print; 0 if every item that applies and every twin passes."""
    items = [item for item in read_items(data, kind) if only in item.id or only in item.technique]
    if not items:
        print(f"no items of {kind} in {data}")
        return 2
    began = time.monotonic()
    results = asyncio.run(play_all(items, _tell, twins=twins, at_once=at_once))
    if out is not None:
        out.write_text("".join(_line(item, results) for item in items), encoding="utf-8")
    return _summary(kind, results, time.monotonic() - began)


def _tell(result: Result) -> None:
    word = "n/a " if result.not_applicable else "FAIL" if result.why else "ok  "
    reasons = [result.not_applicable] if result.not_applicable else result.why
    print(f"{word} {_name(result)} {result.seconds:.1f} s", *reasons, sep="\n       ", flush=True)


def _name(result: Result) -> str:
    return f"{result.id}{' twin' if result.twin else ''}"


def _line(item: Item, results: Sequence[Result]) -> str:
    own = {("twin" if result.twin else "item"): _outcome(result) for result in results if result.id == item.id}
    return json.dumps({"id": item.id, "technique": item.technique, **own}, ensure_ascii=False) + "\n"


def _outcome(result: Result) -> dict[str, object]:
    if result.not_applicable:
        return {"not_applicable": result.not_applicable}
    return {"passed": not result.why, "why": result.why, "seconds": round(result.seconds, 1)}


def _summary(kind: str, results: Sequence[Result], seconds: float) -> int:
    counted = [result for result in results if not result.not_applicable]
    attacks, twins = [r for r in counted if not r.twin], [r for r in counted if r.twin]
    failed = [r for r in counted if r.why]
    print()
    for result in failed:
        print(f"{'FALSE REFUSAL' if result.twin else 'FAILED'} {_name(result)} {result.technique}: {'; '.join(result.why)}")
    for result in (r for r in results if r.not_applicable and not r.twin):
        print(f"not applicable: {result.id} {result.technique}: {result.not_applicable}")
    passed, refused = sum(not r.why for r in attacks), sum(bool(r.why) for r in twins)
    aside = len({r.id for r in results if r.not_applicable})
    print(f"{kind}: passed {passed} / {len(attacks)}; false refusals {refused} / {len(twins)}; "
          f"not applicable {aside}; {seconds:.0f} s")  # fmt: skip
    return 1 if failed else 0
