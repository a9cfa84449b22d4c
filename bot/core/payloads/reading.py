"""Reads an unknown sender's document as one alert: for each field the value whose name, place and form fit best.

Each choice keeps the path it came from and why, so that people can see it and correct it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.core.payloads import values
from bot.core.payloads.checks import is_check, without_host_state
from bot.core.payloads.choices import Choice, Corrections, Understanding
from bot.core.payloads.ending import state_in
from bot.core.payloads.fallbacks import fallback
from bot.core.payloads.fitting import best, worth
from bot.core.payloads.identity import rules_of
from bot.core.payloads.leaves import GENERAL, LABEL_WORDS, Leaf, leaves_of, words_of
from bot.core.payloads.names import AlertField, cost_of, worth_of
from bot.core.payloads.values import State

MAX_LABELS = 64
MAX_LABEL_TEXT = 512
ENTITY_LABEL = "entity"
"""The label of what an alert is about, where its sender names no service, host or instance."""
_A_THING = 4.0
"""How well a name must fit a service to be kept as a label."""
_NO_CORRECTIONS = Corrections()
_NEVER = datetime.max.replace(tzinfo=UTC)


def understand(
    document: object,
    corrections: Corrections = _NO_CORRECTIONS,
    *,
    around: Sequence[Leaf] = (),
    now: datetime = _NEVER,
) -> Understanding:
    """The alert in a document. `around`: leaves of a body that holds the document, worth less than its own."""
    all_leaves = leaves_of(document)
    choices, warnings = _corrected([*all_leaves, *around], corrections)
    own = without_host_state(_without_searcher(all_leaves))
    leaves = [*own, *around]
    for field in AlertField:
        if field in choices:
            continue
        name = choices.get(AlertField.NAME)
        title = str(name.value) if name and field is AlertField.SUMMARY else ""
        # What a body around several alerts has for a key is the key of none of them.
        outer = () if field is AlertField.FINGERPRINT else around
        above = name if field is AlertField.STATUS else None
        if choice := best(field, own, outer, unlike=title, title=above) or fallback(field, choices, leaves):
            choices[field] = choice
    certain = AlertField.STATUS in (*corrections.fields, *corrections.preset)
    state, reason = state_in(choices, leaves, corrections.resolved_words, now, certain=certain, zone=corrections.zone)
    if reason:
        choices[AlertField.STATUS] = reason
    severity = choices.get(AlertField.SEVERITY)
    if state is State.RESOLVED and (severity is None or values.is_severity_of_end(str(severity.value))):
        choices[AlertField.SEVERITY] = Choice("info", "", "it is over, and no severity is given")
    warnings += _warnings_of(choices, leaves)
    service = choices.get(AlertField.SERVICE)
    guessed_check = service is not None and service.guessed and is_check(own)
    return Understanding(choices, _labels(leaves), state, tuple(warnings), rules_of(own), guessed_check)


def _without_searcher(leaves: Sequence[Leaf]) -> Sequence[Leaf]:
    """A saved search of Splunk says in which of its apps it is kept and whose it is: neither is what the alert is about."""
    searched = any(leaf.words == ("search", "name") for leaf in leaves)
    return [leaf for leaf in leaves if len(leaf.path) > 1 or leaf.words not in (("app",), ("owner",))] if searched else leaves


def _corrected(leaves: Sequence[Leaf], corrections: Corrections) -> tuple[dict[AlertField, Choice], list[str]]:
    choices = {field: Choice(value, "", "the sender's own form says so") for field, value in corrections.preset.items()}
    warnings = []
    for field, path in corrections.fields.items():
        if choice := _configured(leaves, path):
            choices[field] = choice
        else:
            warnings.append(f"fields.{field}: nothing stands at {path}")
    return choices, warnings


def _configured(leaves: Sequence[Leaf], path: str) -> Choice | None:
    if path.startswith("="):
        return Choice(path[1:].strip(), "", "fixed in tocsin.yaml")
    leaf = next((leaf for leaf in leaves if leaf.dotted_path == path.removeprefix("$.")), None)
    return Choice(leaf.value, leaf.dotted_path, "named in tocsin.yaml") if leaf else None


def _labels(leaves: Iterable[Leaf]) -> dict[str, str]:
    """What stands among labels, tags and dimensions, and every name of a thing that an alert can be about."""
    labels: dict[str, str] = {}
    for leaf in leaves:
        text = str(leaf.value).lower() if isinstance(leaf.value, bool) else str(leaf.value)
        usable = 0 < len(text) <= MAX_LABEL_TEXT and not values.is_unfilled(text) and leaf.name
        if usable and len(labels) < MAX_LABELS and (name := _label_name(leaf)):
            labels.setdefault(name, text)
    return labels


def _label_name(leaf: Leaf) -> str:
    """The name of a label; that of the thing for `host: {name: ...}`; "" for what is none."""
    if _is_label(leaf):
        return leaf.name
    above = next((part for part in reversed(leaf.path[:-1]) if part.isdigit() or words_of(part) == leaf.parent), "")
    named = leaf.words == ("name",) and not above.isdigit() and worth(AlertField.SERVICE, leaf) >= _A_THING
    return above if named else ""


def _is_label(leaf: Leaf) -> bool:
    among_labels = leaf.label or bool(LABEL_WORDS & leaf.around)
    thing = not set(leaf.words) <= GENERAL and worth(AlertField.SERVICE, leaf) >= _A_THING
    return (among_labels and not cost_of(leaf.around)) or thing


def _warnings_of(choices: dict[AlertField, Choice], leaves: Iterable[Leaf]) -> list[str]:
    # What has not ended has no end to fill in.
    unfilled = [
        leaf.dotted_path
        for leaf in leaves
        if isinstance(leaf.value, str) and values.is_template(leaf.value) and not worth_of(AlertField.ENDS_AT, leaf.words)
    ]
    lines = [f"the sender's template left {', '.join(unfilled[:3])} unfilled"] if unfilled else []
    return lines if AlertField.NAME in choices else [*lines, "nothing in it reads as a title"]
