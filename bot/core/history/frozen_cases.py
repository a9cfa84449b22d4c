"""Frozen cases: what a closed incident looked like to the tools, and how right an answer about it was."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bot.core.evidence import Case, Evidence, Findings, LedgerEntry, entry_or_failure
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line

Grade = Literal["right", "near", "wrong", "abstained"]
GRADES: tuple[Grade, ...] = ("right", "near", "wrong", "abstained")
NEAR_MISS = 3
"""Hypotheses among which the right service counts as near."""
_NO_ANSWER = frozenset({"unlikely", "unsupported"})


def _readable(transcripts: Iterable[Any]) -> tuple[LedgerEntry, ...]:
    """One entry that cannot be read is a check that failed; the others of its case still tell."""
    return tuple(one if isinstance(one, LedgerEntry) else entry_or_failure(one) for one in transcripts)


class FrozenCase(BaseModel):
    """A closed incident as it was seen, without secrets, with what a person said it was."""

    model_config = ConfigDict(frozen=True)

    ref: str
    """`INC-3`."""
    asked: Case
    transcripts: Annotated[tuple[LedgerEntry, ...], BeforeValidator(_readable)]
    """Every look with its answer, oldest first."""
    answered: Findings
    """What was found at that time."""
    truth: ConfirmedCause
    at: datetime
    """When it was frozen."""

    @property
    def moment(self) -> datetime:
        """The moment at which it was looked at: of the last look."""
        return max((entry.at for entry in self.transcripts), default=self.asked.started_at)

    def answer(self, tool: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> Evidence | None:
        """What this look saw, the last time it was made; None if it was never made."""
        wanted = _canonical(arguments, defaults)
        found = [e for e in self.transcripts if e.tool == tool and _canonical(e.arguments, defaults) == wanted]
        return found[-1].evidence if found else None

    def looks(self, tool: str) -> list[str]:
        """With which arguments a tool was asked, for whoever asks otherwise."""
        asked = (json.dumps(entry.arguments, ensure_ascii=False) for entry in self.transcripts if entry.tool == tool)
        return list(dict.fromkeys(one_line(one, 120) for one in asked))


def _canonical(arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    return json.dumps(scrubbed({**defaults, **arguments}), sort_keys=True, default=str)


def scrubbed(node: Any, clean: Callable[[str], str] = redact) -> Any:
    """Plain JSON with secrets masked in every text; keys stay."""
    if isinstance(node, str):
        return clean(node)
    if isinstance(node, Mapping):
        return {key: scrubbed(value, clean) for key, value in node.items()}
    return [scrubbed(item, clean) for item in node] if isinstance(node, list | tuple) else node


def grade(findings: Findings, truth: ConfirmedCause) -> Grade | None:
    """How right an answer is; None where the person's words name no service to compare with.

    right: the first hypothesis names the service, and the change where one was confirmed. near: the service stands among
    the first NEAR. abstained: nothing was called likely or possible.
    """
    if not truth.service:
        return None
    named = [h for h in findings.hypotheses if h.confidence not in _NO_ANSWER]
    if not named:
        return "abstained"
    first = named[0]
    if first.service == truth.service and truth.change_id in ("", first.change_id):
        return "right"
    return "near" if any(h.service == truth.service for h in named[:NEAR_MISS]) else "wrong"


class Scorecard(BaseModel):
    """How one investigator did over several cases."""

    model_config = ConfigDict(frozen=True)

    name: str
    n: int
    """Cases that could be marked."""
    marks: dict[str, int]
    likely: int = 0
    """First hypotheses called likely, and how many of them were right."""
    likely_right: int = 0
    usd: float = 0.0
    unmarked: int = 0
    """Cases whose confirmed cause names no service."""


def scorecard(name: str, answers: Iterable[tuple[Findings, ConfirmedCause]]) -> Scorecard:
    """Count the marks of one investigator's answers."""
    answers = list(answers)
    marked = [(findings, found) for findings, truth in answers if (found := grade(findings, truth)) is not None]
    sure = [found for findings, found in marked if findings.hypotheses and findings.hypotheses[0].confidence == "likely"]
    return Scorecard(
        name=name,
        n=len(marked),
        marks=dict(Counter(found for _, found in marked)),
        likely=len(sure),
        likely_right=sure.count("right"),
        usd=round(sum(findings.usd for findings, _ in answers), 4),
        unmarked=len(answers) - len(marked),
    )


def scorecard_text(scorecard: Scorecard) -> str:
    """`12 incidents: 8 right, 2 near, 1 wrong, 1 abstained; called likely 6, of which right 6; $0.31`."""
    counted = ", ".join(f"{scorecard.marks.get(word, 0)} {word}" for word in GRADES)
    sure = f"; called likely {scorecard.likely}, of which right {scorecard.likely_right}" if scorecard.likely else ""
    left = f"; {scorecard.unmarked} more whose cause names no service" if scorecard.unmarked else ""
    return f"{scorecard.n} {'incident' if scorecard.n == 1 else 'incidents'}: {counted}{sure}{left}; ${scorecard.usd:.2f}"
