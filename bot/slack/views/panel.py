"""The context panel: what the empty line answers with."""

from bot.core.messages.replies import PanelReply
from bot.slack.blocks import Block, Rendered, actions, button, context, section
from bot.slack.untrusted_text import name_text
from bot.slack.view_context import ViewContext

_LABELS = {
    "declare": "Declare...",
    "list": "List",
    "help": "Help",
    "show": "Show",
    "ack": "Acknowledge",
    "resolve": "Resolve...",
    "investigate": "Investigate",
    "why": "Why?",
    "postmortem": "Postmortem",
    "stop": "Stop",
}


def render(panel: PanelReply, view: ViewContext) -> Rendered:
    """What is meant here and buttons for the commands that make sense."""
    ref = panel.ref
    what = f"*{panel.state}* {ref} · {name_text(panel.title, 150)}" if ref else "*Incidents in this workspace*"
    controls = [
        _button(name, ref)
        for name in (*panel.commands, *(["list"] if ref and "list" not in panel.commands else []))
        if name in _LABELS
    ]
    blocks: list[Block] = [
        section(what),
        actions(*controls[:8]),
        context(_open_here(panel), f"`{panel.slash} help` lists every verb"),
    ]
    return f"What you can do here{f' with {ref}' if ref else ''}", blocks


def _button(name: str, ref: str) -> Block:
    value = "-" if name in ("list", "help") else ref or "-"
    return button(_LABELS[name], name, value, accessible_label=f"{_LABELS[name]} {ref}".strip())


def _open_here(panel: PanelReply) -> str:
    """Why this one is meant, or which ones there are."""
    if panel.only_one:
        return f"{panel.ref} is meant: nothing else is open{panel.where}"
    here = panel.open_here
    return f"Open{panel.where}: {', '.join(here[:8])}; `{panel.slash} {here[0]}` shows one" if here else ""
