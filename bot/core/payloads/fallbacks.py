"""What texts tell where no field does: a title, a severity at its beginning, a thing such as `host=web-1` in it."""

import re
from collections.abc import Mapping, Sequence

from bot.core.payloads import values
from bot.core.payloads.choices import Choice
from bot.core.payloads.leaves import Leaf, words_of
from bot.core.payloads.names import AlertField, cost_of, worth_of

_PAIR = re.compile(r"\b([A-Za-z]\w{1,30})\s?[:=]\s?[\"']?([A-Za-z0-9][\w./-]{0,80})")
_LEADING = re.compile(
    r"(?i)^\W*(?:alert\W+)?(p[0-9]|sev[ -]?[0-9]|urgent|blocker|critical|crit|fatal|emergency|error|major|warning|warn|minor"
    r"|info)\b\s*[\]:|-]"
)


def fallback(field: AlertField, choices: Mapping[AlertField, Choice], leaves: Sequence[Leaf]) -> Choice | None:
    """A value for a field that no name fits; None if the texts tell none."""
    if field is AlertField.NAME:
        return _sentence(leaves) or _named_address(leaves)
    texts = [choices[field] for field in (AlertField.NAME, AlertField.SUMMARY) if field in choices]
    if field is AlertField.SEVERITY:
        return next((choice for text in texts if (choice := _leading_severity(text))), None)
    if field is AlertField.SERVICE:
        return next((choice for text in texts if (choice := _named_thing(text))), None)
    return None


def _sentence(leaves: Sequence[Leaf]) -> Choice | None:
    """The first text of several words, whatever it is called."""
    for leaf in leaves:
        text = leaf.value.strip() if isinstance(leaf.value, str) and not leaf.label and not cost_of(leaf.around) else ""
        plain = not (values.is_url(text) or values.is_date(text) or values.is_unfilled(text))
        if 5 < len(text) <= 500 and len(text.split()) > 1 and plain:
            return Choice(text, leaf.dotted_path, "no name says title; this is the first sentence")
    return None


def _named_address(leaves: Sequence[Leaf]) -> Choice | None:
    """The address that stands where a name should."""
    for leaf in leaves:
        if isinstance(leaf.value, str) and values.is_url(leaf.value) and worth_of(AlertField.NAME, leaf.words) > 0:
            return Choice(leaf.value.strip(), leaf.dotted_path, f"no other text is a title, and {leaf.name!r} is an address")
    return None


def _leading_severity(text: Choice) -> Choice | None:
    match = _LEADING.match(str(text.value)[:200])
    return Choice(match[1], text.path, "the text begins with it") if match else None


def _named_thing(text: Choice) -> Choice | None:
    pairs = _PAIR.findall(str(text.value)[:2000])
    rated = [(worth_of(AlertField.SERVICE, words_of(name)), name, value) for name, value in pairs if not value.isdigit()]
    worth, name, value = max(rated, default=(0.0, "", ""))
    return Choice(value, f"{text.path}.{name}", f"the text names its {name}") if worth > 0 else None
