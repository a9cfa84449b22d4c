"""Merges two answers into the one that people see: the model's where evidence carries it, else the analyst's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.change import Change
from bot.core.evidence import Case, Claim, Findings, Hypothesis, LedgerEntry
from bot.core.ranking.exoneration import exonerated_changes
from bot.core.ranking.observations import observe
from bot.core.text.untrusted import one_line
from bot.core.verdict.category import categorize
from bot.core.verdict.verdict import judge

MAX_RULED_OUT = 8
"""Claims under "ruled out", the model's own first."""
MAX_AGAINST = 6
_NAMED = ("likely", "possible")
_MIN_TITLE = 8
"""Shorter titles occur in other sentences by chance."""


def merge(by_agent: Findings, by_analyst: Findings, case: Case, ledger: Sequence[LedgerEntry], *, now: datetime) -> Findings:
    """The agent's findings if the evidence carries any of them, judged; else the analyst's, with why and what it cost.

    The agent's get a category and, under "ruled out", the changes that the analyst does not suspect and the evidence
    exonerates. If the agent accuses one of those, it is in dispute: the exonerating claim stands against the cause, which is
    possible at most, and the change is not listed as ruled out.
    """
    carried = judge(by_agent, ledger)
    if all(hypothesis.confidence == "unsupported" for hypothesis in carried.hypotheses):
        return _instead(carried, by_analyst)
    suspected = {h.change_id for h in by_analyst.hypotheses if h.confidence in _NAMED}
    observations = observe(ledger, alert=case.alert_name)
    exonerated = {id: one for id, one in exonerated_changes(case, observations, now=now).items() if id not in suspected}
    merged = _with_exonerated(carried, exonerated, observations.changes, ledger)
    return categorize(merged, case, ledger, observations)


def _instead(by_agent: Findings, by_analyst: Findings) -> Findings:
    if by_agent.hypotheses:
        note = "The evidence carries nothing of the model's answer."
    elif by_agent.stop_reason == "answered":
        note = "The model named no cause."
    else:
        note = f"Model not available ({by_agent.stop_reason or 'no usable answer'})."
    spent = {"model": by_agent.model, "steps": by_agent.steps, "tokens": by_agent.tokens, "usd": by_agent.usd}
    outcome = {"stop_reason": by_agent.stop_reason, "dropped": by_agent.dropped}
    return by_analyst.noted(note).model_copy(update={**outcome, **spent})


def _with_exonerated(
    findings: Findings, exonerated: Mapping[str, Claim], changes: Mapping[str, Change], ledger: Sequence[LedgerEntry]
) -> Findings:
    cleared = [changes[id] for id in exonerated]
    named = {change.id for change in cleared if any(_accuses(h, change, changes) for h in findings.hypotheses)}
    listed = {change.id for change in cleared if any(_is_about(c.text, change, cleared) for c in findings.ruled_out)}
    added = [claim for id, claim in exonerated.items() if id not in named | listed]
    disputed = [_disputed(h, [exonerated[c.id] for c in cleared if _accuses(h, c, changes)]) for h in findings.hypotheses]
    lowered = [
        f'"likely" for {one_line(before.cause, 160)} (what the analyst checked clears that change)'
        for before, after in zip(findings.hypotheses, disputed, strict=True)
        if before.confidence != after.confidence
    ]
    ruled_out = [*findings.ruled_out, *added][:MAX_RULED_OUT]
    update = {"hypotheses": disputed, "ruled_out": ruled_out, "dropped": [*findings.dropped, *lowered]}
    return judge(findings.model_copy(update=update), ledger)


def _disputed(hypothesis: Hypothesis, against: Sequence[Claim]) -> Hypothesis:
    if not against:
        return hypothesis
    new = [claim for claim in against if claim.text not in {one.text for one in hypothesis.against}]
    confidence = "possible" if hypothesis.confidence == "likely" else hypothesis.confidence
    return hypothesis.model_copy(update={"against": [*new, *hypothesis.against][:MAX_AGAINST], "confidence": confidence})


def _accuses(hypothesis: Hypothesis, change: Change, changes: Collection[str]) -> bool:
    """Whether a likely or possible cause is this change; a model may omit the id or get it wrong, and name the version."""
    if hypothesis.confidence not in _NAMED:
        return False
    if hypothesis.change_id in changes:
        return hypothesis.change_id == change.id
    return hypothesis.service in ("", change.service) and _names(hypothesis.cause, change)


def _is_about(text: str, change: Change, others: Iterable[Change]) -> bool:
    """Whether a sentence is about this change: by its id, its title, or its version where no other has the same."""
    if change.id in text:
        return True
    same = [other for other in others if other.version == change.version]
    return _names(text, change) and (len(same) == 1 or change.service in text)


def _names(text: str, change: Change) -> bool:
    folded, title = text.casefold(), change.title.casefold()
    return (len(title) >= _MIN_TITLE and title in folded) or (bool(change.version) and change.version.casefold() in folded)
