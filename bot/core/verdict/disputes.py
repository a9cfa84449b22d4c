"""Changes that the evidence clears, and causes that accuse one of them all the same."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.core.change import Change
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.text.untrusted import one_line
from bot.core.verdict.identity import names_change

MAX_RULED_OUT = 8
"""Claims under "ruled out", the model's own first."""
MAX_AGAINST = 6
NAMED = ("likely", "possible")
"""The confidence of a cause that accuses somebody."""


def with_exonerated(findings: Findings, exonerated: Mapping[str, Claim], changes: Mapping[str, Change]) -> Findings:
    """The findings with what the evidence clears under "ruled out".

    A cause that accuses such a change is in dispute: the exonerating claim stands against it, it is possible at most, and
    the change is not listed as ruled out.
    """
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
    return findings.model_copy(
        update={"hypotheses": disputed, "ruled_out": ruled_out, "dropped": [*findings.dropped, *lowered]}
    )


def _disputed(hypothesis: Hypothesis, against: Sequence[Claim]) -> Hypothesis:
    if not against:
        return hypothesis
    new = [claim for claim in against if claim.text not in {other.text for other in hypothesis.against}]
    confidence = "possible" if hypothesis.confidence == "likely" else hypothesis.confidence
    return hypothesis.model_copy(update={"against": [*new, *hypothesis.against][:MAX_AGAINST], "confidence": confidence})


def _accuses(hypothesis: Hypothesis, change: Change, changes: Collection[str]) -> bool:
    """Whether a likely or possible cause is this change; a model may omit the id and name the version."""
    if hypothesis.confidence not in NAMED:
        return False
    if hypothesis.change_id in changes:
        return hypothesis.change_id == change.id
    return hypothesis.service in ("", change.service) and names_change(hypothesis.cause, change)


def _is_about(text: str, change: Change, others: Iterable[Change]) -> bool:
    """Whether a sentence is about this change: by its id, its title, or its version where no other has the same."""
    if change.id in text:
        return True
    same = [other for other in others if other.version == change.version]
    return names_change(text, change) and (len(same) == 1 or change.service in text)
