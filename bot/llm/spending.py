"""What one run has used up, counted from recorded calls alone, so that a replay counts the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, JsonValue

from bot.core.config.budget import Budget, ModelPrices
from bot.llm.providers.capabilities import setting_of

LAST_SHARE = 0.25
"""Share of the run's time that is reserved for the answer: without an answer all tool calls would be wasted."""
NEAR = 0.8
"""From this share of the money or the tokens on the next call is the last."""


class Recovery(StrEnum):
    """What may still bring an answer after a failed call: nothing, a request for the answer alone, a shorter one."""

    NONE = ""
    ANSWER = "answer"
    SHORTER = "shorter"


class Usage(BaseModel):
    """Tokens of one request, as the provider counts them; estimated where its count never came."""

    model: str = ""
    tokens_in: int = 0
    """With those of the cache."""
    cached: int = 0
    cache_writes: int = 0
    tokens_out: int = 0
    """With those of the reasoning."""
    reasoning: int = 0
    estimated: bool = False

    def usd(self, prices: ModelPrices) -> float:
        """What these tokens cost, each kind at its own price."""
        plain_in = max(0, self.tokens_in - self.cached - self.cache_writes)
        plain_out = max(0, self.tokens_out - self.reasoning)
        price_in, price_out = prices.usd_per_million_in, prices.usd_per_million_out
        parts = (
            (plain_in, price_in),
            (self.cached, _price(prices.usd_per_million_cached, price_in)),
            (self.cache_writes, _price(prices.usd_per_million_cache_write, price_in)),
            (plain_out, price_out),
            (self.reasoning, _price(prices.usd_per_million_reasoning, price_out)),
        )
        return sum(tokens * price for tokens, price in parts) / 1e6


def prices_of(model: str, budget: Budget) -> ModelPrices:
    """The prices of this model: its own, else those of every model."""
    return setting_of(budget.prices, model) or budget


def _price(own: float | None, wider: float) -> float:
    return wider if own is None else own


class CallRecord(BaseModel):
    """What the journal keeps of one model call: the answer, or why there is none, and what it cost."""

    error: str = ""
    recovery: Recovery = Recovery.NONE
    """Journals of earlier versions have none: their runs ended at the first error, and replay so."""
    rest: float = 0.0
    """Seconds to leave the server alone before the next request."""
    seconds: float = 0.0
    usages: list[Usage] = Field(default_factory=list)
    """Of each request that was made for it, those without an answer included."""
    tokens_in: int = 0
    """Of records without `usages`, as earlier versions wrote them; so is the next."""
    tokens_out: int = 0
    model: str = ""
    hints: int = 0
    """How many hints of people the request held."""
    messages: list[dict[str, Any]] = Field(default_factory=list)
    """In langchain's own JSON form."""
    structured: JsonValue = None

    @property
    def all_usages(self) -> list[Usage]:
        return self.usages or [Usage(model=self.model, tokens_in=self.tokens_in, tokens_out=self.tokens_out)]


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
    context_full: bool = False
    """Whether the history fills the model's context even with all details left out."""
    request_too_long: bool = False
    """Whether the model refused a request for its length."""
    details_left_out: bool = False
    """Whether the newest request shows results without their details."""
    interruption: str = ""
    """Why a call failed after which the answer alone was requested."""

    def affords(self, usages: Sequence[Usage]) -> bool:
        """Whether tokens and money are left for another request after these, which are not counted yet."""
        tokens = self.tokens + sum(usage.tokens_in + usage.tokens_out for usage in usages)
        usd = self.usd + sum(usage.usd(prices_of(usage.model, self.budget)) for usage in usages)
        return tokens < self.budget.per_run_tokens and usd < self.budget.per_run_usd

    def add_tool_call(self, seconds: float) -> None:
        """Count the time of one recorded tool call."""
        self.tool_seconds = max(self.tool_seconds, seconds)

    def add_model_call(self, record: CallRecord) -> None:
        """Count one recorded model call."""
        self.steps += 1
        self.seconds += self.tool_seconds + record.seconds
        self.tool_seconds = 0.0
        for usage in record.all_usages:
            self.tokens += usage.tokens_in + usage.tokens_out
            self.usd += usage.usd(prices_of(usage.model, self.budget))
        self.model = record.model or self.model

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.budget.per_run_seconds - self.seconds - self.tool_seconds)

    def call_seconds(self, *, last: bool) -> float:
        """Seconds for the next model call with all its tries. What was gathered is not left without the time to answer."""
        reserved = LAST_SHARE * self.budget.per_run_seconds if self.calls and not last else 0.0
        return max(0.0, self.seconds_left - reserved)

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
    def limit_near(self) -> str:
        """The limit for which the next model call must be the answer; "" if none: one turn is reserved for it."""
        limits = (
            (self.steps >= self.budget.per_run_steps - 1, "turns"),
            (self.calls >= self.budget.per_run_calls, "tool calls"),
            (self.seconds_left <= LAST_SHARE * self.budget.per_run_seconds, "time"),
            (self.usd >= NEAR * self.budget.per_run_usd, "money"),
            (self.tokens >= NEAR * self.budget.per_run_tokens, "tokens"),
            (self.context_full, "context"),
        )
        return next((name for near, name in limits if near), "")
