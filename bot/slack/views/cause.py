"""The question that is asked once when an incident closes, and the answer once somebody gave it."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, actions, button, context, prose, section, spoken, when

WHY = "Asked once. The answer stands in the postmortem and is shown when something like this happens again."


def render(state: Mapping[str, Any]) -> Rendered:
    """ref, title, attempt, hypothesis (or None) and said (what a person said, or None)."""
    return _answered(state) if state["said"] else _asking(state)


def _asking(state: Mapping[str, Any]) -> Rendered:
    ref, first = state["ref"], state["hypothesis"]
    value = f"{ref}:{state['attempt']}"
    guess = f"\nTocsin's first cause ({first['confidence']}): {prose(first['cause'], 300)}" if first else ""
    controls = actions(
        button("That was it", "confirm", value, spoken_as=f"Confirm the first cause of {ref}") if first else None,
        button("Say what it was...", "cause", value, spoken_as=f"Say what {ref} was"),
    )
    blocks: list[Block] = [section(f"*What was it?*{guess}"), controls, context(WHY, ref)]
    return f"{ref} is over: what was it?", blocks


def _answered(state: Mapping[str, Any]) -> Rendered:
    ref, said = state["ref"], state["said"]
    change = button("Correct...", "cause", f"{ref}:{state['attempt']}", spoken_as=f"Correct the cause of {ref}")
    who = f"Said by {spoken(said['said_by'], 40)} {when(said['at'])}"
    blocks: list[Block] = [section(f"*What it was:* {prose(said['text'], 500)}"), actions(change), context(who, ref)]
    return f"{ref}: {spoken(said['said_by'], 40)} said what it was", blocks
