"""Requests in flight: signals that tell how many are being answered at once."""

import re

from bot.core.text.camel_case import separated

_IN_FLIGHT = re.compile(
    r"(?<![a-z])(in[_. -]?flight|(active|open|pending|outstanding|concurrent)[_. ]?(request|call)s?(?![a-z])"
    r"|(request|call)s?[_. ]?(active|pending|outstanding))",
    re.I,
)
_SELECTED = re.compile(r"\{[^}]*\}")
"""What an expression selects by: values of labels are no names of signals."""
_COUNTED = re.compile(r"_per_|_total|\brate\b|_rate|increase", re.I)
"""Names of what is counted over time: how many came, and not how many there are at once."""


def is_in_flight(signal: str) -> bool:
    """Whether it tells how many requests are being answered: as many as come times how long each takes (Little's law).

    So there are more of them at once where answers are slow, and more need not have come.
    """
    names = separated(_SELECTED.sub("", signal))
    return _IN_FLIGHT.search(names) is not None and _COUNTED.search(names) is None
