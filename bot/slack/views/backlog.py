"""The backlog summary: what a source was already firing when it was first connected, as one message."""

from collections import Counter

from bot.core.messages.alerts import BacklogContent
from bot.core.text.untrusted import counted
from bot.slack.blocks import Rendered, context, header, section
from bot.slack.untrusted_text import name_text
from bot.slack.view_context import ViewContext

LINES = 25


def render(backlog: BacklogContent, view: ViewContext) -> Rendered:
    """The alerts by severity, name and service."""
    counts = Counter((alert.severity, alert.name, alert.service or "unknown") for alert in backlog.alerts)
    listed = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    lines = [
        f"{severity} {name_text(name, 80)} on {name_text(service, 60)}: {count}" for (severity, name, service), count in listed
    ]
    rest = f"{counted(len(lines) - LINES, 'more kind')}" if len(lines) > LINES else ""
    count = counted(len(backlog.alerts), "alert")
    text = f"Already firing when {name_text(backlog.source, 60)} was connected: {count}, {counted(len(lines), 'kind')}."
    blocks = [
        header("BACKLOG · alerts that were firing before"),
        section(text),
        section("\n".join(lines[:LINES]) or "Nothing"),
        context("*BACKLOG* no cards, no triage and no mention for these; new alerts get their own card", rest),
    ]
    return f"Backlog: already firing when the source was connected: {count}.", blocks
