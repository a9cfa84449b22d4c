"""Patterns that take linear time whatever the text is: RE2, several as one."""

from collections.abc import Sequence
from typing import Any

import re2

MAX_BYTES = 128 << 20
"""Of the states that a pattern has met. With too few of them an engine begins anew all the time."""


def linear(*patterns: str, capture: bool = False) -> Any:
    """One RE2 pattern of several. Without captures a match costs no more than finding it."""
    return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), _options(capture=capture))


def _options(*, capture: bool = False) -> Any:
    options = re2.Options()
    options.never_capture = not capture
    options.max_mem = MAX_BYTES
    # What runs out of memory is searched in another way; it says so on the standard error stream for each text otherwise.
    options.log_errors = False
    return options


class Several:
    """Many patterns, and which of them occur in a text: two passes tell it, however many they are."""

    def __init__(self, *patterns: str) -> None:
        self._any = linear(*patterns)
        self._each = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._each.Add(pattern)
        self._each.Compile()
        self._all = range(len(patterns))

    def within(self, text: str) -> Sequence[int]:
        """The places of the patterns that occur, in their order. Where the set runs out of memory: of all of them."""
        if not self._any.search(text):
            return ()
        return sorted(self._each.Match(text) or self._all)
