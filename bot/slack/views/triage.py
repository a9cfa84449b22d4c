"""The triage: one message in the card's thread, at most 90 words. What it leaves out is behind Details, whole."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.core.change import kind_in_words
from bot.core.evidence import Claim, Findings, nothing_wrong
from bot.core.investigation.triage_facts import PriorChange, TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.investigation import TriageContent
from bot.core.messages.triage_summary import Summary, not_checked, summarize
from bot.core.text.untrusted import counted
from bot.core.text.word_counts import within_words
from bot.slack.blocks import Block, Rendered, actions, button, context, picture, trim
from bot.slack.untrusted_text import plain_text
from bot.slack.view_context import ViewContext
from bot.slack.views.proposal import approve_button
from bot.slack.views.rich_text import Line, labelled, name, paragraph, sentence, title, words

MAX_CHANGES = 3
ANSWER_WORDS = 24
_WORDS = {
    TriageState.FACTS: "CHECKING",
    TriageState.INVESTIGATING: "INVESTIGATING",
    TriageState.DONE: "TRIAGED",
    TriageState.STOPPED: "STOPPED",
    TriageState.FAILED: "FAILED",
}
_AGAIN = {
    TriageState.FACTS: "; being ranked again",
    TriageState.INVESTIGATING: "; being ranked again",
    TriageState.STOPPED: "; ranking it again was stopped",
    TriageState.FAILED: "; ranking it again failed",
    TriageState.DONE: "",
}


def render(triage: TriageContent, view: ViewContext) -> Rendered:
    """The facts; once causes are ranked, the first of them with what speaks for and against it, and the next step."""
    word, summary, near = word_of(triage), summarize(triage), _near(triage)
    lines = _with_causes(triage, triage.findings, summary, near) if triage.findings else _facts_alone(triage, near)
    over = [labelled(*summary.over, near)] if summary.over else []
    blocks: list[Block] = [paragraph([*over, *lines]), *_graph(triage.facts)]
    if summary.next_step:
        blocks.append(paragraph([labelled(*summary.next_step, near)]))
    blocks += [_controls(triage, view), _small_print(triage, word)]
    return _fallback(triage, summary, word), trim(blocks)


def _near(triage: TriageContent) -> datetime:
    """The moment around which the clock times of its sentences lie."""
    return (triage.facts and triage.facts.onset) or triage.group.opened_at


def word_of(triage: TriageContent) -> str:
    """Its state as a word."""
    if _shows_earlier(triage):
        return _WORDS[TriageState.DONE]
    return "FACTS" if facts_only(triage) else _WORDS[triage.state]


def _shows_earlier(triage: TriageContent) -> bool:
    """Whether its facts and causes are those of an attempt before."""
    return triage.shown_attempt not in (0, triage.attempt)


def facts_only(triage: TriageContent) -> bool:
    """Whether it was left at the facts: a person may press Investigate."""
    return triage.state is TriageState.DONE and not triage.findings


def _fallback(triage: TriageContent, summary: Summary, word: str) -> str:
    over = f", {summary.over.text}" if summary.over else ""
    start = f"{word.capitalize()}, {triage.group.ref}{over}: "
    if well := nothing_wrong(triage.findings):
        return start + well
    first = triage.findings.first_cause if triage.findings else None
    if first:
        return f"{start}{first.confidence_text}, {plain_text(first.cause)}"
    return start + plain_text(summary.broke or "the facts follow in seconds")


def _graph(facts: TriageFacts | None) -> Iterable[Block]:
    if facts and facts.graph:
        yield picture(facts.graph)


# ---------------------------------------------------------------- facts


def _facts_alone(triage: TriageContent, near: datetime) -> Iterable[Line]:
    facts = triage.facts
    if facts is None:
        yield sentence("Checking metrics, changes, alerts and runbooks.")
    else:
        yield sentence(summarize(triage).broke, near)
        yield from _changes(facts)
        yield from (labelled(*line, near) for line in not_checked(facts.not_checked))
    if triage.state.running and (facts or triage.checks):
        failed = sum(not check.evidence.ok for check in triage.checks)
        made = f": {counted(len(triage.checks), 'check')} made" if triage.checks else ""
        yield sentence(f"Looking for the cause{made}{f', {failed} failed' if failed else ''}")


def _changes(facts: TriageFacts) -> Iterable[Line]:
    if not facts.changes:
        yield labelled("Changes before it", no_change(facts))
        return
    more = len(facts.changes) - MAX_CHANGES
    yield from (sentence(f"• {change_text(change)}") for change in facts.changes[:MAX_CHANGES])
    if more > 0:
        yield sentence(f"• {counted(more, 'older change')}")


def no_change(facts: TriageFacts) -> str:
    """ "No change" may be shown only where every system answered."""
    if not facts.changes_ok:
        return "could not check"
    return "none found in what could be checked" if facts.changes_partly else "none found"


def change_text(change: PriorChange) -> str:
    """`deploy catalogue 5.0.3 → 5.1.0 by alice, 34 s before onset`; untrusted."""
    versions = [name(version, 30) for version in (change.previous_version, change.version) if version]
    author = change.by_action or change.author
    by = f" by {name(author, 40)}" if author else ""
    what = " ".join([kind_in_words(change.kind), name(change.service, 40), " → ".join(versions)]).strip()
    return f"{what}{by}, {change.age_text}"


# ---------------------------------------------------------------- causes


def _with_causes(triage: TriageContent, findings: Findings, summary: Summary, near: datetime) -> Iterable[Line]:
    if findings.answer:
        yield _answer(triage.question, findings.answer, untrusted=findings.answer_untrusted)
    elif summary.broke:
        yield sentence(summary.broke, near)
    yield from (labelled(*line, near) for line in (summary.earlier, summary.cause) if line)
    yield from (sentence(f"• {text}", near) for text in summary.evidence)
    yield from (labelled(*line, near) for line in (*summary.caveats, *summary.more))


def _answer(question: str, answer: Claim, *, untrusted: bool) -> Line:
    """`is it the network? *No:* ...`."""
    verdict, _, why = answer.text.partition(": ")
    why = within_words(why, ANSWER_WORDS)
    return [words(f"{title(question, 200)} "), *labelled(verdict, title(why) if untrusted else why)]


# ---------------------------------------------------------------- how it was investigated


def _controls(triage: TriageContent, view: ViewContext) -> Block:
    group, running = triage.group, triage.state.running
    ref, cleared_at = group.ref, group.cleared_at if group.cleared else None
    again = "Investigate" if facts_only(triage) else "Investigate again"
    whole = triage.facts is not None or triage.findings is not None
    return actions(
        approve_button(triage.waiting, view, cleared_at) if triage.waiting else None,
        button("Details", "full", ref, accessible_label=f"Details of the triage of {ref}") if whole else None,
        None if running else button(again, "investigate", ref, accessible_label=f"{again} {ref}"),
        button("Stop", "stop", ref, accessible_label=f"Stop automation for {ref}") if running else None,
    )


def _small_print(triage: TriageContent, word: str) -> Block:
    question = f"asked by {plain_text(triage.requester, 40)}" if triage.question else ""
    number = triage.shown_attempt or triage.attempt
    attempt = f", attempt {number}" if number > 1 else ""
    about = _new_outage(triage) + _AGAIN[triage.state] if _shows_earlier(triage) else _renewed(triage)
    cost = cost_text(triage.findings) if triage.findings else ""
    return context(question, cost, f"*{word}* {triage.group.ref}{attempt}{about}")


def _renewed(triage: TriageContent) -> str:
    if triage.for_late_change and triage.attempt > 1:
        return " (late-reported change)"
    return _new_outage(triage) or (" (ranked again)" if triage.is_retry else "")


def _new_outage(triage: TriageContent) -> str:
    return " (new outage)" if triage.renewed and triage.attempt > 1 else ""


def cost_text(findings: Findings) -> str:
    """`38 queries in 7 s, no AI model`; a model works in turns, the analyst in queries."""
    steps = f"{findings.steps:,} {_unit(findings)} in " if findings.steps else ""
    return f"{steps}{findings.seconds:.0f} s, {_ranked_by(findings)}"


def _unit(findings: Findings) -> str:
    singular, plural = ("turn", "turns") if findings.model else ("query", "queries")
    return singular if findings.steps == 1 else plural


def _ranked_by(findings: Findings) -> str:
    named_by: Sequence[str] = [hypothesis.named_by for hypothesis in findings.hypotheses]
    if findings.by == "agent" or {"agent", "both"} & set(named_by):
        return f"AI model {plain_text(findings.model, 60)}"
    return "ranked without the AI model" if findings.model else "no AI model"
