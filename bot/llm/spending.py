"""What one run has used up, counted from recorded calls alone, so that a replay counts the same."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, JsonValue

from bot.core.config import Budget

LAST_SHARE = 0.25
"""Share of the run's time that is reserved for the answer: without an answer all tool calls would be wasted."""


class CallRecord(BaseModel):
    """What the journal keeps of one model call: the answer, or why there is none, and what it cost."""

    error: str = ""
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    model: str = ""
    hints: int = 0
    """How many hints of people the request held."""
    messages: list[dict[str, Any]] = Field(default_factory=list)
    """In langchain's own JSON form."""
    structured: JsonValue = None


@dataclass
class Spending:
    """Steps, calls, seconds, tokens and dollars against the budget of one run."""

    budget: Budget
    steps: int = 0
    calls: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float = 0.0
    model: str = ""
    tool_seconds: float = 0.0
    """Seconds of the longest tool call since the last model call: those of one turn run side by side."""

    def add_tool_call(self, seconds: float) -> None:
        """Count the time of one recorded tool call."""
        self.tool_seconds = max(self.tool_seconds, seconds)

    def add_model_call(self, record: CallRecord) -> None:
        """Count one recorded model call."""
        self.steps += 1
        self.seconds += self.tool_seconds + record.seconds
        self.tool_seconds = 0.0
        self.tokens += record.tokens_in + record.tokens_out
        price_in, price_out = self.budget.usd_per_million_in, self.budget.usd_per_million_out
        self.usd += (record.tokens_in * price_in + record.tokens_out * price_out) / 1e6
        self.model = record.model or self.model

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.budget.per_run_seconds - self.seconds - self.tool_seconds)

    @property
    def used_up(self) -> str:
        """Which limit was reached, in words; "" if none."""
        limits = (
            (self.steps >= self.budget.per_run_steps, f"{self.budget.per_run_steps} turns"),
            (self.tokens >= self.budget.per_run_tokens, f"{self.budget.per_run_tokens} tokens"),
            (self.usd >= self.budget.per_run_usd, f"{self.budget.per_run_usd:.2f} USD"),
            (self.seconds_left <= 0, f"{self.budget.per_run_seconds:.0f} s"),
        )
        return next((f"limit of {text} reached" for reached, text in limits if reached), "")

    @property
    def last_turn(self) -> bool:
        """Whether the next model call must be the answer: one turn is reserved for it."""
        near = self.steps >= self.budget.per_run_steps - 1 or self.calls >= self.budget.per_run_calls
        late = self.seconds_left <= LAST_SHARE * self.budget.per_run_seconds
        return near or late or self.usd >= 0.8 * self.budget.per_run_usd or self.tokens >= 0.8 * self.budget.per_run_tokens
