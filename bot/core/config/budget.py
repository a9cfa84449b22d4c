"""Limits of models and what they cost."""

from typing import Annotated

from pydantic import Field

from bot.core.config.fields import ConfigSection

CONTEXT_TOKENS = 32_000
"""Of a model of which nothing is known."""
Window = Annotated[int, Field(ge=4_000)]


class ModelPrices(ConfigSection):
    """Dollars for a million tokens. Cached input, input written to the cache, and reasoning cost what other input and output
    cost where they have no price of their own."""

    usd_per_million_in: float = Field(default=2.0, ge=0)
    usd_per_million_out: float = Field(default=8.0, ge=0)
    usd_per_million_cached: float | None = Field(default=None, ge=0)
    usd_per_million_cache_write: float | None = Field(default=None, ge=0)
    usd_per_million_reasoning: float | None = Field(default=None, ge=0)


class Budget(ModelPrices):
    """Limits of a model, and the prices of every model that `prices` does not name."""

    per_run_usd: float = Field(default=0.50, ge=0)
    per_day_usd: float = Field(default=20.0, ge=0)
    per_run_seconds: float = Field(default=300.0, ge=0)
    per_run_steps: int = Field(default=12, ge=0)
    per_run_calls: int = Field(default=25, ge=0)
    per_run_tokens: int = Field(default=200_000, ge=0)
    per_call_seconds: float = Field(default=180.0, gt=0)
    idle_seconds: float = Field(default=60.0, gt=0)
    """The longest silence within one answer."""
    context_tokens: Window | None = None
    """What a model can take in at once, its answer included; None: what its package knows of it, else `CONTEXT_TOKENS`."""
    context_windows: dict[str, Window] = Field(default_factory=dict)
    """The same of single models, by their names as in `prices`."""
    prices: dict[str, ModelPrices] = Field(default_factory=dict)
    """Of single models, by their names with or without their provider (`anthropic:claude-...`)."""

    @property
    def most_of_a_run(self) -> float:
        """Dollars set aside for one run. A run may exceed its limit by its last answer: that excess is not reserved."""
        models = (self, *self.prices.values())
        priced = any(getattr(prices, price) for prices in models for price in ModelPrices.model_fields)
        return min(self.per_run_usd, self.per_day_usd) if priced else 0.0
