"""The alert card: one per alert group, edited for life. State is a word first, and the bot's last block says it again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bot.core.change import kind_in_words
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
    named,
    prose,
    quoted,
    section,
    spoken,
    titled,
    when,
)
from bot.slack.untrusted_text import allowed_address

_SPOKEN = {"FIRING": "Firing", "ACKNOWLEDGED": "Acknowledged", "MONITORING": "Cleared, monitoring", "RESOLVED": "Resolved"}


def render(state: Mapping[str, Any]) -> Rendered:
    """The card of a group: its incident, what leads it, and the on-call to mention, if any."""
    if state["state"] == "RESOLVED":
        return fallback(state), _collapsed(state)
    blocks: list[Block | None] = [
        header(title(state)),
        section(_wrong(state)),
        _facts(state),
        _controls(state),
        context(status_line(state), _place(state)),
    ]
    return fallback(state), [block for block in blocks if block]


def title(state: Mapping[str, Any]) -> str:
    """`FIRING SEV2 · checkout · HighErrorRate`."""
    parts = (f"{state['state']} {state['severity']}", spoken(state["service"], 40), spoken(state["title"], 80))
    return " · ".join(part for part in parts if part)


def fallback(state: Mapping[str, Any]) -> str:
    """What a notification shows and a screen reader speaks."""
    severity = state["severity"].removeprefix("SEV")
    what = f"{spoken(state['service'], 60)} {spoken(state['title'], 120)}".strip()
    taken = "" if state["acknowledged_by"] or state["state"] != "FIRING" else " Not acknowledged."
    return f"{_SPOKEN[state['state']]}, severity {severity}: {what}, {_alerts(state)}.{taken}"


def _wrong(state: Mapping[str, Any]) -> str:
    lines = [titled(state["summary"] or state["title"])]
    if links := [_link(label, url, state["hosts"]) for label, url in state["links"]]:
        lines.append(" · ".join(links))
    if first := state["first_cause"]:
        lines.append(f"*{first['confidence'].capitalize()} cause:* {prose(first['cause'], 200)}")
    if state["mention"]:
        lines.append("On call: " + " ".join(f"<@{user}>" for user in state["mention"]))
    return "\n".join(lines)


def _link(label: str, url: str, hosts: Collection[str]) -> str:
    """A live link; an address of a host that configuration does not name is there to be copied."""
    return link(label, url, hosts) if allowed_address(url, hosts) else f"{label} {quoted(url, 120)}"


def _facts(state: Mapping[str, Any]) -> Block:
    return fields(
        service=named(state["service"], 80) if state["service"] else "unknown",
        started=when(state["opened_at"]),
        alerts=_alerts(state),
        on_call=", ".join(state["on_call"]) if not state["mention"] else "",
        last_change=_last_change(state["last_change"]) if not state["first_cause"] else "",
        again=f"reopened {counted(state['reopened'], 'time')}" if state["reopened"] else "",
    )


def _alerts(state: Mapping[str, Any]) -> str:
    firing = f" {state['firing']:,} firing" if state["firing"] else " none firing"
    # As many alerts as fire are told as one number.
    count = counted(state["alerts"], "alert") + (" firing" if state["firing"] == state["alerts"] else f",{firing}")
    return count + (f", {counted(state['repeats'], 'repeat')}" if state["repeats"] else "")


def _last_change(change: Mapping[str, Any] | None) -> str:
    if not change:
        return ""
    version = f" {named(change['version'], 30)}" if change["version"] else ""
    return f"{kind_in_words(change['kind'])} of {named(change['service'], 40)}{version}, {change['age_text']}"


def _controls(state: Mapping[str, Any]) -> Block | None:
    """At most four, and only what applies to the state."""
    ref = state["ref"]
    firing = state["state"] == "FIRING"
    shown = [
        button("Acknowledge", "ack", ref, style="primary", spoken_as=f"Acknowledge {ref}") if firing else None,
        None if state["incident"] else button("Declare...", "declare", ref, spoken_as=f"Declare an incident from {ref}"),
        None if state["triaged"] else button("Investigate", "investigate", ref, spoken_as=f"Investigate {ref}"),
        None if firing else button("Resolve...", "resolve", ref, spoken_as=f"Resolve {ref}"),
    ]
    return actions(*shown) if any(shown) else None


def status_line(state: Mapping[str, Any]) -> str:
    """The state word with who and when; the last line of the card."""
    word = state["state"]
    if word == "ACKNOWLEDGED":
        return f"*ACKNOWLEDGED* by {spoken(state['acknowledged_by'], 40)} {_at(state['acknowledged_at'])}".rstrip()
    if word == "MONITORING":
        taken = f"; acknowledged by {spoken(state['acknowledged_by'], 40)}" if state["acknowledged_by"] else ""
        closes = ", or it closes by itself" if state.get("closes") else ""
        return f"*MONITORING* alerts cleared {_at(state['cleared_at'])}{taken}; resolve it{closes}"
    if word == "RESOLVED":
        by = f" by {spoken(state['resolved_by'], 40)}" if state["resolved_by"] else ""
        return f"*RESOLVED*{by} after {time_between(state['opened_at'], state['resolved_at'] or state['cleared_at'])}"
    return f"*{word}* not acknowledged"


def time_between(start: datetime, end: datetime | None) -> str:
    """`17 min`; "an unknown time" without an end."""
    return "an unknown time" if end is None else elapsed_text(end - start)


def _at(moment: datetime | None) -> str:
    return when(moment) if moment else ""


def _place(state: Mapping[str, Any]) -> str:
    lead = f" led by {spoken(state['lead'], 40)}" if state["lead"] else ""
    incident = f"{state['incident']}{lead}" if state["incident"] else ""
    before = f"before: {state['previous']}" if state["previous"] else ""
    stopped = "automation stopped here" if state["stopped"] else ""
    return " · ".join(part for part in (state["ref"], incident, before, stopped) if part)


def _collapsed(state: Mapping[str, Any]) -> list[Block]:
    ref = state["incident"]
    cause = f"Cause: {titled(state['cause'])}" if state["cause"] else ""
    controls = [actions(button("Postmortem", "postmortem", state["ref"], spoken_as=f"Postmortem of {ref}"))] if ref else []
    return [header(title(state)), *controls, context(cause, f"{status_line(state)} · {_alerts(state)} · {_place(state)}")]
