"""How it is with all that is open: whether it is over, whether anything fires, whether somebody has each of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.approvals.roster import OnCallNow
from bot.core.incident import AlertGroup, GroupState, Incident
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, by_record, unknown
from bot.core.text.untrusted import counted, one_line

IS_IT_OVER = "is it over?"
"""What each of them is asked, however the question was worded."""
MAX_NAMED = 6


@dataclass(frozen=True)
class OpenState:
    """One open group, or an incident without one, beside others: whether it fires, and who has it.

    Of the one that a question is about, `IncidentStatus` holds all that is recorded.
    """

    ref: str
    service: str = ""
    fires: bool = False
    uncertain: bool = False
    """Whether its alerts fire is not known: nobody repeats them, or what evaluates them cannot be read."""
    assignee: str = ""


def state_of_group(group: AlertGroup, lead: str = "") -> OpenState:
    """The state of a group; `lead`: who leads its incident."""
    reported = group.state in (GroupState.FIRING, GroupState.ACKNOWLEDGED) and group.firing > 0
    uncertain = group.unconfirmed_at is not None or (reported and group.stale >= group.firing)
    by = lead or group.acknowledged_by
    return OpenState(group.ref, group.service, fires=reported and not uncertain, uncertain=uncertain, assignee=by)


def state_of_incident(incident: Incident) -> OpenState:
    """The state of an incident without a group: no alert tells of it."""
    return OpenState(incident.ref, incident.service, assignee=incident.lead)


def overview(states: Sequence[OpenState]) -> ShortAnswer:
    """How many are open, and how many of these fire."""
    uncertain = sum(state.uncertain for state in states)
    text = f"{len(states)}, {_firing(states)} firing" + (f", {uncertain} not confirmed" if uncertain else "")
    return by_record(unknown(text, opening="Open:"))


def whether_over(states: Sequence[OpenState], readings: Iterable[tuple[str, ShortAnswer | None]]) -> ShortAnswer:
    """Yes only where each of them is over and that was checked. `readings`: what each one's current values say of it."""
    if firing := _firing(states):
        return by_record(ShortAnswer(verdict=Verdict.NO, text=_still_fire(firing, len(states))))
    by_ref = dict(readings)
    trouble = [(ref, short.text) for ref, short in by_ref.items() if short and short.verdict is Verdict.NO]
    if trouble:
        text = "No alert fires, but " + "; ".join(f"{ref}: {text}" for ref, text in trouble[:MAX_NAMED])
        return by_record(ShortAnswer(verdict=Verdict.NO, text=one_line(text, MAX_TEXT)))
    open_refs = [state.ref for state in states if state.uncertain or not _is_yes(by_ref.get(state.ref))]
    if open_refs:
        return by_record(unknown(f"no alert is known to fire; not confirmed: {_named(open_refs)}"))
    return by_record(ShortAnswer(verdict=Verdict.YES, text=f"None of {len(states)} fires, and all current values are as usual"))


def whether_firing(states: Sequence[OpenState]) -> ShortAnswer:
    """Whether alerts of any of them fire."""
    if firing := _firing(states):
        return by_record(ShortAnswer(verdict=Verdict.YES, text=_still_fire(firing, len(states))))
    if uncertain := [state.ref for state in states if state.uncertain]:
        return by_record(unknown(f"no alert is known to fire; not confirmed: {_named(uncertain)}"))
    return by_record(ShortAnswer(verdict=Verdict.NO, text=f"No alert of the {len(states)} that are open fires"))


def whether_assigned(states: Sequence[OpenState]) -> ShortAnswer:
    """Whether somebody has each of them."""
    free = [state.ref for state in states if not state.assignee]
    if not free:
        return by_record(ShortAnswer(verdict=Verdict.YES, text=f"Somebody has each of the {len(states)}"))
    text = f"Nobody has {_named(free)}"
    if len(free) < len(states):
        return by_record(unknown(text, opening="In part:"))
    return by_record(ShortAnswer(verdict=Verdict.NO, text=text))


def on_call(on_call_of: Sequence[tuple[str, OnCallNow]]) -> ShortAnswer:
    """Who is on call for each service: those with the same people together."""
    by_people: dict[OnCallNow, list[str]] = {}
    for service, one in on_call_of:
        by_people.setdefault(one, []).append(service or "what names no service")
    parts = (_on_call_for(_services_named(services), one) for one, services in by_people.items())
    return by_record(unknown("; ".join(parts), opening="On call now:"))


def _services_named(services: Sequence[str]) -> str:
    more = f" and {counted(len(services) - MAX_NAMED, 'more service')}" if len(services) > MAX_NAMED else ""
    return ", ".join(services[:MAX_NAMED]) + more


def _on_call_for(service: str, on_call: OnCallNow) -> str:
    people = ", ".join(on_call.people)
    if on_call.readable:
        return f"{people or 'nobody'} for {service}"
    return f"not known for {service} (its rota cannot be read{f'; {people} is called instead' if people else ''})"


def _firing(states: Iterable[OpenState]) -> int:
    return sum(state.fires for state in states)


def _still_fire(firing: int, of: int) -> str:
    return f"{firing} of {of} still {'fires' if firing == 1 else 'fire'}"


def _is_yes(short: ShortAnswer | None) -> bool:
    return short is not None and short.verdict is Verdict.YES


def _named(refs: Sequence[str]) -> str:
    more = f" and {len(refs) - MAX_NAMED} more" if len(refs) > MAX_NAMED else ""
    return ", ".join(refs[:MAX_NAMED]) + more
