"""Which remediations of the catalogue fit a cause. Where none fits there is no proposal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.change import Change
from bot.core.config import ActionConfig
from bot.core.evidence import Findings, Hypothesis

ENOUGH_EVIDENCE = 2
"""Distinct pieces of evidence from which on a cause that is only "possible" deserves a proposal."""
ENOUGH_SCORE = 0.4


@dataclass(frozen=True)
class Remedy:
    """A catalogue entry with what it would be put to people with."""

    entry: str
    service: str
    arguments: dict[str, str] = field(default_factory=dict)
    because: str = ""


def fitting(
    findings: Findings, service: str, actions: Mapping[str, ActionConfig], changes: Mapping[str, Change]
) -> list[Remedy]:
    """The entries that help against the first hypothesis, the most specific first; empty if it is not carried well enough.

    `service` is the alerting one, used when the hypothesis names none; `changes` holds known changes by id: a change
    that nobody reported cannot be taken back.
    """
    if not findings.hypotheses or not _carried(first := findings.hypotheses[0]):
        return []
    change = changes.get(first.change_id) if first.change_id else None
    target = change.service if change else first.service or service
    fits = [name for name, entry in actions.items() if _fits(entry, first, change, target)]
    arguments = {"change_id": change.id} if change else {}
    because = _because(first)
    ranked = sorted(fits, key=lambda name: (not actions[name].change_kinds, not actions[name].services, name))
    return [Remedy(name, target, arguments, because) for name in ranked]


def _carried(hypothesis: Hypothesis) -> bool:
    if hypothesis.confidence == "likely":
        return True
    cited = {evidence for claim in hypothesis.claims for evidence in claim.evidence}
    return hypothesis.confidence == "possible" and len(cited) >= ENOUGH_EVIDENCE and hypothesis.score >= ENOUGH_SCORE


def _fits(entry: ActionConfig, hypothesis: Hypothesis, change: Change | None, target: str) -> bool:
    kind = "change" if change is not None else hypothesis.kind
    if kind not in entry.helps or (entry.services and target not in entry.services):
        return False
    if kind != "change":
        return True
    return change is not None and (not entry.change_kinds or change.kind in entry.change_kinds)


def _because(hypothesis: Hypothesis) -> str:
    cited = sorted({e for claim in hypothesis.claims for e in claim.evidence}, key=lambda e: (len(e), e))
    return f"{hypothesis.cause} ({hypothesis.confidence}, {', '.join(cited)})"
