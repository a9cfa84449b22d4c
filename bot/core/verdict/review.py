"""The review of an answer by a second model: its objections are shown, and a refuted cause is no longer likely."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.evidence import Claim, Findings, Hypothesis, LedgerEntry
from bot.core.verdict.verdict import judge

MAX_AGAINST = 6


@dataclass(frozen=True)
class Refutation:
    """One objection to the hypothesis at `index` (from 0)."""

    index: int
    refutes: bool
    """False: it weakens the cause, which may still be right."""
    claim: Claim


def apply_refutations(findings: Findings, refutations: Iterable[Refutation], ledger: Sequence[LedgerEntry]) -> Findings:
    """The findings with every objection that the evidence carries; one without evidence changes nothing.

    A review only lowers: it neither adds a cause nor makes one surer. A "likely" cause that is refuted is "possible".
    """
    carried = [refutation for refutation in refutations if judge(Findings(ruled_out=[refutation.claim]), ledger).ruled_out]
    hypotheses = [
        _reviewed(hypothesis, [refutation for refutation in carried if refutation.index == index])
        for index, hypothesis in enumerate(findings.hypotheses)
    ]
    return findings.model_copy(update={"hypotheses": hypotheses})


def _reviewed(hypothesis: Hypothesis, refutations: Sequence[Refutation]) -> Hypothesis:
    if not refutations:
        return hypothesis
    against = [*(refutation.claim for refutation in refutations), *hypothesis.against]
    refuted = hypothesis.confidence == "likely" and any(refutation.refutes for refutation in refutations)
    update = {"against": against[:MAX_AGAINST], "confidence": "possible" if refuted else hypothesis.confidence}
    return hypothesis.model_copy(update=update)
