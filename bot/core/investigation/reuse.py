"""When a model's answer to the same alert is recent enough not to call the model again."""

from datetime import datetime, timedelta

from bot.core.evidence import Findings
from bot.core.verdict.merging import same_cause

FRESH = timedelta(minutes=30)
"""How long a model's answer is reused for the same alert, if the analyst's ranking of now agrees with it."""


def agrees(by_agent: Findings, by_analyst: Findings) -> bool:
    """Whether both name the same first cause: then the analyst's answer, on evidence of now, says the same."""
    if not by_agent.hypotheses or not by_analyst.hypotheses:
        return False
    agents, analysts = by_agent.hypotheses[0], by_analyst.hypotheses[0]
    if agents.confidence in ("unlikely", "unsupported") or analysts.confidence in ("unlikely", "unsupported"):
        return False
    # Of a merged answer the first cause may be the analyst's alone: then the model said something else.
    return agents.named_by != "analyst" and same_cause(agents, analysts)


def answered_before(earlier: Findings, by_analyst: Findings) -> bool:
    """Whether a model answered earlier in the same outage, and the cause that was first then is first now."""
    if earlier.stop_reason != "answered" or not (earlier.model and earlier.hypotheses and by_analyst.hypotheses):
        return False
    then, now = earlier.hypotheses[0], by_analyst.hypotheses[0]
    same = (then.kind, then.service, then.change_id) == (now.kind, now.service, now.change_id)
    return (same and then.named_by != "agent") or same_cause(then, now)


def of_model(earlier: Findings) -> Findings:
    """What a model had its part in of an earlier answer."""
    named = [cause for cause in earlier.hypotheses if cause.named_by in ("agent", "both")]
    return earlier.model_copy(update={"by": "agent", "hypotheses": named, "ruled_out": [], "note": "", "usd": 0.0})


def reused(by_analyst: Findings, ref: str, answered_at: datetime, now: datetime) -> Findings:
    """The analyst's findings with a note on why no model was called."""
    minutes = max(1, round((now - answered_at).total_seconds() / 60))
    note = f"The model named the same first cause for the same alert {minutes} min ago ({ref}) and was not called again."
    return by_analyst.noted(note)
