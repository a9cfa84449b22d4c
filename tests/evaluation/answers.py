"""Written answers of a model over the sandbox's faults: are right ones kept whole, is a wrong one ever called likely?

The corpora of `tests/answers`, or those under `--data`: lines of JSON files, `{"id", "investigation" ("bad-deploy/1"), "right"
(true or false), "answer" (hypotheses, ruled_out; evidence ids as `tests/answers/investigated.json.gz` holds them)}`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.answers.scoring import (
    WRITTEN,
    Answered,
    Judged,
    false_corpus,
    figures,
    judged,
    true_corpus,
    written_corpus,
)


def evaluate(data: Path, out: Path) -> None:
    """Judge each corpus, alone and merged with the analyst's answer; print the figures and what went wrong."""
    files = sorted(data.rglob("*.jsonl")) if data.is_dir() else [data]
    corpora = [(written_corpus(files, right=True), written_corpus(files, right=False))]
    if files == [WRITTEN]:
        corpora.insert(0, (true_corpus(), false_corpus()))
    answers = [answer for right, wrong in corpora for answer in _judge(right, wrong)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({one.answered.name: _shown(one) for one in answers}, indent=1), encoding="utf-8")


def _judge(right: Sequence[Answered], wrong: Sequence[Answered]) -> list[Judged]:
    kept, blamed = judged(right), judged(wrong)
    print(figures(kept, blamed))
    for line in _misses(kept, blamed):
        print(line)
    return [*kept, *blamed]


def _misses(kept: Sequence[Judged], blamed: Sequence[Judged]) -> Iterator[str]:
    for one in kept:
        if not one.whole:
            yield f"  right, not kept: {one.answered.name}: {one.alone.dropped}"
    for one in blamed:
        if one.likely or one.shown_likely:
            yield f"  wrong, called likely: {one.answered.name}"


def _shown(one: Judged) -> dict[str, object]:
    causes = [(h.confidence, h.cause) for h in one.alone.hypotheses]
    return {"causes": causes, "dropped": one.alone.dropped, "merged": [(h.confidence, h.cause) for h in one.merged.hypotheses]}
