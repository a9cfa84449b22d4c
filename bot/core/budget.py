"""What a model may cost in money, time and tokens, and what its tokens cost."""

from pydantic import BaseModel, ConfigDict, Field


class ModelPrices(BaseModel):
    """What a model costs, in dollars for a million tokens; a price that is not set is that of the wider kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd_per_million_in: float = Field(default=2.0, ge=0)
    usd_per_million_out: float = Field(default=8.0, ge=0)
    usd_per_million_cached: float | None = Field(default=None, ge=0)
    """Input that the provider had in its cache; not set: as other input."""
    usd_per_million_cache_write: float | None = Field(default=None, ge=0)
    """Input that the provider puts into its cache; not set: as other input."""
    usd_per_million_reasoning: float | None = Field(default=None, ge=0)
    """Output that is reasoning; not set: as other output."""

    @property
    def free(self) -> bool:
        """Whether nothing is counted, as for a model on one's own machine."""
        return not any(getattr(self, price) for price in ModelPrices.model_fields)


class Budget(ModelPrices):
    """Limits of a model, and the prices of every model that `prices` does not name."""

    per_run_usd: float = Field(default=0.50, ge=0)
    per_day_usd: float = Field(default=20.0, ge=0)
    per_run_seconds: float = Field(default=300.0, ge=0)
    per_run_steps: int = Field(default=12, ge=0)
    per_run_calls: int = Field(default=25, ge=0)
    per_run_tokens: int = Field(default=200_000, ge=0)
    per_call_seconds: float = Field(default=180.0, gt=0)
    """Of one request to the model, from its start to the end of its answer."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """The longest silence within one answer: a server that hangs is left before `per_call_seconds` are over."""
    context_tokens: int = Field(default=32_000, ge=4_000)
    """Tokens that the model can take in at once, its answer included."""
    prices: dict[str, ModelPrices] = Field(default_factory=dict)
    """Prices of single models by their names: of the fallback model, of the skeptic."""

    @property
    def most_of_a_run(self) -> float:
        """Dollars set aside for one run. A run may exceed its limit by its last answer: that excess is not reserved."""
        free = all(prices.free for prices in (self, *self.prices.values()))
        return 0.0 if free else min(self.per_run_usd, self.per_day_usd)

    def prices_of(self, model: str) -> ModelPrices:
        """The prices of the model of this name, which may stand with or without its provider (`anthropic:claude-...`)."""
        named = {name.rpartition(":")[2]: prices for name, prices in self.prices.items()}
        return self.prices.get(model) or named.get(model.rpartition(":")[2], self)
