"""Details: all that a triage found, in one dialog: causes with their claims, what was ruled out, facts, and every query."""

from collections.abc import Iterable, Sequence

from bot.core.evidence import Claim, Findings, Hypothesis, LedgerEntry, nothing_wrong
from bot.core.investigation.triage_facts import PriorChange, TriageFacts
from bot.core.messages.investigation import TriageContent
from bot.core.messages.replies import DetailsReply
from bot.core.messages.triage_summary import certainty
from bot.core.text.moments import clock_of_onset
from bot.core.text.untrusted import counted
from bot.core.tool_calls import without_lead
from bot.core.verdict.merging import views_text
from bot.slack.blocks import Block, Rendered, code, context, divider, header, section, trim
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import allowed_address, name_text, plain_text, prose, titled
from bot.slack.view_context import ViewContext
from bot.slack.views.citing import cite, described
from bot.slack.views.triage import change_text, cost_text, no_change, word_of

_BY = {"": "", "agent": ", by the AI model", "analyst": ", by the built-in analyst", "both": ", by both"}
EVIDENCE_BLOCKS = 60
"""Blocks for single pieces of evidence: a dialog takes 100 in all."""


def render(reply: DetailsReply, view: ViewContext) -> Rendered:
    """The whole triage for one reader."""
    triage = reply.triage
    title = f"Details of {triage.group.ref}"
    blocks: list[Block] = [*_causes(triage.findings), *_facts(triage.facts), *_run(triage)]
    blocks += _evidence(triage, view)
    return title, trim(blocks, most=LIMIT["view.blocks"], characters=LIMIT["view.text"])


# ---------------------------------------------------------------- causes


def _causes(findings: Findings | None) -> Iterable[Block]:
    if findings is None:
        return
    healthy = nothing_wrong(findings)
    if healthy:
        yield section("\n".join([f"*{healthy}.*", *(f"• {_claim(claim)}" for claim in findings.because)]))
    elif not findings.hypotheses:
        yield section("*No cause was found:* nothing that was checked explains it.")
    for number, hypothesis in enumerate(findings.hypotheses, 1):
        yield section("\n".join(_cause(number, hypothesis, findings)))
    if findings.ruled_out:
        yield section("\n".join(["*Ruled out*", *(f"• {_claim(claim)}" for claim in findings.ruled_out)]))
    if findings.not_checked:
        missed = (f"• {prose(without_lead(line))}" for line in findings.not_checked)
        yield section("\n".join(["*Not checked*", *missed]))


def _cause(number: int, hypothesis: Hypothesis, findings: Findings) -> Iterable[str]:
    label = certainty(hypothesis, findings.hypotheses)
    if label == "Not known":
        label = hypothesis.confidence.capitalize()
    yield f"*{number}. {label}{_BY[hypothesis.named_by]}:* {prose(hypothesis.cause)}"
    if number == 1 and (views := views_text(findings)):
        yield views
    yield from (f"• {_claim(claim)}" for claim in hypothesis.claims)
    yield from (f"*Against:* {_claim(claim)}" for claim in hypothesis.against)
    if hypothesis.check:
        yield f"*To confirm:* {prose(hypothesis.check)}"


def _claim(claim: Claim) -> str:
    return prose(claim.text, 400) + (cite(*claim.evidence) or " (no evidence was named)")


# ---------------------------------------------------------------- facts


def _facts(facts: TriageFacts | None) -> Iterable[Block]:
    if facts is None:
        return
    yield divider()
    yield section("\n".join([*_onset(facts), *_changes(facts), *_alerts(facts), *_advice(facts)]))


def _onset(facts: TriageFacts) -> Iterable[str]:
    # In UTC, as the claims and the graph tell it: the reader compares them.
    at = f"{clock_of_onset(facts.onset, facts.onset_not_before).removeprefix('at ')}. " if facts.onset else ""
    # The main deviation names its evidence itself.
    yield f"*Onset:* {at}{prose(facts.main) if facts.main else prose(facts.onset_text) + cite(facts.onset_evidence)}"
    yield from (f"• {prose(line)}" for line in facts.health)


def _changes(facts: TriageFacts) -> Iterable[str]:
    source = cite(facts.changes_evidence)
    if not facts.changes:
        yield f"*Changes:* {no_change(facts)}{source}"
        return
    yield f"*Changes:*{source}"
    yield from (f"• {prose(change_text(change))}{_title(change)}" for change in facts.changes)


def _title(change: PriorChange) -> str:
    return f": {titled(change.title, 80)}" if change.title else ""


def _alerts(facts: TriageFacts) -> Iterable[str]:
    shown = [f"{name_text(a.name, 60)} on {name_text(a.service or 'unknown', 40)} ({a.count})" for a in facts.alerts]
    yield f"*Related alerts:* {', '.join(shown) or 'none'}{cite(facts.alerts_evidence)}"


def _advice(facts: TriageFacts) -> Iterable[str]:
    """A runbook and incidents of before: leads, never a cause of now."""
    if runbook := facts.runbook:
        passage = f": {titled(runbook.passage)}" if runbook.passage else ""
        yield f"*Runbook:* {name_text(runbook.title, 100)}{cite(runbook.evidence)}{passage}"
    if past := facts.past:
        yield f"*Before:* {prose(past.text)}{cite(past.evidence)}"


# ---------------------------------------------------------------- how it was investigated


def _run(triage: TriageContent) -> Iterable[Block]:
    findings = triage.findings
    lines = [
        f"Asked by {plain_text(triage.requester, 40)}: {prose(triage.question)}" if triage.question else "",
        f"Before that{_since_then(triage)}: {triage.earlier_cause.confidence_text}, {prose(triage.earlier_cause.cause)}"
        if triage.earlier_cause
        else "",
        prose(triage.no_proposal.stored) if triage.no_proposal else "",
        *(_of_run(findings) if findings else ()),
        ", ".join(f"{proposal.ref} {proposal.state}" for proposal in triage.proposals),
    ]
    yield context("\n".join([*filter(None, lines), f"*{word_of(triage)}* {triage.group.ref}, attempt {triage.attempt}"]))


def _since_then(triage: TriageContent) -> str:
    """What became of the outage before."""
    if triage.recovered_after:
        return f", recovered after {triage.recovered_after}"
    return ", still firing" if triage.earlier_fires else ""


def _of_run(findings: Findings) -> Iterable[str]:
    yield prose(findings.note, 600)
    category = findings.category
    # The kind says nothing where it is not known, or where nothing is wrong.
    yield "" if category in ("", "healthy", "unknown") else f"Kind of cause: {category.replace('_', ' ')}"
    tokens = f", {findings.tokens:,} tokens, ${findings.usd:.3f}" if findings.tokens else ""
    yield cost_text(findings) + tokens
    if findings.stop_reason not in ("", "done", "answered") and findings.stop_reason not in findings.note:
        yield f"stopped: {plain_text(findings.stop_reason, 80)}"


# ---------------------------------------------------------------- evidence


def _evidence(triage: TriageContent, view: ViewContext) -> Iterable[Block]:
    """Each piece of evidence that is named above, once, with its query; of those that there is no room for, how many."""
    cited = [id for id in dict.fromkeys(_cited(triage)) if id in triage.evidence]
    if not cited:
        return
    yield header("Evidence")
    shown = cited[: EVIDENCE_BLOCKS // 2]
    for id in shown:
        yield from _entry(triage.evidence[id], view)
    if len(cited) > len(shown):
        yield context(f"{counted(len(cited) - len(shown), 'more piece')} of evidence: `why` and the API show them")


def _entry(entry: LedgerEntry, view: ViewContext) -> Iterable[Block]:
    evidence, label = entry.evidence, f"{entry.id} {described(entry)}"
    address = allowed_address(evidence.link, view.hosts)
    yield section(f"*{f'<{address}|{label}>' if address else label}:* {prose(evidence.summary)}")
    if evidence.query:
        # The check of a whole service runs several queries; each on its own line can be run alone.
        yield code(evidence.query.replace("; ", "\n"))


def _cited(triage: TriageContent) -> Iterable[str]:
    findings, facts = triage.findings, triage.facts
    claims: Sequence[Claim] = ()
    if findings:
        of_causes = [claim for cause in findings.hypotheses for claim in (*cause.claims, *cause.against)]
        claims = [*of_causes, *findings.because, *findings.ruled_out]
    yield from (id for claim in claims for id in claim.evidence)
    if facts:
        advice = [part.evidence for part in (facts.runbook, facts.past) if part]
        yield from filter(None, (facts.onset_evidence, facts.changes_evidence, facts.alerts_evidence, *advice))
