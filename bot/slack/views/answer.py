"""The answer to one question: the question, the evidence about it, and what could not be checked."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from bot.core.change import Change, kind_in_words
from bot.core.evidence import LedgerEntry
from bot.core.messages.investigation import AnswerContent
from bot.core.questions.answering import Finding, QuestionAnswer
from bot.core.questions.parsing.forms import wants_approvers, wants_value
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import without_lead
from bot.slack.blocks import Block, Rendered, context, quotation, section, trim, when
from bot.slack.untrusted_text import plain_text, prose, quoted, titled
from bot.slack.view_context import ViewContext
from bot.slack.views import open_cards
from bot.slack.views.citing import cite, cited_line, described
from bot.slack.views.rich_text import Line, moment, name, paragraph, title, words

MAX_CHECKS = 8
"""Checks named where none of them is about the question."""
MAX_CITED = 3
"""Evidence named behind a yes or no; the line of evidence below it names all."""
MAX_BESIDE_VERDICT = 2
"""Findings that follow a yes or no, of one line each; the evidence of the others is named below them."""
MAY_APPROVE = "Who may approve: "


def render(content: AnswerContent, view: ViewContext) -> Rendered:
    """The question with its answer; without one, that it failed."""
    question = f"*{plain_text(content.requester, 40)} asked:* {titled(content.question, 500)}"
    answer = content.answer
    if answer is None:
        failed = "No answer could be made. Ask again."
        return f"No answer, {content.ref}: {failed}", [section(f"{question}\n{failed}")]
    direct = bool(answer.waiting) and (wants_approvers(content.question) or bool(content.next_step))
    findings = [] if content.next_step else _in_short(answer)
    cited = [] if content.next_step else answer.findings
    parts = (answer.short, *cited, *answer.unseen)
    blocks = [
        section(question),
        *_paragraphs(_parts(content, answer, findings, direct=direct)),
        *open_cards.blocks(content.cards, content.others, answer.notes),
        *cited_line(content.evidence, (id for part in parts if part for id in part.evidence), view),
        context(*_small_print(content, answer)),
    ]
    first = content.next_step or (answer.waiting[0] if direct else _first(answer, bare=wants_value(content.question)))
    return f"Answer, {content.ref}: {plain_text(first, 300)}", trim(blocks)


def _parts(
    content: AnswerContent, answer: QuestionAnswer, findings: Sequence[Finding], *, direct: bool
) -> Iterable[str | Block]:
    """What is said, in its order: lines, and quotations of others between them. `direct`: what waits is the answer."""
    yield from _short(answer.short, bare=wants_value(content.question))
    yield from _next(content.next_step)
    yield from _waiting(answer.waiting if direct else (), content.next_step)
    for finding in findings:
        if not _repeats(finding, answer.short):
            yield from _finding(finding, content)
    if not (direct or findings or content.next_step or (answer.short and answer.short.complete)):
        yield from _nothing(content, answer)
    yield from _not_checked(answer.unseen)


def _in_short(answer: QuestionAnswer) -> Sequence[Finding]:
    """The findings; after a yes or no the first ones, without their details."""
    if answer.short is None or answer.short.verdict is Verdict.UNKNOWN:
        return answer.findings
    new = [finding for finding in answer.findings if not _repeats(finding, answer.short)]
    return [finding.model_copy(update={"lines": finding.lines[:1]}) for finding in new[:MAX_BESIDE_VERDICT]]


def _paragraphs(parts: Iterable[str | Block]) -> Iterable[Block]:
    """Lines that follow each other are one paragraph."""
    for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
        if is_text:
            yield section("\n".join(str(part) for part in run))
        else:
            yield from (part for part in run if not isinstance(part, str))


def _next(step: str) -> Iterable[str]:
    if step:
        yield f"*Next:* {prose(step)}"


def _repeats(finding: Finding, short: ShortAnswer | None) -> bool:
    """Whether each line of it begins with what was just said, or with a part of that."""
    return short is not None and all(
        line.startswith(short.text) or line.partition(";")[0] in short.text for line in finding.lines
    )


def _first(answer: QuestionAnswer, *, bare: bool = False) -> str:
    if answer.short:
        return answer.short.text if bare and not answer.short.opening else f"{answer.short.lead} {answer.short.text}"
    return answer.findings[0].lines[0] if answer.findings else _no_finding(answer)


def _short(short: ShortAnswer | None, *, bare: bool) -> Iterable[str]:
    """`*No.* checkout errors stayed normal (E1)`: before all else. `bare`: what it is, where no yes was asked for."""
    if short:
        show = titled if short.untrusted else prose
        word = "" if bare and short.verdict is not Verdict.UNKNOWN and not short.opening else f"*{prose(short.lead)}* "
        more = f" and {len(short.evidence) - MAX_CITED} more" if len(short.evidence) > MAX_CITED else ""
        yield f"{word}{show(short.text)}{cite(*short.evidence[:MAX_CITED])}{more}"


def _waiting(proposals: Iterable[str], next_step: str) -> Iterable[str]:
    """Who may approve what the next step names already, and then what else waits for approval."""
    others = []
    for text in proposals:
        who = text.partition(MAY_APPROVE)[2]
        if who and text.partition(" ")[0] in next_step.replace(",", " ").split():
            yield f"*{MAY_APPROVE.strip()}* {prose(who, 400)}"
        else:
            others.append(f"*Waiting:* {prose(text, 400)}")
    yield from others


def _finding(finding: Finding, content: AnswerContent) -> Iterable[str | Block]:
    """Lines of one piece of evidence: changes as people tell them, others' text as a quotation."""
    if changes := _changes(finding, content):
        # The last line names the evidence that all of them stand on.
        yield paragraph([*changes[:-1], [*changes[-1], words(cite(*finding.evidence))]])
    elif finding.untrusted:
        # What users of a service can write is quoted, so that nobody takes it for the bot's words.
        yield quotation([*finding.lines, cite(*finding.evidence).strip()])
    else:
        first, *more = finding.lines
        yield "\n".join([f"• {prose(first)}{cite(*finding.evidence)}", *(f"   {prose(line)}" for line in more)])


def _changes(finding: Finding, content: AnswerContent) -> list[Line]:
    """`14:02 deploy catalogue 5.0.3 → 5.1.0, alice: “title”`, of each line that is about a listed change."""
    entries = [content.evidence[id] for id in finding.evidence if id in content.evidence]
    by_id = {one_line(c.id, 120): c for entry in entries for c in entry.evidence.facts.changes or ()}
    listed = [by_id.get(line.rpartition("[")[2].rstrip("]")) for line in finding.lines]
    shown = [_change(change) for change in listed if change]
    more = len(by_id) - len(shown)
    return [*shown, [words(f"• {counted(more, 'more change')}")]] if shown and more > 0 else shown


def _change(change: Change) -> Line:
    versions = [name(version, 30) for version in (change.previous_version, change.version) if version]
    author = change.by_action or change.author
    by = f", {name(author, 40)}" if author else ""
    what = " ".join([kind_in_words(change.kind), name(change.service, 40), " → ".join(versions)]).strip()
    called = f": {title(change.title, 80)}" if change.title else ""
    return [words("• "), moment(change.at, "{date_short_pretty} {time}"), words(f" {what}{by}{called}")]


def _nothing(content: AnswerContent, answer: QuestionAnswer) -> Iterable[str]:
    if not answer.short:
        yield f"{_no_finding(answer)}."
    if checks := list(_checks([content.evidence[id] for id in answer.checked if id in content.evidence])):
        more = f" and {len(checks) - MAX_CHECKS} more" if len(checks) > MAX_CHECKS else ""
        yield f"*What was checked:* {', '.join(checks[:MAX_CHECKS])}{more}"
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
    yield f"read by {plain_text(answer.model, 60)}, checked against the evidence" if answer.by == "model" else "from the record"
    if content.failed:
        yield "The model's reading failed; this is from the record."
    elif answer.note:
        yield prose(answer.note, 250)
    if answer.tokens:
        yield f"{answer.tokens:,} tokens, ${answer.usd:.3f}"
    up_to = f"evidence up to {when(answer.collected_at)}, " if answer.collected_at else ""
    yield f"{up_to}{counted(len(answer.reread), 'new check') if answer.reread else 'no new check'}"
    yield content.ref
    if answer.evidence_of:
        yield f"evidence of {answer.evidence_of}"
