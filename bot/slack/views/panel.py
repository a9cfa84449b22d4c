"""The context panel: what the empty line answers with."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, actions, button, context, named, section

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


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: ref ("" in an ordinary channel), title, word (its state), fits (verbs), command."""
    ref = state["ref"]
    what = f"*{state['word']}* {ref} · {named(state['title'], 150)}" if ref else "*Incidents in this workspace*"
    controls = [
        button(_LABELS[verb], verb, "-" if verb in ("list", "help") else ref or "-", spoken_as=f"{_LABELS[verb]} {ref}".strip())
        for verb in state["fits"]
        if verb in _LABELS
    ]
    blocks: list[Block] = [section(what), actions(*controls[:8]), context(f"`{state['command']} help` lists every verb")]
    return f"What you can do here{f' with {ref}' if ref else ''}", blocks
