"""When a model's answer to the same alert is fresh enough that asking again would only cost."""

from datetime import datetime, timedelta

from bot.core.evidence import Findings

FRESH = timedelta(minutes=30)
"""So long a model's answer counts for the same alert, if what is seen now agrees with it."""


def agrees(by_agent: Findings, by_analyst: Findings) -> bool:
    """Whether both name the same first cause: then the analyst's answer, on evidence of now, tells the same."""
    if not by_agent.hypotheses or not by_analyst.hypotheses:
        return False
    theirs, ours = by_agent.hypotheses[0], by_analyst.hypotheses[0]
    if theirs.confidence in ("unlikely", "unsupported") or ours.confidence in ("unlikely", "unsupported"):
        return False
    return (theirs.kind, theirs.service, theirs.change_id) == (ours.kind, ours.service, ours.change_id)


def reused(by_analyst: Findings, ref: str, answered_at: datetime, now: datetime) -> Findings:
    """The analyst's findings with a note on why no model was asked."""
    minutes = max(1, round((now - answered_at).total_seconds() / 60))
    note = f"The model named the same first cause for the same alert {minutes} min ago ({ref}) and was not asked again."
    return by_analyst.noted(note)
