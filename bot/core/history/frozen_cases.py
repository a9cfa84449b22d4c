"""Frozen cases: the recorded tool calls of a closed incident, and how right an answer about it is."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeVar, overload

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from bot.core.evidence import Case, Evidence, Findings, LedgerEntry, entry_or_failure
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.redaction.redaction import redact
from bot.core.text.untrusted import one_line

V = TypeVar("V")
Grade = Literal["right", "near", "wrong", "abstained"]
GRADES: tuple[Grade, ...] = ("right", "near", "wrong", "abstained")
NEAR_MISS = 3
"""Hypotheses among which the right service counts as near."""
_NO_ANSWER = frozenset({"unlikely", "unsupported"})


def _readable(transcripts: Iterable[LedgerEntry | Mapping[str, object]]) -> tuple[LedgerEntry, ...]:
    """An entry that cannot be read becomes a failed check; the other entries of its case still count."""
    return tuple(
        transcript if isinstance(transcript, LedgerEntry) else entry_or_failure(transcript) for transcript in transcripts
    )


class FrozenCase(BaseModel):
    """The record of a closed incident, without secrets, with the cause that a person confirmed."""

    model_config = ConfigDict(frozen=True)

    ref: str
    """`INC-3`."""
    case: Case = Field(validation_alias=AliasChoices("case", "asked"))
    entries: Annotated[tuple[LedgerEntry, ...], BeforeValidator(_readable)] = Field(
        validation_alias=AliasChoices("entries", "transcripts")
    )
    """Every tool call with its result, oldest first."""
    findings: Findings = Field(validation_alias=AliasChoices("findings", "answered"))
    """The answer at that time."""
    confirmed: ConfirmedCause = Field(validation_alias=AliasChoices("confirmed", "truth"))
    at: datetime
    """When it was frozen."""

    @property
    def moment(self) -> datetime:
        """The moment of the last tool call."""
        return max((entry.at for entry in self.entries), default=self.case.started_at)

    def answer(self, tool: str, arguments: Mapping[str, object], defaults: Mapping[str, object]) -> Evidence | None:
        """The evidence of the last tool call with these arguments; None if there was none."""
        key = _canonical(arguments, defaults)
        calls = [e for e in self.entries if e.tool == tool and _canonical(e.arguments, defaults) == key]
        return calls[-1].evidence if calls else None

    def recorded_arguments(self, tool: str) -> list[str]:
        """The arguments of the tool's recorded calls, as a hint for calls with others."""
        arguments = (json.dumps(entry.arguments, ensure_ascii=False) for entry in self.entries if entry.tool == tool)
        return list(dict.fromkeys(one_line(argument, 120) for argument in arguments))


def _canonical(arguments: Mapping[str, object], defaults: Mapping[str, object]) -> str:
    return json.dumps(scrubbed({**defaults, **arguments}), sort_keys=True, default=str)


@overload
def scrubbed(node: str, clean: Callable[[str], str] = redact) -> str: ...
@overload
def scrubbed(node: Mapping[str, V], clean: Callable[[str], str] = redact) -> dict[str, V]: ...
@overload
def scrubbed(node: object, clean: Callable[[str], str] = redact) -> object: ...
def scrubbed(node: object, clean: Callable[[str], str] = redact) -> object:
    """Plain JSON with secrets masked in every text; keys stay."""
    if isinstance(node, str):
        return clean(node)
    if isinstance(node, Mapping):
        return {key: scrubbed(value, clean) for key, value in node.items()}
    return [scrubbed(item, clean) for item in node] if isinstance(node, list | tuple) else node


def grade(findings: Findings, confirmed: ConfirmedCause) -> Grade | None:
    """How right an answer is; None where the person's words name no service to compare with.

    right: the first hypothesis names the service, and the change where one was confirmed. near: the service stands among
    the first NEAR_MISS. abstained: nothing was called likely or possible.
    """
    if not confirmed.service:
        return None
    named = [h for h in findings.hypotheses if h.confidence not in _NO_ANSWER]
    if not named:
        return "abstained"
    first = named[0]
    if first.service == confirmed.service and confirmed.change_id in ("", first.change_id):
        return "right"
    return "near" if any(h.service == confirmed.service for h in named[:NEAR_MISS]) else "wrong"


class Scorecard(BaseModel):
    """How one investigator did over several cases."""

    model_config = ConfigDict(frozen=True)

    name: str
    n: int
    """Cases that could be graded."""
    grades: dict[str, int]
    likely: int = 0
    """First hypotheses called likely, and how many of them were right."""
    likely_right: int = 0
    usd: float = 0.0
    ungraded: int = 0
    """Cases whose confirmed cause names no service."""


def scorecard(name: str, answers: Iterable[tuple[Findings, ConfirmedCause]]) -> Scorecard:
    """Count the grades of one investigator's answers."""
    answers = list(answers)
    graded = [(findings, result) for findings, cause in answers if (result := grade(findings, cause)) is not None]
    likely = [result for findings, result in graded if findings.likely_cause]
    return Scorecard(
        name=name,
        n=len(graded),
        grades=dict(Counter(result for _, result in graded)),
        likely=len(likely),
        likely_right=likely.count("right"),
        usd=round(sum(findings.usd for findings, _ in answers), 4),
        ungraded=len(answers) - len(graded),
    )


def scorecard_text(scorecard: Scorecard) -> str:
    """`12 incidents: 8 right, 2 near, 1 wrong, 1 abstained; called likely 6, of which right 6; $0.31`."""
    counted = ", ".join(f"{scorecard.grades.get(word, 0)} {word}" for word in GRADES)
    sure = f"; called likely {scorecard.likely}, of which right {scorecard.likely_right}" if scorecard.likely else ""
    left = f"; {scorecard.ungraded} more whose cause names no service" if scorecard.ungraded else ""
    return f"{scorecard.n} {'incident' if scorecard.n == 1 else 'incidents'}: {counted}{sure}{left}; ${scorecard.usd:.2f}"
