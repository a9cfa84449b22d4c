"""Log lines about failures that last: at the beginning, once a minute with what was counted, and at the end."""

from collections.abc import Callable
from typing import Any, Literal

from structlog.typing import FilteringBoundLogger

from bot.core.lasting_failures import FailureTracker
from bot.workflows.messages.delivery import AccessRefused, RateLimited, Refused

Monotonic = Callable[[], float]
Level = Literal["warning", "error"]


class FailureLog:
    """One for each kind of work. `log` is a structlog logger; a thousand messages that wait for Slack are one failure."""

    def __init__(self, log: FilteringBoundLogger, monotonic: Monotonic) -> None:
        self._log, self._monotonic = log, monotonic
        self._tracker = FailureTracker()

    def record(self, key: str, event: str, /, *, kind: str, level: Level = "warning", **details: object) -> None:
        """Something about `key` failed in this way; `details` are logged with it."""
        if figures := self._tracker.record(key, kind, self._monotonic()):
            getattr(self._log, level)(event, **details, **figures)

    def recovered(self, key: str, event: str) -> None:
        """It works."""
        if figures := self._tracker.recovered(key, self._monotonic()):
            self._log.info(event, **figures)


class SlackFailureLog:
    """What keeps messages out of Slack: Slack as a whole, or one channel that refuses."""

    def __init__(self, failures: FailureLog) -> None:
        self._failures = failures

    def record(self, error: Exception, *, channel: str, key: str, doing: str) -> None:
        """One call failed. `key` is the message it was for, as an example; `doing` names the call."""
        details: dict[str, Any] = {"why": str(error) or "no answer", "doing": doing, "key": key}
        if isinstance(error, Refused) and not isinstance(error, AccessRefused):
            event = "a channel refuses messages"
            self._failures.record(channel, event, kind=error.reason, channel=channel, **details)
        else:
            event = "Slack asks to wait" if isinstance(error, RateLimited) else "Slack does not take messages"
            self._failures.record("", event, kind=type(error).__name__, **details)

    def recovered(self, channel: str) -> None:
        """A message was taken there."""
        self._failures.recovered("", "Slack takes messages again")
        self._failures.recovered(channel, "a channel takes messages again")
