"""Lines about troubles that last: at the beginning, once a minute with what was counted, and at the end."""

from collections.abc import Callable
from typing import Any, Literal

from bot.core.lasting_failures import FailureTracker
from bot.workflows.messages.delivery import AccessRefused, RateLimited, Refused

Monotonic = Callable[[], float]
Level = Literal["warning", "error"]


class Troubles:
    """One for each kind of work. `log` is a structlog logger; a thousand messages that wait for Slack are one trouble."""

    def __init__(self, log: Any, monotonic: Monotonic) -> None:
        self._log, self._monotonic = log, monotonic
        self._spells = FailureTracker()

    def met(self, key: str, event: str, /, *, kind: str, level: Level = "warning", **more: Any) -> None:
        """Something about `key` failed in this way; `more` is told with it."""
        if counted := self._spells.met(key, kind, self._monotonic()):
            getattr(self._log, level)(event, **more, **counted)

    def over(self, key: str, event: str) -> None:
        """It works."""
        if counted := self._spells.over(key, self._monotonic()):
            self._log.info(event, **counted)


class SlackTroubles:
    """What keeps messages from standing in Slack: Slack as a whole, or one channel that refuses."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles

    def met(self, error: Exception, *, channel: str, key: str, doing: str) -> None:
        """One call failed. `key` is the message it was for, as an example; `doing` says what was tried."""
        more: dict[str, Any] = {"why": str(error) or "no answer", "doing": doing, "key": key}
        if isinstance(error, Refused) and not isinstance(error, AccessRefused):
            event = "a channel refuses messages"
            self._troubles.met(channel, event, kind=error.reason, channel=channel, **more)
        else:
            event = "Slack asks to wait" if isinstance(error, RateLimited) else "Slack does not take messages"
            self._troubles.met("", event, kind=type(error).__name__, **more)

    def over(self, channel: str) -> None:
        """A message was taken there."""
        self._troubles.over("", "Slack takes messages again")
        self._troubles.over(channel, "a channel takes messages again")
