"""Which tool calls a question needs beyond what was recorded: the current values, or what measures its subject."""

from collections.abc import Iterable, Iterator

from bot.core.changes.late_reports import CHANGE_LOOKBACK_HOURS
from bot.core.evidence import Case
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.parsing.changes_meant import has_span
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.parsing.subjects import MEASURED, Subject, looks_like_database, subjects_in
from bot.core.questions.parsing.topics import named_in, topics_of, without_services
from bot.core.questions.yes_no.question_reading import asks_for_now
from bot.core.tool_calls import ToolRole, Tools, tool_for

MAX_SERVICES = 3
MAX_CALLS = 8

ToolCall = tuple[str, dict[str, object]]
"""A tool and its arguments."""


def current_calls(question: str, facts: AnswerFacts) -> list[ToolCall]:
    """What has to be read anew before the question is answered; nothing where it does not ask for now."""
    if facts.case is None:
        return []
    question = spelled_out(question)
    changes: tuple[ToolRole, dict[str, object]] = (ToolRole.CHANGES, {"service": "", "hours": CHANGE_LOOKBACK_HOURS})
    of_changes = Subject.CHANGE in _subjects(question, facts)
    if _opens(ToolRole.OBJECTIVES, question, facts):
        # What is left of a budget is left now, whatever the tense.
        return _set_up(
            [(ToolRole.OBJECTIVES, {"service": service}) for service in _services(question, facts, facts.case)], facts.tools
        )
    if not asks_for_now(question, facts):
        # "What changed in the last hour?" is of the hour before now, and not before the alert.
        return _set_up([changes], facts.tools) if of_changes and has_span(question) else []
    services = _services(question, facts, facts.case)
    calls: list[tuple[ToolRole, dict[str, object]]] = [(ToolRole.CURRENT, {"service": service}) for service in services]
    calls.append((ToolRole.ALERTS, {"service": ""}))
    if of_changes:
        calls.append(changes)
    return _set_up(calls, facts.tools)


def missing_calls(question: str, facts: AnswerFacts, case: Case) -> list[ToolCall]:
    """What would tell something of the question's subject and was not checked yet."""
    return [
        call for call in _set_up(_of_subject(spelled_out(question), facts, case), facts.tools) if call not in _succeeded(facts)
    ]


def _of_subject(question: str, facts: AnswerFacts, case: Case) -> Iterator[tuple[ToolRole, dict[str, object]]]:
    services, subjects = _services(question, facts, case), _subjects(question, facts)
    if Subject.NETWORK in subjects:
        yield ToolRole.CALL_WAITS, {}
    if Subject.CHANGE in subjects:
        yield ToolRole.CHANGES, {"service": "", "hours": CHANGE_LOOKBACK_HOURS}
    if Subject.ALERTS in subjects:
        yield ToolRole.ALERTS, {"service": ""}
    if Subject.DATABASE in subjects:
        yield ToolRole.DATABASE, {}
        services = [*services, *(name for name in sorted(facts.names) if looks_like_database(name))]
    if _opens(ToolRole.WORKLOAD, question, facts):
        for service in services[:MAX_SERVICES]:
            yield ToolRole.WORKLOAD, {"service": service}
    if subjects & MEASURED or not subjects:
        for service in list(dict.fromkeys(services))[: 2 * MAX_SERVICES]:
            yield ToolRole.HEALTH, {"service": service}


def _opens(role: ToolRole, question: str, facts: AnswerFacts) -> bool:
    """Whether the question is one that the tool of this role answers."""
    return tool_for(facts.tools, role) in topics_of(question, facts.names, facts.tools).tools


def _services(question: str, facts: AnswerFacts, case: Case) -> list[str]:
    named = sorted(named_in(question, facts.names))[:MAX_SERVICES]
    if not named and Subject.DATABASE in _subjects(question, facts):
        named = sorted(filter(looks_like_database, facts.names))[:MAX_SERVICES]
    return named or ([case.service] if case.service else [])


def _subjects(question: str, facts: AnswerFacts) -> frozenset[Subject]:
    return subjects_in(without_services(question, facts.names))


def _set_up(calls: Iterable[tuple[ToolRole, dict[str, object]]], tools: Tools) -> list[ToolCall]:
    named = [(tool_for(tools, role), arguments) for role, arguments in calls]
    return [call for call in named if call[0] in tools][:MAX_CALLS]


def _succeeded(facts: AnswerFacts) -> list[ToolCall]:
    return [(entry.tool, dict(entry.arguments)) for entry in facts.ledger if entry.evidence.ok]
