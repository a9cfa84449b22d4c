"""How much of right answers is kept, and how often a wrong one is called likely."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.core.evidence import Findings
from bot.core.verdict.merging import merge
from bot.core.verdict.verdict import judge
from tests.answers import false_answers, false_wordings, true_answers, true_wordings
from tests.answers.faults import Investigated
from tests.answers.reading import Reading
from tests.answers.recorded import investigated

WANTED = 60
"""Answers of each corpus."""
WRITTEN = Path(__file__).with_name("written.jsonl")
"""Answers that were written one by one, in several styles, before anybody had seen how they are judged."""


@dataclass(frozen=True)
class Answered:
    """One answer of one corpus about one investigation."""

    name: str
    of: Investigated
    answer: Findings


@dataclass(frozen=True)
class Judged:
    """One answer after the verdict, alone and merged with the analyst's."""

    answered: Answered
    alone: Findings
    merged: Findings

    @property
    def sentences(self) -> int:
        """Claims of the answer."""
        return sum(1 for _ in _texts(self.answered.answer))

    @property
    def changed(self) -> list[str]:
        """Sentences that do not stand as they were written."""
        kept = set(_texts(self.alone))
        return [text for text in _texts(self.answered.answer) if text not in kept]

    @property
    def likely(self) -> bool:
        """Whether its first cause is called likely, judged alone."""
        return any(h.confidence == "likely" for h in self.alone.hypotheses)

    @property
    def whole(self) -> bool:
        """Whether every sentence stands and the first cause is likely."""
        return self.likely and not self.changed

    @property
    def shown_likely(self) -> bool:
        """Whether a cause that the model alone names is called likely after the merge."""
        return any(h.confidence == "likely" and getattr(h, "named_by", "agent") == "agent" for h in self.merged.hypotheses)


def _texts(findings: Findings) -> Iterator[str]:
    for hypothesis in findings.hypotheses:
        yield from (hypothesis.cause, *(claim.text for claim in hypothesis.claims))
    yield from (claim.text for claim in findings.ruled_out)


def corpus(styles: Mapping[str, Callable[[Reading], Findings]]) -> list[Answered]:
    """`WANTED` answers, in turn over the faults, so that each fault has its share."""
    answers = []
    for name, one in investigated().items():
        for style, write in styles.items():
            answers.append((style, name, one, write))
    # By place: the first seed of each fault has all styles, the second fills up.
    answers.sort(key=lambda a: (a[1].rpartition("/")[2], list(styles).index(a[0])))
    return [Answered(f"{name} {style}", one, write(Reading(name, one))) for style, name, one, write in answers[:WANTED]]


def true_corpus() -> list[Answered]:
    """Right answers."""
    return corpus(true_answers.STYLES)


def false_corpus() -> list[Answered]:
    """Wrong answers."""
    return corpus(false_answers.STYLES)


def written_corpus(files: Iterable[Path], *, right: bool) -> list[Answered]:
    """Answers of lines of JSON: `{"id", "investigation", "right", "answer"}`."""
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Answered(row["id"], investigated()[row["investigation"]], Findings.model_validate({"by": "agent", **row["answer"]}))
        for row in rows
        if row["right"] is right
    ]


def true_wordings_corpus() -> list[Answered]:
    """Right answers in further wordings, each over two faults in turn."""
    return _in_turn(true_wordings.STYLES)


def wrong_causes_corpus() -> list[Answered]:
    """Wrong causes with sentences that are true, each over two faults in turn."""
    return _in_turn(false_wordings.WRONG_CAUSES)


def false_sentences_corpus() -> list[Answered]:
    """Right causes whose first sentence is false, each over two faults in turn."""
    return _in_turn(false_wordings.FALSE_SENTENCES)


def _in_turn(styles: Mapping[str, Callable[[Reading], Findings]]) -> list[Answered]:
    answers = []
    names = list(investigated())
    for place, (style, write) in enumerate(styles.items()):
        for name in (names[2 * place % len(names)], names[(2 * place + 7) % len(names)]):
            one = investigated()[name]
            answers.append(Answered(f"{name} {style}", one, write(Reading(name, one))))
    return answers


def judged(answers: Sequence[Answered]) -> list[Judged]:
    """Each as the workflow would judge it, alone and merged."""
    return [
        Judged(
            one,
            judge(one.answer, one.of.ledger),
            merge(one.answer, one.of.findings, one.of.case, one.of.ledger, now=one.of.now),
        )
        for one in answers
    ]


def figures(true: Sequence[Judged], false: Sequence[Judged]) -> str:
    """The figures in two lines."""
    whole, likely = sum(one.whole for one in true), sum(one.likely for one in true)
    sentences, changed = sum(one.sentences for one in true), sum(len(one.changed) for one in true)
    wrong, shown = sum(one.likely for one in false), sum(one.shown_likely for one in false)
    return (
        f"right answers (n {len(true)}): kept whole {whole / len(true):.2f}, likely {likely / len(true):.2f}; "
        f"sentences (n {sentences}) kept as written {1 - changed / sentences:.3f}\n"
        f"wrong answers (n {len(false)}): called likely {wrong}, and after the merge {shown}"
    )
