"""The storm card: many new groups of one channel as lines of one message."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, context, header, named, overflow, section

LINES = 20
"""Groups told one by one; the rest is counted."""


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: groups ({ref, title, service, severity, state}) that stand here now, the worst first; whom to mention;

    and origin ({service, groups} or None), where the storm seems to come from.
    """
    groups = state["groups"]
    if not groups:
        return "Storm over: each group has a card of its own.", [context("*STORM OVER* each group has a card of its own now")]
    firing = [group for group in groups if group["state"] != "RESOLVED"]
    word = "STORM" if firing else "STORM OVER"
    services = Counter(group["service"] or "unknown" for group in groups)
    blocks: list[Block] = [header(f"{word} · {counted(len(groups), 'alert group')} on {counted(len(services), 'service')}")]
    if origin := state.get("origin"):
        blocks.append(section(_origin(origin, len(firing))))
    if len(services) < len(groups):
        blocks.append(section("\n".join(f"{named(name, 60)}: {count}" for name, count in services.most_common(8))))
    if state["mention"]:
        blocks.append(section("On call: " + " ".join(f"<@{user}>" for user in state["mention"])))
    blocks.append(section("\n".join([_line(group) for group in groups[:LINES]] or ["No groups"])))
    if firing:
        blocks.append(actions(overflow("show", [(f"Open {g['ref']}", g["ref"]) for g in firing[:5]])))
    rest = f"{len(groups) - LINES} more; `list` shows all" if len(groups) > LINES else ""
    blocks.append(context(f"*{word}* {len(firing)} of {len(groups)} groups not resolved", rest))
    told = f"{counted(len(groups), 'alert group')} on {counted(len(services), 'service')}, {len(firing)} not resolved"
    return f"{word.capitalize()}: {told}.", blocks


def _origin(origin: Mapping[str, Any], firing: int) -> str:
    told = f"*Suspected origin:* {named(origin['service'], 60)}"
    return f"{told}: {origin['groups']} of {firing} firing groups are on it or on what depends on it"


def _line(group: Mapping[str, Any]) -> str:
    what = f"{named(group['service'] or 'unknown', 40)} · {named(group['title'], 80)}"
    return f"*{group['state']}* {group['severity']} {group['ref']} · {what}"
