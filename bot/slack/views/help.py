"""Help: what fits now first, then all verbs; made from the shelf."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, context, divider, escape, header, section


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: verbs ({name, aliases, usage, summary, options}), fits (names), one (a name, or ""), command, where."""
    if state["one"]:
        verb = next(verb for verb in state["verbs"] if verb["name"] == state["one"])
        return f"Help on {verb['name']}", [header(f"Help: {verb['name']}"), section(_whole(verb, state["command"]))]
    fitting = [verb for verb in state["verbs"] if verb["name"] in state["fits"]]
    others = [verb for verb in state["verbs"] if verb["name"] not in state["fits"]]
    blocks: list[Block] = [
        header("Help"),
        section("\n".join([f"*What fits {escape(state['where'])}:*", *map(_short, fitting)])),
        divider(),
        section("\n".join(["*Also:*", *map(_short, others)])),
        context(f"Write `{state['command']} verb` in a channel, or mention me with the same words, also in a thread."),
    ]
    return "Help: the verbs that fit now", blocks


def _short(verb: Mapping[str, Any]) -> str:
    return f"`{escape(verb['usage'] or verb['name'])}` {escape(verb['summary'])}"


def _whole(verb: Mapping[str, Any], command: str) -> str:
    lines = [f"`{command} {escape(verb['usage'] or verb['name'])}`", escape(verb["text"])]
    if verb["aliases"]:
        lines.append(f"Also: {', '.join(verb['aliases'])}")
    if options := [name for name in verb["options"] if name != "*"]:
        lines.append(f"Options: {', '.join(f'{name}=' for name in options)}")
    return "\n".join([*lines, f"Who: {verb['who']}"])
