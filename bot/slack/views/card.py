"""The alert card: one per alert group, edited for life. State is a word first, and the bot's last block says it again."""

from collections.abc import Collection
from datetime import datetime

from bot.core.change import Change, kind_in_words
from bot.core.evidence import Hypothesis
from bot.core.incident import AlertGroup, GroupState
from bot.core.investigation.triage_facts import PriorChange
from bot.core.messages.alerts import CardContent
from bot.core.text.durations import elapsed_text
from bot.core.text.untrusted import counted
from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    context,
    fields,
    header,
    link,
    name_text,
    plain_text,
    prose,
    quoted,
    section,
    titled,
    when,
)
from bot.slack.untrusted_text import allowed_address
from bot.slack.view_context import ViewContext

_STATES = {
    GroupState.FIRING: "Firing",
    GroupState.ACKNOWLEDGED: "Acknowledged",
    GroupState.MONITORING: "Cleared, monitoring",
    GroupState.RESOLVED: "Resolved",
}


def render(card: CardContent, view: ViewContext) -> Rendered:
    """The card of a group: its incident, what leads it, and the on-call to mention, if any."""
    if card.group.state is GroupState.RESOLVED:
        return fallback(card.group), _collapsed(card)
    blocks: list[Block | None] = [
        header(title(card.group)),
        section(_problem(card, view)),
        _facts(card, view),
        _controls(card),
        context(status_line(card), _references(card)),
    ]
    return fallback(card.group), [block for block in blocks if block]


def title(group: AlertGroup) -> str:
    """`FIRING SEV2 · checkout · HighErrorRate`."""
    parts = (f"{_state(group)} {group.severity}", plain_text(group.service, 40), plain_text(group.title, 80))
    return " · ".join(part for part in parts if part)


def fallback(group: AlertGroup) -> str:
    """What a notification shows and a screen reader reads."""
    severity = group.severity.removeprefix("SEV")
    what = f"{plain_text(group.service, 60)} {plain_text(group.title, 120)}".strip()
    note = "" if group.acknowledged_by or group.state is not GroupState.FIRING else " Not acknowledged."
    return f"{_state_in_words(group)}, severity {severity}: {what}, {_alerts(group)}.{note}"


def _state(group: AlertGroup) -> str:
    """The state word; nothing fires where a person declared it and no alert came."""
    return "OPEN" if group.declared and group.state is GroupState.FIRING else group.state


def _state_in_words(group: AlertGroup) -> str:
    return "Open" if group.declared and group.state is GroupState.FIRING else _STATES[group.state]


def _cause_label(cause: Hypothesis) -> str:
    """`Likely cause`, or what a possible cause is beside the others: `Best lead`."""
    return cause.standing.capitalize() or f"{cause.confidence.capitalize()} cause"


def _problem(card: CardContent, view: ViewContext) -> str:
    lines = [titled(card.summary or card.group.title)]
    if links := [_link(label, url, view.hosts) for label, url in card.links]:
        lines.append(" · ".join(links))
    if first := card.first_cause:
        label = "Earlier cause" if card.cause_is_earlier else _cause_label(first)
        lines.append(f"*{label}:* {prose(first.cause, 200)}")
    if view.mention:
        lines.append("On call: " + " ".join(f"<@{user}>" for user in view.mention))
    return "\n".join(lines)


def _link(label: str, url: str, hosts: Collection[str]) -> str:
    """A live link; an address of a host that configuration does not name is there to be copied."""
    return link(label, url, hosts) if allowed_address(url, hosts) else f"{label} {quoted(url, 120)}"


def _facts(card: CardContent, view: ViewContext) -> Block:
    group = card.group
    return fields(
        service=name_text(group.service, 80) if group.service else "unknown",
        started=when(card.started_at or group.opened_at),
        alerts=_alerts(group),
        on_call=", ".join(view.on_call) if not view.mention else "",
        last_change=_last_change(card.last_change) if card.last_change and not card.first_cause else "",
        again=f"reopened {counted(group.reopened, 'time')}" if group.reopened else "",
    )


def _alerts(group: AlertGroup) -> str:
    if group.declared:
        return "no alert, declared by a person"
    firing = f" {group.firing:,} firing" if group.firing else " none firing"
    # Where all alerts fire, one number says it.
    count = counted(group.alerts, "alert") + (" firing" if group.firing == group.alerts else f",{firing}")
    return count + (f", {counted(group.repeats, 'repeat')}" if group.repeats else "")


def _last_change(change: PriorChange) -> str:
    return f"{change_text(change)}, {change.age_text}"


def change_text(change: Change) -> str:
    """`config edit of checkout 2.0`."""
    version = f" {name_text(change.version, 30)}" if change.version else ""
    return f"{kind_in_words(change.kind)} of {name_text(change.service, 40)}{version}"


def _controls(card: CardContent) -> Block | None:
    """At most four, and only what applies to the state."""
    ref = card.group.ref
    firing = card.group.state is GroupState.FIRING
    shown = [
        button("Acknowledge", "ack", ref, style="primary", accessible_label=f"Acknowledge {ref}") if firing else None,
        None if card.incident else button("Declare...", "declare", ref, accessible_label=f"Declare an incident from {ref}"),
        None if card.triaged else button("Investigate", "investigate", ref, accessible_label=f"Investigate {ref}"),
        None if firing and not card.group.declared else button("Resolve...", "resolve", ref, accessible_label=f"Resolve {ref}"),
    ]
    return actions(*shown) if any(shown) else None


def status_line(card: CardContent) -> str:
    """The state word with who and when; the last line of the card."""
    group, incident = card.group, card.incident
    match group.state:
        case GroupState.ACKNOWLEDGED:
            return f"*ACKNOWLEDGED* by {plain_text(group.acknowledged_by, 40)} {_at(group.acknowledged_at)}".rstrip()
        case GroupState.MONITORING:
            by = f"; acknowledged by {plain_text(group.acknowledged_by, 40)}" if group.acknowledged_by else ""
            closes = ", or it closes by itself" if card.closes_itself else ""
            return f"*MONITORING* alerts cleared {_at(group.cleared_at)}{by}; resolve it{closes}"
        case GroupState.RESOLVED:
            by = f" by {plain_text(incident.resolved_by, 40)}" if incident and incident.resolved_by else ""
            resolved_at = incident.resolved_at if incident else None
            return f"*RESOLVED*{by} after {time_between(group.opened_at, resolved_at or group.cleared_at)}"
        case GroupState.FIRING:
            return f"*{_state(group)}* not acknowledged"


def time_between(start: datetime, end: datetime | None) -> str:
    """`17 min`; "an unknown time" without an end."""
    return "an unknown time" if end is None else elapsed_text(end - start)


def _at(moment: datetime | None) -> str:
    return when(moment) if moment else ""


def _references(card: CardContent) -> str:
    incident = card.incident
    lead = f" led by {plain_text(incident.lead, 40)}" if incident and incident.lead else ""
    before = f"before: {card.previous}" if card.previous else ""
    stopped = "automation stopped here" if incident and incident.stopped else ""
    return " · ".join(part for part in (card.group.ref, f"{card.incident_ref}{lead}", before, stopped) if part)


def _collapsed(card: CardContent) -> list[Block]:
    ref, incident = card.incident_ref, card.incident
    cause = f"Cause: {titled(incident.cause)}" if incident and incident.cause else ""
    read = button("Postmortem", "postmortem", card.group.ref, accessible_label=f"Postmortem of {ref}")
    small = context(cause, f"{status_line(card)} · {_alerts(card.group)} · {_references(card)}")
    return [header(title(card.group)), *([actions(read)] if ref else []), small]
