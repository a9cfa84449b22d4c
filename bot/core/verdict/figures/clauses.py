"""A sentence in its clauses: what one of them names is what its figures are about."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.core.verdict.figures.quantities import Quantity

Span = tuple[int, int]
"""Where a part of a sentence stands: its start and its end."""

_CLAUSE = re.compile(
    r"[;.!?](?:\s|$)|,\s|\s(?:and|but|while|whereas|because|as|since|when|so|although|though)\s|\s[-–—]\s", re.I
)
_STATEMENT = re.compile(r"[;.!?](?:\s|$)|,\s", re.I)
VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+){2,}(?:[-+][0-9A-Za-z.]*[0-9A-Za-z])?)(?![\w])", re.I)
_CLOCK = re.compile(
    r"(?<![\w:.-])(?<!\d{4}-\d\d-\d\d )([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?!\d|:\d|[.,]\d|\s?[ap]\.?m\b|\s?[+-]\d\d)",
    re.I,
)
"""A time of day in UTC, without its date."""


@dataclass(frozen=True)
class Clause:
    """A part of a sentence and where it stands in it."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def parted(self, mark: re.Pattern[str]) -> Iterator["Clause"]:
        """What stands between the places of a pattern."""
        start = 0
        for match in mark.finditer(self.text):
            yield Clause(self.start + start, self.text[start : match.start()])
            start = match.end()
        yield Clause(self.start + start, self.text[start:])

    @property
    def versions(self) -> list[str]:
        """The versions that it names, without their `v`."""
        return [match.group(1).casefold() for match in VERSION.finditer(self.text)]

    @property
    def clocks(self) -> list[tuple[Span, tuple[int, int, int | None]]]:
        """The times of day that it names, with where in the sentence they stand."""
        return [
            (
                (self.start + match.start(), self.start + match.end()),
                (int(match[1]), int(match[2]), int(match[3]) if match[3] else None),
            )
            for match in _CLOCK.finditer(self.text)
        ]


@dataclass(frozen=True)
class Sentence:
    """A sentence without what was struck from it or quoted, with its figures and the services that it may name."""

    text: str
    figures: Sequence[Quantity]
    services: Collection[str]

    @property
    def clauses(self) -> Iterator[Clause]:
        return self._whole.parted(_CLAUSE)

    def clause_of(self, figure: Quantity) -> Clause:
        return next(clause for clause in self.clauses if clause.start <= figure.start <= clause.end)

    def statement_of(self, figure: Quantity) -> Clause:
        """The part between two commas or full stops, with all that `since` and `and` join."""
        return next(part for part in self._whole.parted(_STATEMENT) if part.start <= figure.start <= part.end)

    def figures_of(self, clause: Clause) -> list[Quantity]:
        return [figure for figure in self.figures if clause.start <= figure.start < clause.end]

    def named_in(self, text: str) -> set[str]:
        """The services that a part of it names."""
        folded = text.casefold()
        return {name for name in self.services if name.casefold() in folded and service_pattern(name).search(text)}

    @property
    def _whole(self) -> Clause:
        return Clause(0, self.text)


def service_pattern(name: str) -> re.Pattern[str]:
    """The name of a service as a word of its own: `orders` is none in `orders-db`."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w]|-\w)", re.I)
