"""The alert card: one per alert group, edited for life. State is a word first, and the bot's last block says it again."""

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.core.alert import Severity
from bot.core.change import Change, kind_in_words
from bot.core.incident import READABLE_FOR, AlertGroup, GroupState
from bot.core.investigation.triage_facts import PriorChange
from bot.core.messages.alerts import CardContent
from bot.core.messages.triage_summary import certainty
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock_of_day
from bot.core.text.untrusted import counted, one_line
from bot.core.text.word_counts import within_words
from bot.slack.blocks import Block, Rendered, actions, button, context, header, section, when
from bot.slack.untrusted_text import allowed_address, link, name_text, plain_text, prose, quoted, titled
from bot.slack.view_context import ViewContext
from bot.slack.views import rich_text
from bot.slack.views.rich_text import labelled, name, paragraph, words

_STATES = {
    GroupState.FIRING: "Firing",
    GroupState.ACKNOWLEDGED: "Acknowledged",
    GroupState.MONITORING: "Cleared, monitoring",
    GroupState.RESOLVED: "Resolved",
}


SQUARES = {
    Severity.SEV1: "\N{LARGE RED SQUARE}",
    Severity.SEV2: "\N{LARGE ORANGE SQUARE}",
    Severity.SEV3: "\N{LARGE YELLOW SQUARE}",
}
"""The colour of a severity, always beside its word."""
CLEARED = "\N{LARGE GREEN SQUARE}"
CAUSE_WORDS = 18
MAX_BUTTONS = 3


def render(card: CardContent, view: ViewContext) -> Rendered:
    """The card of a group: what is wrong since when, the cause in short, whom to mention, and what to do."""
    if card.group.state is GroupState.RESOLVED:
        return fallback(card), _collapsed(card)
    blocks: list[Block | None] = [
        header(f"{square(card.group)} {title(card.group)}"),
        _what_is_wrong(card),
        section(_since(card, view)),
        _why(card),
        _controls(card),
        context(*_small_print(card, view)),
    ]
    return fallback(card), [block for block in blocks if block]


def _what_is_wrong(card: CardContent) -> Block | None:
    """What the worst alert says, in its own words, and of which pod or host; nothing where the header says it already."""
    place = _place(card)
    if not card.summary or card.summary == card.group.title:
        text = f"On {place}" if place else ""
    else:
        text = rich_text.title(card.summary) + (f" ({place})" if place else "")
    if not text:
        return None
    return paragraph([labelled("Was", text) if card.group.cleared else [words(text)]])


def _place(card: CardContent) -> str:
    """The pod or host of the worst alert; "" where the header or its own words name it."""
    text = f"{card.group.service} {card.group.title} {card.summary}".lower()
    return "" if card.place.lower() in text else name(card.place)


def _unmapped(card: CardContent) -> str:
    """A severity that nobody mapped may be worse than what it counts as."""
    return f"severity {quoted(card.severity_word, 40)} is not mapped in `severities`" if card.severity_word else ""


def _small_print(card: CardContent, view: ViewContext) -> Iterable[str]:
    yield status_line(card)
    yield _references(card)
    yield _unmapped(card)
    yield prose(card.reasons, 240)
    yield " · ".join(_link(label, url, view.hosts) for label, url in card.links)


def square(group: AlertGroup) -> str:
    """The colour of its severity; green once its alerts have cleared, and this could be checked."""
    if group.state in (GroupState.MONITORING, GroupState.RESOLVED) and not unconfirmed(group):
        return CLEARED
    return square_of(group.severity)


def unconfirmed(group: AlertGroup) -> bool:
    """Whether its alerts ended, and nobody knows that it is well."""
    return group.state is GroupState.MONITORING and group.unconfirmed_at is not None


def square_of(severity: Severity) -> str:
    """The colour of a severity."""
    return SQUARES.get(severity, "\N{LARGE BLUE SQUARE}")


def title(group: AlertGroup) -> str:
    """`FIRING SEV2 · checkout · HighErrorRate`."""
    parts = (f"{group.state_word} {group.severity}", plain_text(group.service, 40), plain_text(group.title, 80))
    return " · ".join(part for part in parts if part)


def fallback(card: CardContent) -> str:
    """What a notification shows and a screen reader reads: state, what is wrong, and the cause once there is one."""
    group = card.group
    severity = group.severity.removeprefix("SEV")
    what = f"{plain_text(group.service, 60)} {plain_text(group.title, 120)}".strip()
    may_be_wrong = not group.cleared and group.state is not GroupState.RESOLVED
    summary = f": {titled(card.summary, 120)}" if may_be_wrong and card.summary not in ("", group.title) else ""
    if may_be_wrong and (place := _place(card)):
        summary += f" ({plain_text(place, 60)})" if summary else f" on {plain_text(place, 60)}"
    cause = _cause(card)
    caused = f" {cause[0]}: {plain_text(cause[1], 160)}." if cause else ""
    note = "" if group.acknowledged_by or group.state is not GroupState.FIRING else " Not acknowledged."
    return f"{_state_since(card)}, severity {severity}: {what}{summary}, {_alerts(group)}.{caused}{note}"


def line(card: CardContent) -> str:
    """The card in one line of mrkdwn: state, what is wrong since when, the cause and how sure it is, who has it."""
    group = card.group
    who = card.lead or group.acknowledged_by
    cause = _cause(card)
    parts = (
        f"*{group.state_word}* {group.severity} {f'{card.incident_ref} {group.ref}'.strip()}",
        name_text(group.service, 40) if group.service else "no service",
        name_text(group.title, 80),
        f"{_since_words(group).lower()} {when(_started_at(card))}",
        f"{cause[0].lower()}: {prose(cause[1], 200)}" if cause else "no cause known yet",
        f"{plain_text(who, 40)} has it" if who else "nobody has it",
    )
    return " · ".join(parts)


def _state_since(card: CardContent) -> str:
    """`Firing since 10:50:30 UTC`, `Cleared, monitoring, started firing 10:50:30 UTC`."""
    state, since = (
        _state_in_words(card.group),
        f"{_since_words(card.group)} {clock_of_day(_started_at(card), card.group.opened_at)}",
    )
    return since if since.startswith(state) else f"{state}, {since[0].lower()}{since[1:]}"


def _since_words(group: AlertGroup) -> str:
    """What the moment is that a card shows: alerts wait before they fire, so what they tell of left its normal range before."""
    runs = group.state in (GroupState.FIRING, GroupState.ACKNOWLEDGED)
    if group.declared:
        return "Open since" if runs else "Opened"
    return "Firing since" if runs else "Started firing"


def _started_at(card: CardContent) -> datetime:
    return card.started_at or card.group.opened_at


def _state_in_words(group: AlertGroup) -> str:
    if unconfirmed(group):
        return "No longer reported, not confirmed"
    return "Open" if group.declared and group.state is GroupState.FIRING else _STATES[group.state]


def _cause(card: CardContent) -> tuple[str, str] | None:
    """How sure the first cause is, and what it is; one of before is called that. What a person confirmed comes first."""
    if card.confirmed_cause:
        return "Confirmed cause", within_words(one_line(card.confirmed_cause, 300), CAUSE_WORDS)
    if (first := card.first_cause) is None:
        return None
    label = certainty(first)
    if card.cause_is_earlier:
        label = "Earlier cause"
    elif label == "Likely":
        label = "Likely cause"
    elif label == "Not known":
        return label, within_words(f"weak lead: {first.cause}", CAUSE_WORDS)
    return label, within_words(first.cause, CAUSE_WORDS)


def _since(card: CardContent, view: ViewContext) -> str:
    """Since when, and who acknowledged it; whoever is mentioned here is notified."""
    group = card.group
    on_call = " ".join(f"<@{user}>" for user in view.mention) or ", ".join(view.on_call)
    again = f"reopened {counted(group.reopened, 'time')}" if group.reopened else ""
    since = f"{_since_words(group)} {when(_started_at(card))}"
    line = " · ".join(filter(None, (since, _alerts(group), f"on call {on_call}" if on_call else "", again)))
    return "\n".join([line, *_caveats(group)])


def _why(card: CardContent) -> Block | None:
    """The cause, or what changed last."""
    if cause := _cause(card):
        return paragraph([labelled(*cause, _started_at(card))])
    return paragraph([labelled("Last change", _last_change(card.last_change))]) if card.last_change else None


def _caveats(group: AlertGroup) -> Iterable[str]:
    """What makes its count of firing alerts less sure than it looks."""
    if group.unconfirmed_at and not (unconfirmed(group) or group.unmeasured):
        yield _unread(group, group.unconfirmed_at)
    if group.flapping:
        yield f"*Flapping:* {plain_text(group.flapping, 120)}; its pauses count as firing"
    if group.stale:
        yield f"*Stale:* {counted(group.stale, 'alert')} not repeated by the source; unknown whether still firing"


def _unread(group: AlertGroup, since: datetime) -> str:
    """That Prometheus does not see what fires, or does so again for too short a time."""
    if group.readable_at is None:
        return f"*Prometheus cannot be read* since {when(since)}: that alerts end says nothing now"
    ends_count = _time(group.readable_at + READABLE_FOR)
    return (
        f"*Prometheus answers again* since {_time(group.readable_at)}: that alerts end before {ends_count} is not believed yet"
    )


def _link(label: str, url: str, hosts: Collection[str]) -> str:
    """A live link; an address of a host that configuration does not name is there to be copied."""
    return link(label, url, hosts) if allowed_address(url, hosts) else f"{label} {quoted(url, 120)}"


def _alerts(group: AlertGroup) -> str:
    if group.declared:
        return "no alert, declared by a person"
    if group.merged:
        return "its alerts were merged into another card"
    # What ends while nobody evaluates it is no recovery.
    fires = "still reported" if group.unconfirmed_at else "firing"
    firing = f" {group.firing:,} {fires}" if group.firing else f" none {fires}"
    # Where all alerts fire, one number says it.
    return counted(group.alerts, "alert") + (f" {fires}" if group.firing == group.alerts else f",{firing}")


def _last_change(change: PriorChange) -> str:
    return f"{change_text(change)}, {change.age_text}"


def change_text(change: Change) -> str:
    """`config edit of checkout 2.0`; untrusted."""
    version = f" {name(change.version, 30)}" if change.version else ""
    return f"{kind_in_words(change.kind)} of {name(change.service, 40)}{version}"


def _controls(card: CardContent) -> Block:
    """At most three, those that are needed first, and only what applies to the state."""
    ref, firing = card.group.ref, card.group.state is GroupState.FIRING
    declared_or_cleared = card.group.declared or not firing
    waits = firing or (unconfirmed(card.group) and not card.group.acknowledged_by)
    offered = [
        button("Acknowledge", "ack", ref, style="primary", accessible_label=f"Acknowledge {ref}") if waits else None,
        button("Resolve...", "resolve", ref, accessible_label=f"Resolve {ref}") if declared_or_cleared else None,
        None if card.incident else button("Declare...", "declare", ref, accessible_label=f"Declare an incident from {ref}"),
        button("Details", "full", ref, accessible_label=f"Details of {ref}")
        if card.triaged
        else button("Investigate", "investigate", ref, accessible_label=f"Investigate {ref}"),
    ]
    return actions(*[control for control in offered if control][:MAX_BUTTONS])


def status_line(card: CardContent) -> str:
    """The state word with who and when; the last line of the card."""
    group, incident = card.group, card.incident
    match group.state:
        case GroupState.ACKNOWLEDGED:
            return f"*ACKNOWLEDGED* by {plain_text(group.acknowledged_by, 40)} {_at(group.acknowledged_at)}".rstrip()
        case GroupState.MONITORING:
            by = f"; acknowledged by {plain_text(group.acknowledged_by, 40)}" if group.acknowledged_by else ""
            if unconfirmed(group):
                return f"*NOT CONFIRMED* no alert is reported since {_at(group.cleared_at)}; {_not_checked(group)}{by}"
            closes = ", or it closes by itself" if card.closes_itself else ""
            return f"*MONITORING* alerts cleared {_at(group.cleared_at)}{by}; resolve it{closes}"
        case GroupState.RESOLVED:
            by = f" by {plain_text(incident.resolved_by, 40)}" if incident and incident.resolved_by else ""
            resolved_at = incident.resolved_at if incident else None
            return f"*RESOLVED*{by} after {time_between(group.opened_at, resolved_at or group.cleared_at)}"
        case GroupState.FIRING:
            return f"*{group.state_word}* not acknowledged"


def _not_checked(group: AlertGroup) -> str:
    """Why that nothing is reported is no all-clear."""
    if group.unmeasured:
        return f"{plain_text(group.unmeasured, 60)} is no longer measured, so this is no all-clear"
    if group.readable_at is None:
        return "Prometheus cannot be read, so this is no all-clear"
    ends_count = _time(group.readable_at + READABLE_FOR)
    return f"Prometheus answers again since {_time(group.readable_at)}, so this is no all-clear before {ends_count}"


def time_between(start: datetime, end: datetime | None) -> str:
    """`17 min`; "an unknown time" without an end."""
    return "an unknown time" if end is None else elapsed_text(end - start)


def _time(moment: datetime) -> str:
    return when(moment, "{time_secs}")


def _at(moment: datetime | None) -> str:
    return when(moment) if moment else ""


def _references(card: CardContent) -> str:
    incident = card.incident
    lead = f" led by {plain_text(incident.lead, 40)}" if incident and incident.lead else ""
    before = f"before: {card.previous}" if card.previous else ""
    stopped = "automation stopped here" if incident and incident.stopped else ""
    private = "private: for members of this channel" if card.group.private else ""
    return " · ".join(part for part in (card.group.ref, f"{card.incident_ref}{lead}", private, before, stopped) if part)


def _collapsed(card: CardContent) -> list[Block]:
    ref, incident = card.incident_ref, card.incident
    cause = f"Cause: {titled(incident.cause)}" if incident and incident.cause else ""
    read = button("Postmortem", "postmortem", card.group.ref, accessible_label=f"Postmortem of {ref}")
    small = context(cause, f"{status_line(card)} · {_alerts(card.group)} · {_references(card)}")
    return [header(f"{square(card.group)} {title(card.group)}"), *([actions(read)] if ref else []), small]
