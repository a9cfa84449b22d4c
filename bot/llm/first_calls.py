"""Keeps a model's answer to as many calls as anybody could want at once."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage

MAX_CALLS = 50
"""Twice what a run may look by default: calls beyond the budget are told so one by one."""


def first_calls(messages: Sequence[BaseMessage], most: int = MAX_CALLS) -> list[BaseMessage]:
    """The messages with the first `most` tool calls of each; the others are as if they had never been asked for.

    Each call is answered, and all of them are part of every later request: a thousand would be megabytes a turn.
    """
    return [_with_first(message, most) if isinstance(message, AIMessage) else message for message in messages]


def _with_first(message: AIMessage, most: int) -> AIMessage:
    if len(message.tool_calls) + len(message.invalid_tool_calls) <= most:
        return message
    kept = message.tool_calls[:most]
    more = {key: value for key, value in message.additional_kwargs.items() if key != "tool_calls"}
    invalid = message.invalid_tool_calls[: most - len(kept)]
    return message.model_copy(update={"tool_calls": kept, "invalid_tool_calls": invalid, "additional_kwargs": more})
