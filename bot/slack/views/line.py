"""One line of plain text in a channel or thread: what the bot says once."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Rendered, context, prose, section, spoken

SHOWN = 2500
"""Characters of a line; Slack takes 3,000, and what is escaped grows."""


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: text, `mention` (Slack ids from configuration) in front of it, and `whole`: where all of a long text stands."""
    people = "".join(f"<@{user}> " for user in state.get("mention", ()))
    text = state["text"]
    blocks = [section(people + prose(text, SHOWN))]
    if len(text) > SHOWN:
        where = f"; the whole text: {state['whole']}" if state.get("whole") else ""
        blocks.append(context(f"Cut: {len(text):,} characters, {SHOWN:,} shown{where}"))
    return spoken(text, 450), blocks
