"""How far it reaches: which services are affected by what was measured, and which services call one another."""

import re
from collections.abc import Sequence

from bot.core.evidence import LedgerEntry
from bot.core.questions.parsing.topics import named_in_order
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.state_answers import SYMPTOM_FAMILIES
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import counted, one_line
from bot.core.tuning import TUNING

_EXTENT = re.compile(
    r"\bblast\s+radius\b|\bwhat\s+is\s+the\s+(?:impact|scope|extent)\b|\bhow\s+(?:far|wide)\b"
    r"|\b(?:what|which|who)\s+(?:(?:all|else|other)\s+)*(?:(?:services?|components?|systems?|apps?)\s+)?(?:is|are|was|were)\s+(?:\w+\s+)?"
    r"(?:affected|hit|impacted|down|failing|suffering|hurt|in\s+trouble)\b"
    r"|\b(?:just|only)\s+[\w.-]+\s+or\s+(?:everything|all|more|others?|everyone)\b",
    re.IGNORECASE,
)
_VERB_OF_CALLS = r"(?:calls?|depends?\s+on|uses?|talks?\s+to|needs?|relies\s+on|rely\s+on)"
_CALLS = re.compile(
    rf"^\W*(?:\w+\s+)?(?:does|do|did)\b[^?]*\b{_VERB_OF_CALLS}\b",
    re.IGNORECASE,
)


_IT = re.compile(r"\b(?:it|this|that)\b", re.IGNORECASE)
_WHAT_IT_CALLS = re.compile(
    rf"^\W*(?:what|who|which\s+\w+)\s+(?:all\s+)?(?:does|do|did)\s+[\w.-]+\s+(?:all\s+)?{_VERB_OF_CALLS}\W*$", re.IGNORECASE
)
_WHAT_CALLS_IT = re.compile(
    rf"^\W*(?:what|who|which)\s+(?:(?:all|else|other|services?|apps?|systems?)\s+)*{_VERB_OF_CALLS}\s+[\w.-]+\W*$",
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
    graph = _graph(reading)
    if caller not in graph:
        return unknown(f"what {caller} calls was not checked", ids_of(reading.failed))
    entry, called = graph[caller]
    text = f"{caller} calls {', '.join(called) or 'no known service'}"
    if other in called:
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id])
    return unknown(one_line(text, MAX_TEXT), [entry.id], opening="No such call is recorded:")


def what_it_calls(reading: QuestionReading) -> ShortAnswer | None:
    """What a service calls, or what calls it, by the graph; of the alerting one where none is named."""
    own = [reading.facts.own_service] if reading.facts.own_service and _IT.search(reading.question) else []
    named = named_in_order(reading.question, reading.facts.names) or own
    callees, callers = _WHAT_IT_CALLS.search(reading.question), _WHAT_CALLS_IT.search(reading.question)
    if len(named) != 1 or not (callees or callers):
        return None
    service, graph = named[0], _graph(reading)
    if callees:
        entries = [entry for name, (entry, _) in graph.items() if name == service]
        others = list(graph[service][1]) if entries else []
    else:
        others = [name for name, (_, called) in graph.items() if service in called]
        entries = [graph[name][0] for name in others or graph]
    if not entries:
        return unknown(f"what {f'{service} calls' if callees else f'calls {service}'} was not checked", ids_of(reading.failed))
    nothing = "no known service" if callees else f"none of the {counted(len(graph), 'service')} that were looked up"
    text = f"{service} {'calls' if callees else 'is called by'} {', '.join(others) or nothing}"
    return unknown(one_line(text, MAX_TEXT), ids_of(entries), opening="By the dependency graph:")


def _graph(reading: QuestionReading) -> dict[str, tuple[LedgerEntry, Sequence[str]]]:
    """What each service calls that was looked up, and where that stands."""
    return {
        str(entry.arguments.get("service") or ""): (entry, entry.evidence.facts.depends_on)
        for entry in reading.entries
        if entry.evidence.facts.depends_on is not None
    }
