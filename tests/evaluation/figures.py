"""Figures of ranked answers: how often the truth stands first or among three, and what confidence was worth."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from bot.core.evidence import Findings, Hypothesis

DETAILS: ContextVar[Path | None] = ContextVar("details", default=None)
"""Where the details of the answers go (`--details`); None for nowhere."""


@dataclass(frozen=True)
class Answer:
    """What was answered about one incident, the likeliest first, and whether the first was called likely."""

    ranked: Sequence[str]
    likely: bool = False
    changes: Sequence[str] = ()
    """The changes that are named as causes, in their order; "" stands for a cause that is no change."""
    confidence: str = "none"
    """Of the first cause; "none" where no cause is named or nothing carries it."""
    seconds: float = 0.0

    @classmethod
    def of(cls, findings: Findings) -> "Answer":
        """The services of the hypotheses in their order, each once."""
        services = [h.service for h in findings.hypotheses if h.service]
        return cls.named(list(dict.fromkeys(services)), findings)

    @classmethod
    def named(cls, ranked: Sequence[str], findings: Findings) -> "Answer":
        """The same with names of the set's own for what is at fault."""
        first = findings.hypotheses[0].confidence if findings.hypotheses else "none"
        changes = [change_of(hypothesis) for hypothesis in findings.hypotheses]
        confidence = "none" if first == "unsupported" else first
        return cls(ranked, first == "likely", changes, confidence, findings.seconds)

    @property
    def change(self) -> str:
        """The change that the first cause names; "" for none."""
        return self.changes[0] if self.changes else ""

    def details(self) -> dict[str, object]:
        """As `--details` writes it."""
        return {
            "ranked": list(self.ranked),
            "change": self.change,
            "changes": list(dict.fromkeys(filter(None, self.changes))),
            "confidence": self.confidence,
            "seconds": self.seconds,
        }


def change_of(hypothesis: Hypothesis) -> str:
    """The commit that a hypothesis names, else the id of its change."""
    return hypothesis.commit or hypothesis.change_id


Truth = Mapping[str, str]
"""Incident to the name that is right."""


def write_answers(answers: Mapping[str, Answer], out: Path) -> None:
    """`{incident: [best, second, ...]}`, as `scoring/score_ranking.py` reads it; the details where `--details` wants them."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({id: list(answer.ranked) for id, answer in answers.items()}, indent=1), encoding="utf-8")
    write_details(answers)


def write_details(answers: Mapping[str, Answer]) -> None:
    """`{incident: {"ranked", "change", "changes", "confidence", "seconds"}}` into the file of `--details`, if one is wanted."""
    if (path := DETAILS.get()) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = {id: answer.details() for id, answer in answers.items()}
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def read_truth(labels: Path, field: str) -> dict[str, str]:
    """`{incident: label[field]}`; empty if the file is absent."""
    if not labels.exists():
        return {}
    return {id: label[field] for id, label in json.loads(labels.read_text(encoding="utf-8")).items()}


def by_system(
    data: Path, incidents: str, field: str, answered: Callable[[Path], dict[str, Answer]]
) -> tuple[dict[str, Answer], dict[str, str]]:
    """Answers and truth of every system under `data` (a folder with this file of incidents); one line is printed for each."""
    answers: dict[str, Answer] = {}
    truth: dict[str, str] = {}
    for folder in sorted(path.parent for path in data.rglob(incidents)):
        own, labels = answered(folder), read_truth(folder / "labels.json", field)
        answers |= own
        truth |= labels
        if labels:
            print(figures_line(folder.name, own, labels), flush=True)
    return answers, truth


def accuracy(answers: Mapping[str, Answer], truth: Truth, k: int) -> float:
    """AC@k: the share of incidents whose truth stands among the first k (case as in the scoring script: ignored)."""
    hits = sum(_same(truth[id]) in [_same(name) for name in answers[id].ranked[:k]] for id in truth if id in answers)
    return hits / max(1, len(truth))


def reciprocal_ranks(answers: Mapping[str, Answer], truth: Truth) -> list[float]:
    """1 over the place at which the truth stands, 0 where it is not named; one for each incident of the truth."""
    places = [[_same(name) for name in answers[id].ranked] if id in answers else [] for id in truth]
    hits = zip(places, map(_same, truth.values()), strict=True)
    return [1 / (names.index(right) + 1) if right in names else 0.0 for names, right in hits]


def figures_line(name: str, answers: Mapping[str, Answer], truth: Truth) -> str:
    """One line: n, AC@1 / AC@3, the share that was called likely and how much of that was right."""
    likely = {id: answer for id, answer in answers.items() if answer.likely and id in truth}
    right = accuracy(likely, {id: truth[id] for id in likely}, 1)
    empty = sum(not answers[id].ranked for id in truth if id in answers) / max(1, len(truth))
    likely_text = f"of those {right:.2f} right" if likely else "none"
    return (
        f"{name} (n {len(truth)}): AC@1 {accuracy(answers, truth, 1):.2f}, AC@3 {accuracy(answers, truth, 3):.2f}; "
        f"likely {len(likely) / max(1, len(truth)):.2f}, {likely_text}; no answer {empty:.2f}"
    )


def _same(name: str) -> str:
    return str(name).strip().lower()
