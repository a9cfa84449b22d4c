"""How well one value of a document fits a field: by its name, its place and its form."""

import re
from collections.abc import Callable, Iterable, Mapping

from bot.core.payloads import values
from bot.core.payloads.choices import Choice
from bot.core.payloads.leaves import GENERAL, Leaf, Scalar
from bot.core.payloads.names import APART_COST, LEVEL_COST, NAMED_THINGS, AlertField, cost_of, worth_of

_RANKS = frozenset(("priority", "prio", "urgency"))
_SEVERITIES = frozenset(("severity", "sev", "criticality", "priority"))
_ENDING = frozenset((AlertField.STATUS, AlertField.ENDS_AT))
"""What could end an alert is taken from nowhere but the alert: a request that went well says nothing about it."""
_OF_REQUESTS = frozenset(("ok", "okay"))
"""What an answer of an API says of itself, whatever it brings."""
_LONGEST_NAME = 120
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
"""Of a person: who reported it is not what it is about."""
_OUTER_COST = 4.0
"""What the body around an alert tells is worth less than what the alert tells itself."""


def best(
    field: AlertField, own: Iterable[Leaf], around: Iterable[Leaf], *, unlike: str = "", title: Choice | None = None
) -> Choice | None:
    """The value that fits best; None if none does. `unlike`: a text that is taken already. `title`: of a status.

    A mere "ok" above the title may be that of the request that brought it.
    """
    rated = [(fit - _distance(leaf, title), leaf) for leaf in own if (fit := worth(field, leaf))]
    rated += [(worth(field, leaf) - _OUTER_COST, leaf) for leaf in around]
    top = max((row for row in rated if row[0] > 0 and str(row[1].value) != unlike), key=lambda row: row[0], default=None)
    if top is None:
        return None
    leaf = top[1]
    value: Scalar = severity_of(leaf) if field is AlertField.SEVERITY else leaf.value
    if field is AlertField.SERVICE:
        value = values.short_name(str(value))
    return Choice(value, leaf.dotted_path, f"the name {leaf.name!r} fits, and the value is {_FORMS[field]}", guessed=True)


def _distance(leaf: Leaf, title: Choice | None) -> float:
    above = title is not None and title.path.count(".") >= len(leaf.path)
    return _OUTER_COST if above and leaf.words == ("status",) and str(leaf.value).lower() in _OF_REQUESTS else 0.0


def worth(field: AlertField, leaf: Leaf) -> float:
    """How well a leaf fits a field; 0 if its name does not, or its value cannot be one."""
    named = worth_of(field, _full_name(field, leaf))
    fit = _TESTS[field](leaf) if named else None
    cost = cost_of(leaf.around)
    if fit is None or (field in _ENDING and cost >= APART_COST):
        return 0.0
    return named + fit - LEVEL_COST * (len(leaf.path) - 1) - cost


def _full_name(field: AlertField, leaf: Leaf) -> tuple[str, ...]:
    general = bool(leaf.words) and set(leaf.words) <= GENERAL
    of_alert = field in (AlertField.NAME, AlertField.SUMMARY) and not NAMED_THINGS & set(leaf.parent)
    titled = of_alert and set(leaf.words) <= {"title", "summary"}
    return (*leaf.parent, *leaf.words) if general and leaf.parent and not titled else leaf.words


# Tests of values: None refuses, a number is added to what the name is worth.


def _title(leaf: Leaf) -> float | None:
    fit = _phrase(leaf)
    # A sentence with what was measured this time names an alert less well than what it is called.
    return None if fit is None else fit - 2.0 * (len(str(leaf.value).strip()) > _LONGEST_NAME)


def _text(leaf: Leaf) -> float | None:
    return None if leaf.label and not _is_title(leaf) else _phrase(leaf)


def _phrase(leaf: Leaf) -> float | None:
    text = leaf.value.strip() if isinstance(leaf.value, str) else ""
    if not text or not any(char.isalpha() for char in text):
        return None
    if values.is_url(text) or values.is_id(text) or values.is_date(text) or values.is_unfilled(text):
        return None
    path_like = "/" in text and " " not in text
    among_labels = leaf.label and not _is_title(leaf)
    long = 1.0 * (len(text) > 200) + 2.0 * (len(text) > 2000)
    unfit = 3.0 * path_like + 4.0 * among_labels + long + 2.0 * values.begins_with_state(text)
    return (1.0 if " " in text else 0.0) - unfit


def _is_title(leaf: Leaf) -> bool:
    """Among labels what is called an alert's name, title or summary is one; any other name is a guess."""
    return bool({"alertname", "title", "summary"} & set(leaf.words)) or leaf.words in (("alert", "name"), ("rule", "name"))


def severity_of(leaf: Leaf) -> str:
    """The severity that a leaf holds, in the sender's word; "" if none."""
    name = {*leaf.words, *(leaf.parent if set(leaf.words) <= GENERAL else ())}
    return values.severity_word(leaf.value, ranked=bool(_RANKS & name), named=bool(_SEVERITIES & name))


def _severity(leaf: Leaf) -> float | None:
    word = severity_of(leaf).lower()
    if not word:
        return None
    return 0.0 if word in values.SEVERITY_WORDS or (word[0] in "ps" and word[-1].isdigit()) else -3.5


def _status(leaf: Leaf) -> float | None:
    if not isinstance(leaf.value, str) or values.state_of(leaf.value) is None:
        return None
    names = {"state"} if values.is_outcome(leaf.value) else {"state", "status"}
    return None if values.is_state_alone(leaf.value) and not names & set(leaf.words) else 0.0


def _entity(leaf: Leaf) -> float | None:
    text = leaf.value.strip() if isinstance(leaf.value, str) else ""
    unfit = (
        not text or len(text) > 120 or text.isdigit() or values.is_unfilled(text) or values.is_date(text) or values.is_url(text)
    )
    if unfit or _ADDRESS.fullmatch(text) or len(text.split()) > 6 or text.lower() in ("unknown", "none", "n/a", "null", "-"):
        return None
    return -2.0 * values.is_id(text) - 3.0 * (text.count("/") > 1)


def _moment(leaf: Leaf) -> float | None:
    return 0.0 if values.moment_of(leaf.value) is not None else None


def _link(leaf: Leaf) -> float | None:
    text = str(leaf.value)
    if not text.lower().startswith(("http://", "https://")) or not values.is_url(text):
        return None
    return -3.0 * bool({"api", "self", "image", "icon", "avatar", "logo", "silence"} & set(leaf.words))


def _expression(leaf: Leaf) -> float | None:
    return 0.0 if isinstance(leaf.value, str) and 2 < len(leaf.value) <= 8192 and not values.is_url(leaf.value) else None


def _identity(leaf: Leaf) -> float | None:
    text = str(leaf.value).strip()
    blank = text.lower() in ("0", "-1", "-", "none", "null", "unknown", "n/a")
    unfit = isinstance(leaf.value, bool) or blank or values.is_unfilled(text)
    return 0.0 if not unfit and 0 < len(text) <= 512 else None


_TESTS: Mapping[AlertField, Callable[[Leaf], float | None]] = {
    AlertField.NAME: _title,
    AlertField.SUMMARY: _text,
    AlertField.SEVERITY: _severity,
    AlertField.STATUS: _status,
    AlertField.SERVICE: _entity,
    AlertField.STARTS_AT: _moment,
    AlertField.ENDS_AT: _moment,
    AlertField.LINK: _link,
    AlertField.EXPRESSION: _expression,
    AlertField.FINGERPRINT: _identity,
}
_FORMS: Mapping[AlertField, str] = {
    AlertField.NAME: "a text that can stand as a title",
    AlertField.SUMMARY: "a text",
    AlertField.SEVERITY: "a severity",
    AlertField.STATUS: "a status",
    AlertField.SERVICE: "the name of a thing",
    AlertField.STARTS_AT: "a moment",
    AlertField.ENDS_AT: "a moment",
    AlertField.LINK: "an address",
    AlertField.EXPRESSION: "a text",
    AlertField.FINGERPRINT: "a key",
}
