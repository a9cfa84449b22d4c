"""What a skeptic's doubts do to an answer: evidence against it is shown, and a refuted cause is no longer likely."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.evidence import Claim, Findings, Hypothesis, LedgerEntry
from bot.core.verdict.verdict import judge

MOST_AGAINST = 6


@dataclass(frozen=True)
class Refutation:
    """One objection to the hypothesis at `place` (from 0)."""

    place: int
    refutes: bool
    """False: it weakens, and the cause may stand."""
    claim: Claim


def apply_refutations(findings: Findings, doubts: Iterable[Refutation], ledger: Sequence[LedgerEntry]) -> Findings:
    """The findings with every doubt that the evidence carries; a doubt without evidence changes nothing.

    A skeptic only lowers: it neither adds a cause nor makes one surer. A "likely" cause that is refuted is "possible".
    """
    carried = [doubt for doubt in doubts if judge(Findings(ruled_out=[doubt.claim]), ledger).ruled_out]
    hypotheses = [
        _doubted(hypothesis, [doubt for doubt in carried if doubt.place == place])
        for place, hypothesis in enumerate(findings.hypotheses)
    ]
    return findings.model_copy(update={"hypotheses": hypotheses})


def _doubted(hypothesis: Hypothesis, doubts: Sequence[Refutation]) -> Hypothesis:
    if not doubts:
        return hypothesis
    against = [*(doubt.claim for doubt in doubts), *hypothesis.against]
    refuted = hypothesis.confidence == "likely" and any(doubt.refutes for doubt in doubts)
    update = {"against": against[:MOST_AGAINST], "confidence": "possible" if refuted else hypothesis.confidence}
    return hypothesis.model_copy(update=update)
