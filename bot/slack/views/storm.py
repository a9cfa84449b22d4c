"""The storm card: many new groups of one channel as lines of one message."""

from collections import Counter

from bot.core.incident import AlertGroup
from bot.core.messages.alerts import StormContent, StormOrigin
from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, context, header, name_text, overflow, section
from bot.slack.view_context import ViewContext

LINES = 20
"""Groups listed one by one; the rest is counted."""


def render(storm: StormContent, view: ViewContext) -> Rendered:
    """The groups on the card with their services and, if one stands out, where the storm seems to come from."""
    groups, firing = storm.groups, storm.firing
    if not groups:
        return "Storm over: each group has a card of its own.", [context("*STORM OVER* each group has a card of its own now")]
    word = "STORM" if firing else "STORM OVER"
    services = Counter(group.service or "unknown" for group in groups)
    blocks: list[Block] = [header(f"{word} · {counted(len(groups), 'alert group')} on {counted(len(services), 'service')}")]
    if storm.origin:
        blocks.append(section(_origin(storm.origin, len(firing))))
    if len(services) < len(groups):
        blocks.append(section("\n".join(f"{name_text(name, 60)}: {count}" for name, count in services.most_common(8))))
    if view.mention:
        blocks.append(section("On call: " + " ".join(f"<@{user}>" for user in view.mention)))
    blocks.append(section("\n".join([_line(group) for group in groups[:LINES]] or ["No groups"])))
    if firing:
        blocks.append(actions(overflow("show", [(f"Open {group.ref}", group.ref) for group in firing[:5]])))
    rest = f"{len(groups) - LINES} more; `list` shows all" if len(groups) > LINES else ""
    blocks.append(context(f"*{word}* {len(firing)} of {len(groups)} groups not resolved", rest))
    summary = f"{counted(len(groups), 'alert group')} on {counted(len(services), 'service')}, {len(firing)} not resolved"
    return f"{word.capitalize()}: {summary}.", blocks


def _origin(origin: StormOrigin, firing: int) -> str:
    share = f"{origin.groups} of {firing} firing groups are on it or on what depends on it"
    return f"*Suspected origin:* {name_text(origin.service, 60)}: {share}"


def _line(group: AlertGroup) -> str:
    what = f"{name_text(group.service or 'unknown', 40)} · {name_text(group.title, 80)}"
    return f"*{group.state}* {group.severity} {group.ref} · {what}"
