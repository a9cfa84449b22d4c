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


def stands(by_agent: Findings, by_analyst: Findings) -> bool:
    """Whether an attempt made again for the same outage found nothing that could change what a model answered in the last."""
    return bool(by_agent.hypotheses) and not by_analyst.hypotheses


def reused(by_analyst: Findings, ref: str, answered_at: datetime, now: datetime) -> Findings:
    """The analyst's findings with a note on why no model was called."""
    minutes = max(1, round((now - answered_at).total_seconds() / 60))
    note = f"The model named the same first cause for the same alert {minutes} min ago ({ref}) and was not called again."
    return by_analyst.noted(note)
