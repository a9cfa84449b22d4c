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


def asked_before(earlier: Findings, by_analyst: Findings) -> bool:
    """Whether a model had its part in an earlier answer of the same outage, and the same cause is first as then."""
    if not (earlier.model and earlier.hypotheses and by_analyst.hypotheses):
        return False
    then, now = earlier.hypotheses[0], by_analyst.hypotheses[0]
    by_analyst_too = then.named_by != "agent" and (then.kind, then.service, then.change_id) == (
        now.kind,
        now.service,
        now.change_id,
    )
    return by_analyst_too or same_cause(then, now)


def stands(earlier: Findings, by_analyst: Findings, *, blind: bool) -> bool:
    """Whether what a model answered in the same outage is all there is: nothing could be measured now either (`blind`)."""
    return bool(earlier.model) and blind and not by_analyst.hypotheses


def reused(by_analyst: Findings, ref: str, answered_at: datetime, now: datetime) -> Findings:
    """The analyst's findings with a note on why no model was called."""
    minutes = max(1, round((now - answered_at).total_seconds() / 60))
    note = f"The model named the same first cause for the same alert {minutes} min ago ({ref}) and was not called again."
    return by_analyst.noted(note)
