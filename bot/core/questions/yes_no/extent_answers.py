"""How far it reaches: which services are affected by what was measured, and whether one service calls another."""

import re

from bot.core.questions.topics import named_in_order
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.state_answers import SYMPTOM_FAMILIES
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING

_EXTENT = re.compile(
    r"\bblast\s+radius\b|\bwhat\s+is\s+the\s+(?:impact|scope|extent)\b|\bhow\s+(?:far|wide)\b"
    r"|\b(?:what|which|who)\s+(?:(?:all|else|other)\s+)*(?:(?:services?|components?|systems?|apps?)\s+)?(?:is|are|was|were)\s+(?:\w+\s+)?"
    r"(?:affected|hit|impacted|down|failing|suffering|hurt|in\s+trouble)\b"
    r"|\b(?:just|only)\s+[\w.-]+\s+or\s+(?:everything|all|more|others?|everyone)\b",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"^\W*(?:\w+\s+)?(?:does|do|did)\b[^?]*\b(?:calls?|depends?\s+on|uses?|talks?\s+to|needs?|relies\s+on|rely\s+on)\b",
    re.IGNORECASE,
)


def affected_services(reading: QuestionReading) -> ShortAnswer | None:
    """The services whose callers met trouble, the strongest first, and those that are as usual; None for another question."""
    if not _EXTENT.search(reading.question):
        return None
    strongest: dict[str, float] = {}
    judged = list(reading.judged())
    for _, fact in judged:
        moved = fact.doublings if fact.family in SYMPTOM_FAMILIES else 0.0
        strongest[fact.service] = max(strongest.get(fact.service, 0.0), moved)
    if not strongest:
        return unknown("no service was measured", ids_of(reading.failed))
    affected = [
        name for name in sorted(strongest, key=lambda name: -strongest[name]) if strongest[name] >= TUNING.confidence.sure
    ]
    usual = sorted(strongest.keys() - set(affected))
    parts = (
        ", ".join(affected) or "none of those that were checked",
        f"little or no trouble: {', '.join(usual)}" if usual else "",
        "not all could be checked" if reading.failed else "",
    )
    over = " (while it fired)" if reading.facts.is_over else ""
    text = one_line("; ".join(filter(None, parts)), MAX_TEXT)
    return unknown(text, ids_of(entry for entry, fact in judged if fact.service in affected), opening=f"Affected{over}:")


def whether_it_calls(reading: QuestionReading) -> ShortAnswer | None:
    """Whether one service calls another by the graph; what it calls where the other is not among them."""
    named = named_in_order(reading.question, reading.facts.names)
    if len(named) != 2 or not _CALLS.search(reading.question):
        return None
    caller, other = named
    lists = [entry for entry in reading.entries if str(entry.arguments.get("service") or "") == caller]
    graphs = [(entry, entry.evidence.facts.depends_on) for entry in lists if entry.evidence.facts.depends_on is not None]
    if not graphs:
        return unknown(f"what {caller} calls was not checked", ids_of(reading.failed))
    entry, called = graphs[-1]
    text = f"{caller} calls {', '.join(called or ()) or 'no known service'}"
    if other in (called or ()):
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id])
    return unknown(one_line(text, MAX_TEXT), [entry.id], opening="No such call is recorded:")
