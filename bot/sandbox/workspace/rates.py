"""Token buckets that answer 429 as Slack does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import RATES, Rate


@dataclass
class Bucket:
    """Tokens left of one rate; a refused call takes none."""

    rate: Rate
    tokens: float
    filled_at: float

    def take(self, at: float) -> float:
        """Take one token at monotonic second `at`; the answer is how many seconds are missing, 0 if taken."""
        self.tokens = min(self.rate.burst, self.tokens + (at - self.filled_at) * self.rate.per_second)
        self.filled_at = at
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate.per_second
        self.tokens -= 1
        return 0.0


@dataclass
class RateLimits:
    """All buckets of the app in this workspace; `enabled=False` lets everything pass."""

    enabled: bool = True
    rates: dict[str, Rate] = field(default_factory=lambda: dict(RATES))
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def check(self, method: str, channel: str, at: float) -> None:
        """Raise `Refused("ratelimited")` with whole seconds to wait when the method was called too often."""
        rate = self.rates.get(method)
        if rate is None or not self.enabled:
            return
        key = (method, channel if rate.by_channel else "")
        bucket = self.buckets.setdefault(key, Bucket(rate, rate.burst, at))
        missing_s = bucket.take(at)
        if missing_s > 0:
            raise Refused("ratelimited", retry_after=max(1, math.ceil(missing_s)))

    def change(self, method: str, rate: Rate) -> None:
        """Give `method` another rate and forget what it used."""
        self.rates[method] = rate
        self.buckets = {key: bucket for key, bucket in self.buckets.items() if key[0] != method}
