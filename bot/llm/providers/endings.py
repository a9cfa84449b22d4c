"""Why an answer ended, in each provider's words: what ended on purpose, too early or malformed is no answer."""

from enum import Enum, auto

from langchain_core.messages import AIMessage

_NAMED = ("finish_reason", "stop_reason", "stopReason", "done_reason", "status")
"""Where providers say why an answer ended: one that was cut off says nothing."""
_REFUSED = {
    *("refusal", "content_filter"),  # Anthropic; OpenAI and servers like it
    *("content_filtered", "guardrail_intervened"),  # Bedrock
    *("safety", "blocklist", "prohibited_content", "spii"),  # Gemini
}
_UNUSABLE = {
    *("malformed_function_call", "malformed_response", "unexpected_tool_call", "too_many_tool_calls"),  # Gemini
    *("missing_thought_signature", "recitation", "language", "other"),
    *("malformed_model_output", "malformed_tool_use"),  # Bedrock
    *("insufficient_system_resource", "abort", "error", "failed", "cancelled"),  # DeepSeek, vLLM, OpenRouter, OpenAI
}
_TOO_LONG = {"length", "max_tokens", "max_output_tokens", "incomplete", "model_context_window_exceeded"}


class End(Enum):
    """How an answer ended."""

    WHOLE = auto()
    NONE = auto()
    """Nothing says that it did."""
    REFUSED = auto()
    """The model, or a filter before or behind it, did not answer on purpose: the same request is refused again."""
    UNUSABLE = auto()
    """What came is no answer, and the next try may be one."""
    TOO_LONG = auto()
    """It reached the limit of what the model may write: the next one would too."""


def end_of(message: AIMessage) -> tuple[End, str]:
    """How an answer ended, and its provider's word for it."""
    reasons = _reasons(message)
    for end, words in ((End.REFUSED, _REFUSED), (End.UNUSABLE, _UNUSABLE), (End.TOO_LONG, _TOO_LONG)):
        if those := reasons & words:
            return end, min(those)
    return (End.WHOLE if reasons else End.NONE), ""


def _reasons(message: AIMessage) -> set[str]:
    """In small letters."""
    metadata = message.response_metadata
    # OpenAI's Responses API says there whether the limit or a filter made it incomplete.
    more = _field(metadata.get("incomplete_details"), "reason")
    # Gemini says there that it did not begin.
    blocked = _field(metadata.get("prompt_feedback"), "block_reason")
    parts = message.content if isinstance(message.content, list) else ()
    refused = blocked or any(_field(part, "type") == "refusal" for part in parts)
    reasons = [*map(metadata.get, _NAMED), more, "refusal" if refused else None]
    return {str(reason).lower() for reason in reasons if reason}


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
