"""What was understood of a document: for each field the value, where it stands and why it was taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from bot.core.payloads.leaves import GENERAL, Scalar, words_of
from bot.core.payloads.names import AlertField, names_beginning
from bot.core.payloads.values import State, lacks_zone, moment_of

_UTC_NAMES = frozenset(("utc", "gmt"))


class Choice(NamedTuple):
    """The value that was taken for a field, its path ("": none) and why it was taken.

    `guessed`: by its name and form alone, no team and no reader of the sender's form said so.
    """

    value: Scalar
    path: str
    reason: str
    guessed: bool = False


@dataclass(frozen=True)
class Understanding:
    """One alert as it was understood. `choices` lacks what the document does not tell."""

    choices: Mapping[AlertField, Choice] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    state: State = State.FIRING
    warnings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """What the rule, the monitor or the check behind it is called, in small letters and without figures."""
    is_check: bool = False
    """Whether the service that it names is a check of a host."""

    def text(self, field: AlertField) -> str:
        """The value of a field; "" if there is none."""
        choice = self.choices.get(field)
        return str(choice.value).strip() if choice else ""

    def moment(self, field: AlertField, zone: tzinfo = UTC) -> datetime | None:
        """The moment in a field; None if there is none. `zone`: of a time that names none."""
        choice = self.choices.get(field)
        return moment_of(choice.value, zone if self.lacks_zone(field) else UTC) if choice else None

    def lacks_zone(self, field: AlertField) -> bool:
        """Whether the time in a field names no zone, nor does its name: that of `changed_utc_time` does."""
        choice = self.choices.get(field)
        named = choice is not None and _UTC_NAMES & set(words_of(choice.path.rpartition(".")[2]))
        return choice is not None and not named and lacks_zone(choice.value)

    @property
    def start_is_report(self) -> bool:
        """Whether the time that was taken for the start is that of the report, as far as its name tells."""
        choice = self.choices.get(AlertField.STARTS_AT)
        return choice is not None and choice.guessed and not names_beginning(words_of(choice.path.rpartition(".")[2]))

    @property
    def entity_kind(self) -> str:
        """What the name of the chosen service calls it, as its words: "service", "host_name", "team"; "" without one.

        A general name tells nothing by itself: that of `team: {name: ...}` is "team".
        """
        choice = self.choices.get(AlertField.SERVICE)
        if choice is None:
            return ""
        names = [part for part in reversed(choice.path.split(".")) if part and not part.isdigit()]
        return next(("_".join(words) for part in names if not set(words := words_of(part)) <= GENERAL), "service")


@dataclass(frozen=True)
class Corrections:
    """What a team says about its sender: paths of fields (or `=text` for a fixed text), and more words for "resolved"."""

    fields: Mapping[AlertField, str] = field(default_factory=dict)
    resolved_words: frozenset[str] = frozenset()
    """In small letters."""
    preset: Mapping[AlertField, Scalar] = field(default_factory=dict)
    """What a reader of the sender's own form knows already; `fields` goes before it."""
    zone: tzinfo = UTC
    """Of times that name none."""
