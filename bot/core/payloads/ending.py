"""Whether an alert is over: by its event, its title, its status, a flag or its end. What says so is kept as a choice."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from bot.core.payloads.choices import Choice
from bot.core.payloads.leaves import Leaf, Scalar
from bot.core.payloads.names import FLAGS, AlertField, cost_of, worth_of
from bot.core.payloads.values import (
    State,
    begins_with_state,
    is_green,
    is_severity_of_end,
    is_state_alone,
    means_resolved,
    moment_of,
    recovered_from,
    says_firing,
    state_of,
)

_EVENT = frozenset(("event", "action", "transition", "notification"))


def state_in(
    choices: Mapping[AlertField, Choice],
    leaves: Sequence[Leaf],
    resolved_words: frozenset[str],
    now: datetime,
    *,
    certain: bool = False,
    zone: tzinfo = UTC,
) -> tuple[State, Choice | None]:
    """Whether it fires, and what says so; None if nothing does.

    An event or a title that says it is over wins over a status that was guessed: that may be the rule's, or the one before.
    `certain`: the status is none that was guessed. `zone`: of times that name none.
    """
    status = choices.get(AlertField.STATUS)
    if status and str(status.value).strip().lower() in resolved_words:
        return State.RESOLVED, status
    if status and certain:
        return state_of(status.value) or State.FIRING, status
    if over := _event(leaves) or _title(choices.get(AlertField.NAME)) or _beside_title(choices.get(AlertField.NAME), leaves):
        return State.RESOLVED, over
    if status:
        return state_of(status.value) or State.FIRING, status
    over = (
        _flag(leaves)
        or _severity(choices.get(AlertField.SEVERITY))
        or _recovered_from_rule(choices.get(AlertField.NAME), leaves)
        or _title(choices.get(AlertField.SUMMARY))
        or _end(choices.get(AlertField.ENDS_AT), now, zone)
        or _colour(choices.get(AlertField.NAME), leaves)
    )
    return (State.RESOLVED, over) if over else (State.FIRING, None)


def _event(leaves: Sequence[Leaf]) -> Choice | None:
    leaf = next((leaf for leaf in leaves if _is_event(leaf) and state_of(leaf.value) is State.RESOLVED), None)
    return Choice(leaf.value, leaf.dotted_path, "the event says that it is over") if leaf else None


def _is_event(leaf: Leaf) -> bool:
    named = bool(_EVENT & set(leaf.words)) and worth_of(AlertField.STATUS, leaf.words) > 0
    return named and isinstance(leaf.value, str) and not is_state_alone(leaf.value) and not cost_of(leaf.around)


def _severity(severity: Choice | None) -> Choice | None:
    over = severity is not None and is_severity_of_end(str(severity.value))
    return Choice("resolved", severity.path, "the severity says that it is over") if severity and over else None


def _title(title: Choice | None) -> Choice | None:
    over = title is not None and means_resolved(str(title.value))
    return Choice("resolved", title.path, "the text says that it is over") if title and over else None


def _recovered_from_rule(title: Choice | None, leaves: Sequence[Leaf]) -> Choice | None:
    """A title with the rule's name: what recovered from a crash may be an alert all the same."""
    rule = recovered_from(str(title.value)).lower() if title else ""
    over = rule and any(str(leaf.value).strip().lower() == rule for leaf in leaves)
    return Choice("resolved", title.path, "the text says that it is over") if title and over else None


def _beside_title(title: Choice | None, leaves: Sequence[Leaf]) -> Choice | None:
    """A text beside the title that begins with what became of it: `name: Slow queries, summary: Resolved: Slow queries`."""
    above = title.path.rpartition(".")[0] if title else ""
    texts = [leaf for leaf in leaves if leaf.words in (("summary",), ("title",)) and ".".join(leaf.path[:-1]) == above]
    over = next((leaf for leaf in texts if begins_with_state(str(leaf.value)) and means_resolved(str(leaf.value))), None)
    return Choice("resolved", over.dotted_path, "the text says that it is over") if title and over else None


def _flag(leaves: Sequence[Leaf]) -> Choice | None:
    for leaf in leaves:
        truth = _truth(leaf.value)
        if truth is not None and FLAGS.get(" ".join(leaf.words)) is truth and not cost_of(leaf.around):
            return Choice("resolved", leaf.dotted_path, f"{leaf.name!r} is {str(truth).lower()}")
    return None


def _truth(value: Scalar) -> bool | None:
    """Yes or no, also as a text; None for a number, which may count something."""
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).strip().lower())


def _colour(title: Choice | None, leaves: Sequence[Leaf]) -> Choice | None:
    """The bars of a chat message, all of them green; a title that says that it fires wins."""
    bars = [leaf for leaf in leaves if leaf.words in (("color",), ("colour",)) and "attachment" in leaf.around]
    over = bars and all(is_green(str(leaf.value)) for leaf in bars) and not (title and says_firing(str(title.value)))
    return Choice("resolved", bars[0].dotted_path, "the bar of the message is green") if over else None


def _end(end: Choice | None, now: datetime, zone: tzinfo) -> Choice | None:
    """An end that is still to come is only when the sender would forget the alert."""
    at = moment_of(end.value, zone) if end else None
    return Choice("resolved", end.path, "it has ended") if end and at and at <= now else None
