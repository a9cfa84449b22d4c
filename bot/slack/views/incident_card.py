"""The card of an incident that people declared without an alert group."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, actions, button, context, fields, header, named, spoken, titled, when
from bot.slack.views.card import time_between


def render(state: Mapping[str, Any]) -> Rendered:
    """`state` is bot.store.slack.message_states' incident."""
    blocks: list[Block] = [header(f"{state['state']} {state['severity']} · {state['ref']} · {spoken(state['title'], 100)}")]
    if state["state"] != "RESOLVED":
        blocks += [_facts(state), _controls(state)]
    elif state["cause"]:
        blocks.append(context(f"Cause: {titled(state['cause'])}"))
    return _fallback(state), [*blocks, context(_status(state), state["ref"])]


def _fallback(state: Mapping[str, Any]) -> str:
    severity = state["severity"].removeprefix("SEV")
    return f"{state['state'].capitalize()}, severity {severity}: {state['ref']} {spoken(state['title'])}"


def _facts(state: Mapping[str, Any]) -> Block:
    return fields(
        service=named(state["service"], 80) if state["service"] else "",
        declared=f"{when(state['declared_at'])} by {spoken(state['declared_by'], 40)}",
        lead=spoken(state["lead"], 40) if state["lead"] else "nobody yet",
        on_call=" ".join(f"<@{user}>" for user in state["mention"]) or ", ".join(state["on_call"]),
    )


def _controls(state: Mapping[str, Any]) -> Block:
    ref = state["ref"]
    return actions(
        button("Resolve...", "resolve", ref, spoken_as=f"Resolve {ref}"),
        button("Stop automation", "stop", ref, spoken_as=f"Stop automation in {ref}"),
    )


def _status(state: Mapping[str, Any]) -> str:
    if state["state"] == "RESOLVED":
        by = f" by {spoken(state['resolved_by'], 40)}" if state["resolved_by"] else ""
        return f"*RESOLVED*{by} after {time_between(state['declared_at'], state['resolved_at'])}"
    return f"*{state['state']}*" + (" automation stopped here" if state["stopped"] else "")
