"""The triage: one message in the card's thread. Facts first; once causes stand, the first cause leads and the facts shrink."""

from collections.abc import Iterable, Sequence

from bot.core.action import WITHOUT_EFFECT
from bot.core.change import kind_in_words
from bot.core.evidence import Claim, Findings, Hypothesis, nothing_wrong
from bot.core.investigation.triage_facts import PriorChange, TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.investigation import ProposalLine, TriageContent
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted
from bot.core.tool_calls import without_lead
from bot.core.verdict.merging import views_text
from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    context,
    header,
    name_text,
    picture,
    plain_text,
    prose,
    quoted,
    section,
    titled,
    trim,
)
from bot.slack.view_context import ViewContext
from bot.slack.views.card import change_text
from bot.slack.views.citing import cite, cited_line

MOST_CAUSES = 3
MOST_CHANGES = 3
MOST_FAILED = 4
"""Failed checks named one by one; the rest is counted."""
_WORDS = {
    TriageState.FACTS: "CHECKING",
    TriageState.INVESTIGATING: "INVESTIGATING",
    TriageState.DONE: "TRIAGED",
    TriageState.STOPPED: "STOPPED",
    TriageState.FAILED: "FAILED",
}


def render(triage: TriageContent, view: ViewContext) -> Rendered:
    """The facts; once causes are ranked, the causes and then the facts in short."""
    word = _word(triage)
    group = triage.group
    blocks: list[Block] = [header(f"{word} · {group.ref} · {plain_text(group.service or group.title, 80)}")]
    blocks += _with_causes(triage, triage.findings, view) if triage.findings else _facts_alone(triage, view)
    if earlier := triage.earlier_cause:
        blocks.append(section(f"*Before that:* {earlier.confidence_text}, {prose(earlier.cause, 200)}"))
    if triage.no_proposal and not _in_force(triage.proposals):
        blocks.append(section(prose(triage.no_proposal, 300)))
    if running := _progress(triage):
        blocks.append(running)
    blocks.append(_controls(triage))
    return _fallback(triage, word), trim([*blocks, _small_print(triage, word)])


def _word(triage: TriageContent) -> str:
    return "FACTS" if _facts_only(triage) else _WORDS[triage.state]


def _facts_only(triage: TriageContent) -> bool:
    """Whether it was left at the facts: a person may press Investigate."""
    return triage.state is TriageState.DONE and not triage.findings


def _in_force(proposals: Sequence[ProposalLine]) -> bool:
    """Whether something is put to people or was run: then an older attempt's reason for nothing would only confuse."""
    return any(proposal.state not in WITHOUT_EFFECT for proposal in proposals)


def _fallback(triage: TriageContent, word: str) -> str:
    start = f"{word.capitalize()}, {triage.group.ref}: "
    first = next(iter(_hypotheses(triage)), None)
    if well := nothing_wrong(triage.findings):
        return start + well
    if first:
        return f"{start}{first.confidence_text}, {plain_text(first.cause)}"
    onset_text = triage.facts.onset_text if triage.facts else ""
    return start + plain_text(onset_text or "the facts follow in seconds")


def _hypotheses(triage: TriageContent) -> Sequence[Hypothesis]:
    return triage.hypotheses[:MOST_CAUSES]


# ---------------------------------------------------------------- facts


def _facts_alone(triage: TriageContent, view: ViewContext) -> Iterable[Block]:
    facts = triage.facts
    if facts is None:
        yield section("Checking metrics, changes, alerts and runbooks.")
        return
    lines = [
        _onset(facts),
        *_changes(triage, facts),
        _alerts(facts, 6),
        *_health(facts),
        _runbook(facts, whole=True),
        _past(facts),
    ]
    yield section("\n".join(filter(None, lines)))
    yield from _graph(facts)
    yield from cited_line(triage.evidence, _cited_by_facts(facts), view)


def _graph(facts: TriageFacts | None) -> Iterable[Block]:
    if facts and facts.graph:
        yield picture(facts.graph)


def _onset(facts: TriageFacts) -> str:
    if not facts.onset:
        return prose(facts.onset_text)
    # In UTC, as the claims and the graph tell it: the reader compares them.
    return f"*Onset:* {clock(facts.onset)} · {prose(facts.main or facts.onset_text)}"


def _health(facts: TriageFacts) -> Iterable[str]:
    yield from (f"• {prose(line)}" for line in facts.health[:3])
    missed = facts.not_checked
    yield from (f"*Not checked:* {prose(without_lead(line))}" for line in missed[:MOST_FAILED])
    if len(missed) > MOST_FAILED:
        yield f"*Not checked:* {len(missed) - MOST_FAILED} more"


def _changes(triage: TriageContent, facts: TriageFacts) -> Iterable[str]:
    source = cite(facts.changes_evidence)
    ordered = _nearest(triage, facts.changes)
    if not ordered:
        yield f"*Changes:* {_no_change(facts)}{source}"
        return
    yield f"*Changes:*{source}"
    yield from (f"• {change.age_text}: {_change(change)}" for change in ordered[:MOST_CHANGES])
    if len(ordered) > MOST_CHANGES:
        yield f"• {len(ordered) - MOST_CHANGES} more"


def _no_change(facts: TriageFacts) -> str:
    """ "No change" may be shown only where every system answered."""
    if not facts.changes_ok:
        return "could not check"
    return "none found in what could be checked" if facts.changes_partly else "none found"


def _change(change: PriorChange) -> str:
    title = f" {titled(change.title, 80)}" if change.title else ""
    by = f" by {name_text(change.author, 40)}" if change.author else ""
    return f"{change_text(change)}{title}{by}"


def _nearest(triage: TriageContent, changes: Sequence[PriorChange]) -> list[PriorChange]:
    """Those of the suspects' services first, the nearest to the onset first (the order they come in)."""
    suspects = {hypothesis.service for hypothesis in _hypotheses(triage)}
    return sorted(changes, key=lambda change: change.service not in suspects)


def _alerts(facts: TriageFacts, most: int) -> str:
    alerts = facts.alerts
    shown = [f"{name_text(a.name, 60)} on {name_text(a.service or 'unknown', 40)} ({a.count})" for a in alerts[:most]]
    more = f" and {counted(len(alerts) - most, 'more kind')}" if len(alerts) > most else ""
    return f"*Related alerts:* {', '.join(shown) or 'none'}{more}{cite(facts.alerts_evidence)}"


def _runbook(facts: TriageFacts, *, whole: bool) -> str:
    if not (runbook := facts.runbook):
        return ""
    passage = f": {titled(runbook.passage)}" if whole and runbook.passage else ""
    return f"*Runbook:* {name_text(runbook.title, 100)}{cite(runbook.evidence)}{passage}"


def _past(facts: TriageFacts) -> str:
    """A lead from before, never a cause of now."""
    past = facts.past
    return f"*Before:* {prose(past.text, 300)}{cite(past.evidence)}" if past else ""


def _cited_by_facts(facts: TriageFacts) -> list[str]:
    advice = [part.evidence for part in (facts.runbook, facts.past) if part]
    return [id for id in (facts.onset_evidence, facts.changes_evidence, facts.alerts_evidence, *advice) if id]


# ---------------------------------------------------------------- causes


def _answer(question: str, answer: Claim, *, untrusted: bool) -> str:
    """`is it the network? *No:* ...`."""
    verdict, _, why = answer.text.partition(": ")
    return f"{titled(question, 200)} *{verdict}:* {quoted(why, 300) if untrusted else prose(why)}{cite(*answer.evidence)}"


def _with_causes(triage: TriageContent, findings: Findings, view: ViewContext) -> Iterable[Block]:
    """The first cause, the graph, what else was weighed, then the facts in short."""
    facts, ranked = triage.facts, _hypotheses(triage)
    if findings.answer:
        yield section(_answer(triage.question, findings.answer, untrusted=findings.answer_untrusted))
    healthy = nothing_wrong(findings)
    if healthy:
        yield section(_healthy(findings))
    elif ranked:
        yield section("\n".join(_first_cause(ranked[0], views_text(findings))))
    else:
        yield section("*No cause was found:* nothing that was checked explains it.")
    yield from _graph(facts)
    if weighed := [*_other_causes(ranked, 0 if healthy else 1), *_cleared(findings), *_unchecked(findings, ranked)]:
        yield section("\n".join(weighed))
    if facts:
        lines = (_onset(facts), _changed(triage, facts), _alerts(facts, 3), _runbook(facts, whole=False), _past(facts))
        yield section("\n".join(filter(None, lines)))
    cited = [*_cited_by_findings(findings, ranked), *(_cited_by_facts(facts) if facts else ())]
    yield from cited_line(triage.evidence, cited, view)


def _healthy(findings: Findings) -> str:
    """All checks are fine; where a check failed that is no all-clear, and the first words say so."""
    because = "; ".join(map(_claim, findings.because[:1]))
    if failed := len(findings.not_checked):
        return f"*{nothing_wrong(findings)}, which is no all-clear:* {counted(failed, 'check')} failed. {because}"
    return f"*{nothing_wrong(findings)}.* {because}"


def _first_cause(hypothesis: Hypothesis, views: str) -> Iterable[str]:
    """The first cause; `views` says who names it and whether the other agrees."""
    yield f"*{hypothesis.confidence_text.capitalize()}:* {prose(hypothesis.cause)}"
    if views:
        yield views
    for claim in hypothesis.claims[:4]:
        yield f"• {_claim(claim)}"
    yield f"*Against:* {'; '.join(map(_claim, hypothesis.against[:3])) or 'nothing'}"
    if hypothesis.not_checked:
        shown = [prose(without_lead(line), 160) for line in hypothesis.not_checked[:MOST_FAILED]]
        yield f"*Not checked:* {'; '.join(shown)}{_and_more(len(hypothesis.not_checked) - MOST_FAILED)}"
    if hypothesis.check:
        yield f"*To confirm:* {prose(hypothesis.check, 200)}"


_BY = {"": "", "agent": ", by the AI model", "analyst": ", by the built-in analyst", "both": ", by both"}


def _other_causes(ranked: Sequence[Hypothesis], leading: int) -> Iterable[str]:
    """One line for each cause behind the `leading` first ones."""
    for number, hypothesis in enumerate(ranked[leading:], leading + 1):
        against = next(iter(hypothesis.against), None)
        but = f". Against: {_claim(against, 160)}" if against else ""
        label = f"{number}. {hypothesis.confidence_text.capitalize()}{_BY[hypothesis.named_by]}"
        yield f"*{label}:* {prose(hypothesis.cause, 160)}{but}"


def _cleared(findings: Findings) -> Iterable[str]:
    cleared = findings.ruled_out
    yield from (f"*Ruled out:* {_claim(claim, 200)}" for claim in cleared[:2])
    if len(cleared) > 2:
        yield f"{len(cleared) - 2} more ruled out, named behind Why?"


def _unchecked(findings: Findings, ranked: Sequence[Hypothesis]) -> Iterable[str]:
    """What else could not be checked: the first cause names its own."""
    named_above = () if nothing_wrong(findings) else [line for cause in ranked[:1] for line in cause.not_checked]
    lines = [line for line in findings.not_checked if line not in named_above]
    yield from (f"*Not checked:* {prose(without_lead(line), 160)}" for line in lines[:MOST_FAILED])
    if len(lines) > MOST_FAILED:
        yield f"*Not checked:* {len(lines) - MOST_FAILED} more"


def _and_more(number: int) -> str:
    return f"; {number} more" if number > 0 else ""


def _changed(triage: TriageContent, facts: TriageFacts) -> str:
    """The changes as one line."""
    ordered = _nearest(triage, facts.changes)
    shown = [f"{kind_in_words(c.kind)} of {name_text(c.service, 40)} {c.age_text}" for c in ordered[:MOST_CHANGES]]
    more = f" and {len(ordered) - MOST_CHANGES} more" if len(ordered) > MOST_CHANGES else ""
    return f"*Changes:* {', '.join(shown) or _no_change(facts)}{more}{cite(facts.changes_evidence)}"


def _claim(claim: Claim, limit: int = 240) -> str:
    return prose(claim.text, limit) + (cite(*claim.evidence) if claim.evidence else " (unsupported)")


def _cited_by_findings(findings: Findings, ranked: Sequence[Hypothesis]) -> Iterable[str]:
    """What the claims above name, in their order."""
    shown = [claim for hypothesis in ranked[:1] for claim in (*hypothesis.claims[:4], *hypothesis.against[:3])]
    shown += findings.because[:1] if nothing_wrong(findings) else ()
    shown += [claim for hypothesis in ranked[1:] for claim in hypothesis.against[:1]]
    return (id for claim in (*shown, *findings.ruled_out[:2]) for id in claim.evidence)


# ---------------------------------------------------------------- how it was investigated


def _progress(triage: TriageContent) -> Block | None:
    checks = triage.checks
    if not triage.state.running or not checks:
        return None
    failed = sum(not check.evidence.ok for check in checks)
    made = f"{counted(len(checks), 'check')} made" + (f", {failed} failed" if failed else "")
    return context(f"{made}; the newest: {prose(checks[-1].evidence.summary, 300)}")


def _controls(triage: TriageContent) -> Block:
    ref, running = triage.group.ref, triage.state.running
    again = "Investigate" if _facts_only(triage) else "Investigate again"
    return actions(
        button("Why?", "why", ref, accessible_label=f"Evidence behind the causes of {ref}") if triage.hypotheses else None,
        None if running else button(again, "investigate", ref, accessible_label=f"{again} {ref}"),
        button("Stop", "stop", ref, accessible_label=f"Stop automation for {ref}") if running else None,
    )


def _small_print(triage: TriageContent, word: str) -> Block:
    findings = triage.findings
    question = f"asked by {plain_text(triage.requester, 40)}: {prose(triage.question, 120)}" if triage.question else ""
    proposals = ", ".join(proposal.ref for proposal in triage.proposals)  # their cards below say how they stand
    late = (
        ", for a change that was reported late"
        if triage.for_late_change
        else ", for what is new here"
        if triage.renewed
        else ""
    )
    attempt = f", attempt {triage.attempt}{late}" if triage.attempt > 1 else ""
    return context(
        question,
        *((prose(findings.note, 400), _kind(findings), _cost(findings)) if findings else ()),
        f"Proposals: {proposals}" if proposals else "",
        f"*{word}* {triage.group.ref}{attempt}",
    )


def _kind(findings: Findings) -> str:
    """The kind of cause in words; nothing where it is not known, or where nothing is wrong."""
    category = findings.category
    return "" if category in ("", "healthy", "unknown") else f"Kind of cause: {category.replace('_', ' ')}"


def _cost(findings: Findings) -> str:
    # A model works in turns, the analyst in queries.
    steps = f"{findings.steps:,} {_unit(findings)} in " if findings.steps else ""
    parts = [f"{steps}{findings.seconds:.0f} s, {_ranked_by(findings)}"]
    if findings.tokens:
        parts.append(f"{findings.tokens:,} tokens, ${findings.usd:.3f}")
    if findings.stop_reason not in ("", "done", "answered") and findings.stop_reason not in findings.note:
        parts.append(f"stopped: {plain_text(findings.stop_reason, 80)}")
    return " · ".join(parts)


def _unit(findings: Findings) -> str:
    singular, plural = ("turn", "turns") if findings.model else ("query", "queries")
    return singular if findings.steps == 1 else plural


def _ranked_by(findings: Findings) -> str:
    answered = any(hypothesis.named_by in ("agent", "both") for hypothesis in findings.hypotheses)
    if findings.by == "agent" or answered:
        return f"AI model {plain_text(findings.model, 60)}"
    return "ranked without the AI model" if findings.model else "no AI model"
