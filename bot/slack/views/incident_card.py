"""The card of an incident that people declared without an alert group."""

from bot.core.incident import Incident, IncidentState
from bot.core.messages.alerts import IncidentContent
from bot.slack.blocks import Block, Rendered, actions, button, context, fields, header, when
from bot.slack.untrusted_text import name_text, plain_text, prose, titled
from bot.slack.view_context import ViewContext
from bot.slack.views.card import time_between


def render(content: IncidentContent, view: ViewContext) -> Rendered:
    """Who leads it and what can be done; once it is resolved, its cause."""
    incident = content.incident
    blocks: list[Block] = [header(f"{incident.state} {incident.severity} · {incident.ref} · {plain_text(incident.title, 100)}")]
    if incident.state is not IncidentState.RESOLVED:
        blocks += [_facts(incident, view), _controls(incident.ref)]
    elif incident.cause:
        blocks.append(context(f"Cause: {titled(incident.cause)}"))
    return _fallback(incident), [*blocks, context(_status(incident), incident.ref)]


def line(content: IncidentContent) -> str:
    """The card in one line of mrkdwn, as that of an alert group."""
    incident = content.incident
    parts = (
        f"*{incident.state}* {incident.severity} {incident.ref}",
        name_text(incident.service, 40) if incident.service else "no service",
        name_text(incident.title, 80),
        f"open since {when(incident.declared_at)}",
        f"confirmed cause: {prose(incident.cause, 200)}" if incident.cause else "no cause known yet",
        f"{plain_text(incident.lead, 40)} has it" if incident.lead else "nobody has it",
    )
    return " · ".join(parts)


def _fallback(incident: Incident) -> str:
    severity = incident.severity.removeprefix("SEV")
    return f"{incident.state.capitalize()}, severity {severity}: {incident.ref} {plain_text(incident.title)}"


def _facts(incident: Incident, view: ViewContext) -> Block:
    return fields(
        service=name_text(incident.service, 80) if incident.service else "",
        declared=f"{when(incident.declared_at)} by {plain_text(incident.declared_by, 40)}",
        lead=plain_text(incident.lead, 40) if incident.lead else "nobody yet",
        on_call=" ".join(f"<@{user}>" for user in view.mention) or ", ".join(view.on_call),
    )


def _controls(ref: str) -> Block:
    return actions(
        button("Resolve...", "resolve", ref, accessible_label=f"Resolve {ref}"),
        button("Stop automation", "stop", ref, accessible_label=f"Stop automation in {ref}"),
    )


def _status(incident: Incident) -> str:
    if incident.state is IncidentState.RESOLVED:
        by = f" by {plain_text(incident.resolved_by, 40)}" if incident.resolved_by else ""
        return f"*RESOLVED*{by} after {time_between(incident.declared_at, incident.resolved_at)}"
    return f"*{incident.state}*" + (" automation stopped here" if incident.stopped else "")
