"""When people are reminded in Slack of what nobody acknowledged: ever more seldom, and more of them each time."""

from collections.abc import Sequence
from datetime import timedelta
from math import log2

MAX_REMINDERS = 6
"""Of one alert: whoever reads none of these reads no seventh."""
SHORTEST = timedelta(minutes=1)


def reminders_due(waiting: timedelta, after: timedelta) -> int:
    """How many reminders there should be by now: one after `after`, the next after twice, four times ... as long."""
    first = max(after, SHORTEST)
    return min(MAX_REMINDERS, int(log2(waiting / first)) + 1) if waiting >= first else 0


def waited(number: int, after: timedelta) -> timedelta:
    """For how long an alert waits when its reminder of this number is due."""
    return max(after, SHORTEST) * (1 << number - 1)


def reminded(number: int, *, on_call: Sequence[str], secondary: Sequence[str], default: Sequence[str]) -> list[str]:
    """Whom a reminder mentions: the on-call, from the second on the secondary too, from the third the default on-call."""
    others = [*(secondary if number > 1 else ()), *(default if number > 2 else ())]
    return list(dict.fromkeys([*(on_call or default), *others]))
