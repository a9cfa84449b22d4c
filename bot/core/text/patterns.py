"""Patterns that take linear time whatever the text is: RE2, several as one."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

import re2

MAX_BYTES = 128 << 20
"""Size of RE2's DFA cache for one pattern. A small one is emptied and rebuilt all the time."""
_SCREEN_BYTES = 32 << 20
_REPEATED = re.compile(r"\{([0-9]+),([0-9]+)\}")
_LEAST_COUNTED = 8


class Match(Protocol):
    """Where a pattern occurs: what RE2's matches share with those of `re`. RE2's own classes have no types."""

    @property
    def lastindex(self) -> int | None: ...

    def group(self, group: int = 0, /) -> str: ...

    def groups(self) -> Sequence[str | None]: ...

    def start(self, group: int = 0, /) -> int: ...

    def end(self, group: int = 0, /) -> int: ...

    def span(self, group: int = 0, /) -> tuple[int, int]: ...


class Pattern(Protocol):
    """A compiled pattern of RE2."""

    def search(self, text: str, /) -> Match | None: ...

    def finditer(self, text: str, /) -> Iterator[Match]: ...


class _AnyOf:
    """A pattern that is compiled at its first use: all those for secrets take 20 MB, and most texts need none of them."""

    def __init__(self, source: str, capture: bool, max_bytes: int) -> None:
        self._source, self._capture, self._max_bytes = source, capture, max_bytes

    @cached_property
    def search(self) -> Callable[[str], Match | None]:
        search: Callable[[str], Match | None] = self._compiled.search
        return search

    @cached_property
    def finditer(self) -> Callable[[str], Iterator[Match]]:
        finditer: Callable[[str], Iterator[Match]] = self._compiled.finditer
        return finditer

    @cached_property
    def _compiled(self) -> Pattern:
        pattern: Pattern = re2.compile(self._source, _options(self._capture, self._max_bytes))
        return pattern


def any_of(*patterns: str, capture: bool = False, max_bytes: int = MAX_BYTES) -> Pattern:
    """One RE2 pattern that matches any of these. Without captures a match costs no more than finding it."""
    return _AnyOf("|".join(f"(?:{source})" for source in patterns), capture, max_bytes)


def screen_of(*patterns: str) -> Pattern:
    """One pattern that matches wherever one of these does, in a text or among several in lines, and more often than that."""
    # An edge of a text is the edge of a line here.
    return any_of(*(f"(?m:{_REPEATED.sub(_without_limit, pattern)})" for pattern in patterns), max_bytes=_SCREEN_BYTES)


def _without_limit(repeated: re.Match[str]) -> str:
    """`{1,60}` as `+`: it matches more often, and RE2 counts nothing, which takes a state for each number."""
    least, most = map(int, repeated.groups())
    if most < _LEAST_COUNTED:
        return repeated.group()
    return {0: "*", 1: "+"}.get(least, f"{{{least},}}")


def _options(capture: bool = False, max_bytes: int = MAX_BYTES) -> re2.Options:
    options = re2.Options()
    options.never_capture = not capture
    options.max_mem = max_bytes
    # What runs out of memory is searched in another way; it says so on the standard error stream for each text otherwise.
    options.log_errors = False
    return options


class Several:
    """Many patterns, and which of them occur in a text: few passes tell it, however many they are."""

    def __init__(self, *patterns: str, screens: Sequence[Pattern] = ()) -> None:
        """`screens`: what matches wherever one of the patterns does, if there is something already that is in use."""
        self._screens, self._patterns = screens or (any_of(*patterns),), patterns

    @cached_property
    def _each(self) -> re2.Set:
        each = re2.Set.SearchSet(_options())
        for pattern in self._patterns:
            each.Add(pattern)
        each.Compile()
        return each

    def within(self, text: str) -> Sequence[int]:
        """The places of the patterns that occur, in their order. Where the set runs out of memory: of all of them."""
        if not any(screen.search(text) for screen in self._screens):
            return ()
        return sorted(self._each.Match(text) or range(len(self._patterns)))
