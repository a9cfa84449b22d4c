"""Token buckets: how often a message may be sent, with a short burst."""

from collections.abc import Callable


class TokenBucket:
    """`rate` tokens a second, at most `burst` at once; all moments come from `monotonic`, in seconds."""

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._rate, self._burst, self._monotonic = rate, burst, monotonic
        self._tokens, self._at = float(burst), monotonic()
        self._blocked_until = 0.0

    def wait(self) -> float:
        """Seconds until one token is there; 0 if now."""
        self._refill()
        blocked = max(0.0, self._blocked_until - self._at)
        return max(blocked, (1.0 - self._tokens) / self._rate if self._tokens < 1.0 else 0.0)

    def whole(self) -> int:
        """How many tokens may be taken now."""
        return 0 if self.wait() > 0 else int(self._tokens)

    def take(self) -> None:
        """Use one token."""
        self._refill()
        self._tokens -= 1.0

    def block(self, seconds: float) -> None:
        """Nothing before `seconds` from now: Slack answered with Retry-After."""
        self._blocked_until = max(self._blocked_until, self._monotonic() + seconds)

    @property
    def idle(self) -> bool:
        """Full and not blocked: it can be dropped."""
        return self.wait() == 0.0 and self._tokens >= self._burst

    def _refill(self) -> None:
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
