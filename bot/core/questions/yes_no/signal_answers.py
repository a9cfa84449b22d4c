"""How a signal reads that a question calls by its own name: the queue, restarts, connections."""

import re
from collections.abc import Sequence

from bot.core.evidence import LedgerEntry
from bot.core.questions.answer_facts import newest_entries, written_by_others
from bot.core.questions.parsing.subjects import MEASURED, Subject
from bot.core.questions.parsing.topics import CAUSES, ONSET, TIMELINE, topics_of
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.state_answers import MAX_NAMED, signal_line
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import UNKNOWN_TOOL, ToolRole, failure_of, tool_for

_CHECK_MADE = re.compile(
    r"\b(?:did|have|has)\s+(?:you|tocsin|the\s+bot|anything)\s+(?:\w+\s+)?(?:check(?:ed)?|look(?:ed)?\s+(?:at|into|in)|read|inspect(?:ed)?)\b"
    r"|\b(?:was|were)\s+[^?]{2,40}\s+(?:checked|looked\s+(?:at|into)|inspected)\b",
    re.IGNORECASE,
)
_NOT_CHECKED = re.compile(
    r"^\W*what\b[^?]*(?:\bnot\b|n['’]?t\b)[^?]*\b(?:check(?:ed|ing)?|look(?:ed|ing)?(?:\s+(?:at|into)\b|\W*$)|read|seen?)\b"
    r"|^\W*what\s+(?:did|have|has|could)\s+you\s+(?:\w+\s+)?miss",
    re.IGNORECASE,
)
_ACT = re.compile(
    r"\b(?:you|we|they|i|he|she|anyone|anybody|someone|somebody|nobody|would|should|help\w*|fix\w*|work\w*|says?)\b",
    re.IGNORECASE,
)
_BUDGET = "Error budget:"
_LAST_TIME = re.compile(
    r"^(?!.*\bwhen\s+(?:was|is)\s+the\s+last\s+time\b).*(?:\b(?:last|previous)\s+time\b|\bpreviously\b)", re.IGNORECASE
)
"""Of an incident before; "when was the last time it was deployed?" asks for the newest of something else."""


def answer_about_signal(reading: QuestionReading) -> ShortAnswer | None:
    """What was measured of it, and no yes or no: no threshold says what "maxed out" is. None where no such signal was judged.

    Where no service is named, those come first on which it left its normal range.
    """
    if not reading.signals_named or reading.subjects & MEASURED - {Subject.HEALTH, Subject.DATABASE}:
        return None
    moved, normal = _current(reading) if reading.asks_for_now else ([], [])
    if not (moved or normal):
        moved, normal = _judged(reading)
    if not (moved or normal):
        return None
    shown = moved[:MAX_NAMED] + (normal if len(normal) == 1 else [])
    lines = [*dict.fromkeys(text for _, text in shown)]
    if len(moved) > MAX_NAMED:
        lines.append(f"{len(moved) - MAX_NAMED} more left their usual range")
    if len(normal) > 1:
        lines.append(
            f"{' and '.join(sorted(reading.signals_named))} of {len(normal)} {'other ' * bool(moved)}services as usual"
        )
    return unknown("; ".join(lines), ids_of(entry for entry, _ in [*moved[:MAX_NAMED], *normal]), opening="Measured:")


def answer_about_objectives(reading: QuestionReading) -> ShortAnswer | None:
    """What is left of the error budgets of a service, as it was measured last; None for a question about anything else."""
    tool = tool_for(reading.facts.tools, ToolRole.OBJECTIVES)
    if reading.causes or tool not in topics_of(reading.question, reading.facts.names, reading.facts.tools).tools:
        return None
    newest = [
        entry for entry in _newest_of(tool, reading) if str(entry.arguments.get("service") or "") in reading.services_meant
    ]
    return _summaries(newest, _BUDGET) if newest else unmade_check(reading) or unknown("that was not checked", opening=_BUDGET)


def answer_about_last_time(reading: QuestionReading) -> ShortAnswer | None:
    """What is recorded of incidents like this one; None for a question about this one alone, and where nobody looked."""
    newest = _newest_of(tool_for(reading.facts.tools, ToolRole.PAST_INCIDENTS), reading)
    return _summaries(newest[-1:], "Past incidents:") if newest and _LAST_TIME.search(reading.question) else None


def _newest_of(tool: str, reading: QuestionReading) -> list[LedgerEntry]:
    return [entry for entry in newest_entries(reading.facts.ledger) if entry.tool == tool]


def _summaries(entries: Sequence[LedgerEntry], opening: str) -> ShortAnswer:
    """The summaries of these checks, or why they failed, as the whole answer: other lines hold words like "left" too."""
    failures = [failure_of(entry.evidence.summary) for entry in entries]
    texts = [f[1] if f else entry.evidence.summary for f, entry in zip(failures, entries, strict=True)]
    untrusted = any(map(written_by_others, entries))
    return unknown("; ".join(texts), ids_of(entries), untrusted=untrusted, opening=opening).model_copy(
        update={"complete": True}
    )


def is_about_act(question: str) -> bool:
    """Whether it asks what somebody does or did, or what that helps: "did you restart it?" is no question for a signal."""
    return bool(_ACT.search(question))


def whether_checked(reading: QuestionReading) -> ShortAnswer | None:
    """Whether what is named was checked: "did you look at the logs?"; None for another question, or for more than that."""
    topics = topics_of(reading.question, reading.facts.names, reading.facts.tools)
    telling = topics.tools - {CAUSES, ONSET, TIMELINE}
    services = reading.services or reading.databases
    if not _CHECK_MADE.search(reading.question) or (topics.words and not reading.subjects) or not (telling or services):
        return None
    about = [entry for entry in reading.facts.ledger if not services or str(entry.arguments.get("service") or "") in services]
    made = [entry for entry in about if entry.tool in telling or (services and not telling & {entry.tool for entry in about})]
    done = [entry for entry in made if entry.evidence.ok]
    if done:
        text = one_line("; ".join(dict.fromkeys(entry.evidence.summary for entry in done[-MAX_NAMED:])), MAX_TEXT)
        untrusted = any(map(written_by_others, done[-MAX_NAMED:]))
        return ShortAnswer(verdict=Verdict.YES, text=text, evidence=ids_of(done), untrusted=untrusted)
    if made:
        return unknown("it was tried, and could not be checked", ids_of(made))
    return ShortAnswer(verdict=Verdict.NO, text="That was not checked")


def what_was_not_checked(reading: QuestionReading) -> ShortAnswer | None:
    """What could not be checked, where that is asked; None for another question."""
    if not _NOT_CHECKED.search(reading.question):
        return None
    spots = [(entry, spot) for entry in reading.failed for spot in entry.evidence.blind_spots]
    opening, text = "Of what was tried:", "every check succeeded; what else there is, nobody looked at"
    if spots:
        opening, text = "Not checked:", one_line("; ".join(dict.fromkeys(spot for _, spot in spots)), MAX_TEXT)
    elif not reading.entries:
        opening, text = "Not known:", "nothing was checked"
    short = unknown(text, ids_of(entry for entry, _ in spots), opening=opening)
    return short.model_copy(update={"complete": True})


def unmade_check(reading: QuestionReading) -> ShortAnswer | None:
    """The check that would tell it and was not made; None where one was made, or none is set up."""
    facts = reading.facts
    telling = topics_of(reading.question, facts.names, facts.tools).tools - {CAUSES, ONSET, TIMELINE}
    if not telling or telling & {entry.tool for entry in facts.ledger}:
        return None
    tool = min(telling)
    service = min(reading.services_meant, default="")
    checked = facts.tools.get(tool, UNKNOWN_TOOL).describe(tool, {"service": service})
    return unknown(f"investigate with this question reads {checked}", opening="I did not look at that:")


_Rows = list[tuple[LedgerEntry, str]]


def _judged(reading: QuestionReading) -> tuple[_Rows, _Rows]:
    """What left its normal range, the alerting service first, and what did not."""
    own = reading.facts.own_service
    rows = [(entry, fact) for entry, fact in reading.judged(reading.services) if fact.signal in reading.signals_named]
    rows.sort(key=lambda row: (row[1].service != own, -row[1].doublings))
    moved = [(entry, signal_line(entry, fact)) for entry, fact in rows if fact.doublings > 0]
    return moved, [(entry, signal_line(entry, fact)) for entry, fact in rows if fact.doublings <= 0]


def _current(reading: QuestionReading) -> tuple[_Rows, _Rows]:
    rows = [(entry, fact) for entry, fact in reading.current() if fact.signal in reading.signals_named]
    odd = [(entry, fact.text) for entry, fact in rows if fact.trouble or fact.state != "usual"]
    return odd, [(entry, fact.text) for entry, fact in rows if not fact.trouble and fact.state == "usual"]
