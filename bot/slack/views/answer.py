"""The answer to one question: the question, the evidence about it, and what could not be checked."""

from collections.abc import Iterable

from bot.core.evidence import LedgerEntry
from bot.core.messages.investigation import AnswerContent
from bot.core.questions.answering import Finding, QuestionAnswer
from bot.core.questions.forms import wants_approvers
from bot.core.questions.short_answers import ShortAnswer
from bot.core.text.untrusted import counted
from bot.core.tool_calls import without_lead
from bot.slack.blocks import Rendered, context, plain_text, prose, quoted, section, titled, trim, when
from bot.slack.view_context import ViewContext
from bot.slack.views.citing import cite, cited_line, described

MOST_CHECKS = 8
"""Checks named where none of them is about the question."""


def render(content: AnswerContent, view: ViewContext) -> Rendered:
    """The question with its answer; without one, that it failed."""
    question = f"*{plain_text(content.requester, 40)} asked:* {titled(content.question, 500)}"
    answer = content.answer
    if answer is None:
        failed = "No answer could be made. Ask again."
        return f"No answer, {content.ref}: {failed}", [section(f"{question}\n{failed}")]
    approvers = bool(answer.waiting) and wants_approvers(content.question)
    # What waits, with who may approve it, is the answer then.
    lines = _lines(answer.findings) if answer.findings else () if approvers else _nothing(content, answer)
    parts = (answer.short, *answer.findings, *answer.unseen)
    blocks = [
        section(question),
        section("\n".join([*_short(answer.short), *lines, *_not_checked(answer.unseen), *_waiting(answer.waiting)])),
        *cited_line(content.evidence, (id for part in parts if part for id in part.evidence), view),
        context(*_small_print(content, answer)),
    ]
    first = answer.waiting[0] if approvers else _first(answer)
    return f"Answer, {content.ref}: {plain_text(first, 300)}", trim(blocks)


def _first(answer: QuestionAnswer) -> str:
    if answer.short:
        return f"{answer.short.verdict.capitalize()}. {answer.short.text}"
    return answer.findings[0].lines[0] if answer.findings else _no_finding(answer)


def _short(short: ShortAnswer | None) -> Iterable[str]:
    """`*No.* checkout errors stayed normal (E1)`: before all else."""
    if short:
        show = quoted if short.untrusted else prose
        yield f"*{short.verdict.capitalize()}.* {show(short.text)}{cite(*short.evidence)}"


def _waiting(proposals: Iterable[str]) -> Iterable[str]:
    yield from (f"*Waiting:* {prose(text, 400)}" for text in proposals)


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        # What users of a service can write is quoted, so that nobody takes it for the bot's words.
        show = quoted if finding.untrusted else prose
        first, *more = finding.lines
        yield f"• {show(first)}{cite(*finding.evidence)}"
        yield from (f"   {show(line)}" for line in more)


def _nothing(content: AnswerContent, answer: QuestionAnswer) -> Iterable[str]:
    if not answer.short:
        yield f"{_no_finding(answer)}."
    if checks := list(_checks([content.evidence[id] for id in answer.checked if id in content.evidence])):
        more = f" and {len(checks) - MOST_CHECKS} more" if len(checks) > MOST_CHECKS else ""
        yield f"*What was checked:* {', '.join(checks[:MOST_CHECKS])}{more}"
    if content.ref.startswith("AL-"):
        yield f"To check again: {quoted('investigate ' + content.question, 200)}"


def _no_finding(answer: QuestionAnswer) -> str:
    """Evidence that says nothing is something else than no evidence."""
    if answer.checked:
        return "The evidence says nothing about that"
    return f"Not known: nothing {'could be' if answer.unseen else 'was'} checked"


def _checks(entries: Iterable[LedgerEntry]) -> Iterable[str]:
    """The checks by tool: a single one by what it checked, several by their number."""
    by_tool: dict[str, list[LedgerEntry]] = {}
    for entry in entries:
        by_tool.setdefault(entry.tool, []).append(entry)
    for tool, checks in by_tool.items():
        yield described(checks[0]) if len(checks) == 1 else f"{tool.replace('_', ' ')} ({len(checks)} checks)"


def _not_checked(failed: Iterable[Finding]) -> Iterable[str]:
    for finding in failed:
        yield f"*Not checked:* {prose(without_lead(finding.lines[0]))}{cite(*finding.evidence)}"


def _small_print(content: AnswerContent, answer: QuestionAnswer) -> Iterable[str]:
    yield (
        f"read by {plain_text(answer.model, 60)}, kept what the evidence carries"
        if answer.by == "model"
        else "matched by the words of the question"
    )
    if content.failed:
        yield "The model's reading failed; this is from the record."
    elif answer.note:
        yield prose(answer.note, 250)
    if answer.tokens:
        yield f"{answer.tokens} tokens, ${answer.usd:.3f}"
    up_to = f"evidence up to {when(answer.collected_at)}; " if answer.collected_at else ""
    made = f"{counted(len(answer.reread), 'new check')} for this question" if answer.reread else "no new check was made"
    yield f"{up_to}{made} and nothing was changed"
    yield content.ref
