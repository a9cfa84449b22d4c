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
    """`state`: ref ("" in an ordinary channel), title, word (its state), fits (verbs), command,

    only_one (ref is meant because nothing else is open here) and open (references, when several are).
    """
    ref = state["ref"]
    what = f"*{state['word']}* {ref} · {named(state['title'], 150)}" if ref else "*Incidents in this workspace*"
    controls = [
        button(_LABELS[verb], verb, "-" if verb in ("list", "help") else ref or "-", spoken_as=f"{_LABELS[verb]} {ref}".strip())
        for verb in (*state["fits"], *(["list"] if ref and "list" not in state["fits"] else []))
        if verb in _LABELS
    ]
    blocks: list[Block] = [
        section(what),
        actions(*controls[:8]),
        context(_place(state), f"`{state['command']} help` lists every verb"),
    ]
    return f"What you can do here{f' with {ref}' if ref else ''}", blocks


def _place(state: Mapping[str, Any]) -> str:
    """Why this one, or which ones there are."""
    if state["only_one"]:
        return f"{state['ref']} is meant: nothing else is open in this channel"
    here = state["open"]
    return f"Open in this channel: {', '.join(here[:8])}; `{state['command']} {here[0]}` shows one" if here else ""
