"""One line of plain text in a channel or thread: what the bot says once."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Rendered, prose, section, spoken


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: text, and `mention` (Slack ids from configuration) in front of it."""
    people = "".join(f"<@{user}> " for user in state.get("mention", ()))
    return spoken(state["text"], 450), [section(people + prose(state["text"], 2500))]
