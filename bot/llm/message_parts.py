"""The parts of a message: those that we may change, and those that a provider sealed and wants back as they were."""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage

from bot.llm.chat import CALL_EXTRAS

Message = TypeVar("Message", bound=BaseMessage)
Change = Callable[[Any], Any]
"""Of any JSON, text by text."""

SEALED_PARTS = frozenset({"reasoning", "thinking", "redacted_thinking", "reasoning_content"})
"""Parts that are signed or encrypted as a whole: the provider refuses them with one letter changed."""
SEALED_FIELDS = frozenset(
    {
        "id",
        "call_id",
        "type",
        "name",
        "index",
        "status",
        "signature",
        "thought_signature",
        "data",
        "encrypted_content",
        "extras",
    }
)
"""Fields of the other parts that are the provider's: names, ids and signatures."""
SEALED_KEYWORDS = frozenset({"__gemini_function_call_thought_signatures__", CALL_EXTRAS})
ANSWERED_BY = "answered_by"
"""Where a message's metadata name the model; journals of older versions have no such name, and nothing sealed."""
CALL_PARTS: Mapping[str, str] = {"function_call": "call_id", "tool_use": "id", "tool_call": "id"}
"""Parts that repeat a tool call, and their field with its id."""


def changed(message: Message, change: Change) -> Message:
    """A message with its texts and the arguments of its calls changed; what is sealed, the calls' names and ids stay.

    The same object where nothing changes.
    """
    update: dict[str, Any] = {"content": _content(message.content, change)}
    if isinstance(message, AIMessage):
        # The calls' ids stay: answers refer to them.
        for part in ("tool_calls", "invalid_tool_calls"):
            update[part] = [{**call, "args": change(call["args"])} for call in getattr(message, part)]
        others = message.additional_kwargs.items()
        update["additional_kwargs"] = {key: value if key in SEALED_KEYWORDS else change(value) for key, value in others}
    same = all(getattr(message, name) == value for name, value in update.items())
    return message if same else message.model_copy(update=update)


# Any: the parts of a message are a provider's own JSON.
def _content(content: Any, change: Change) -> Any:
    if not isinstance(content, list):
        return change(content)
    return [_part(part, change) if isinstance(part, dict) else change(part) for part in content]


def _part(part: dict[str, Any], change: Change) -> dict[str, Any]:
    if part.get("type") in SEALED_PARTS:
        return part
    return {name: value if name in SEALED_FIELDS else _field(name, value, change) for name, value in part.items()}


def _field(name: str, value: Any, change: Change) -> Any:
    if name != "arguments" or not isinstance(value, str):
        return change(value)
    # Arguments are JSON within a text. They are changed as the call's own are, or the two would differ.
    try:
        arguments = json.loads(value)
    except ValueError:
        return change(value)
    new = change(arguments)
    return value if new == arguments else json.dumps(new, ensure_ascii=False)


def answered_by(message: Message, model: str) -> Message:
    """The message with the name of the model that wrote it, which knows best what its sealed parts mean."""
    return message.model_copy(update={"response_metadata": {**message.response_metadata, ANSWERED_BY: model}})


def readable_by(messages: Sequence[Message], model: str) -> list[Message]:
    """The messages without what other models sealed: no provider takes another's, and the text and the calls say it all."""
    return [_unsealed(message) if _of_another(message, model) else message for message in messages]


def _of_another(message: BaseMessage, model: str) -> bool:
    return isinstance(message, AIMessage) and message.response_metadata.get(ANSWERED_BY, model) != model


def _unsealed(message: Message) -> Message:
    return message.model_copy(update={"content": str(message.text), "additional_kwargs": {}, "response_metadata": {}})


def without_calls(content: Any, calls: Set[str]) -> Any:
    """The content without the parts that repeat other calls than these, and without what was reasoned for those alone."""
    if not isinstance(content, list):
        return content
    parts = [part for part in content if _call_of(part) in ("", *calls)]
    if len(parts) == len(content):
        return content
    while parts and isinstance(parts[-1], dict) and parts[-1].get("type") in SEALED_PARTS:
        parts.pop()
    return parts


def _call_of(part: Any) -> str:
    """The id of the call that a part repeats; "" for every other part."""
    field = CALL_PARTS.get(str(part.get("type"))) if isinstance(part, dict) else None
    return str(part.get(field, "")) if field else ""
