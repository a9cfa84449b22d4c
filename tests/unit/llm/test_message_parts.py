"""What may be changed in a message and what a provider sealed."""

from typing import Any

from langchain_core.messages import AIMessage, ToolMessage

from bot.core.redaction.redaction import redact_all
from bot.llm.message_parts import answered_by, changed, readable_by, without_calls

SECRET = "password=hunter2hunter2"
CALL: Any = {"name": "look", "args": {"service": SECRET}, "id": "call_1", "type": "tool_call"}
PARTS: list[Any] = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SECRET},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": '{"service": "' + SECRET + '"}'},
    {"type": "text", "text": SECRET, "extras": {"signature": SECRET}},
]


def test_texts_and_arguments_are_redacted_alike_and_sealed_parts_stay() -> None:
    message = changed(AIMessage(content=PARTS, tool_calls=[CALL]), redact_all)

    reasoning, call, text = list[Any](message.content)
    assert reasoning == PARTS[0] and text["extras"] == PARTS[2]["extras"]
    assert "hunter2" not in str(call) and "hunter2" not in text["text"]
    assert call["arguments"] == '{"service": "' + message.tool_calls[0]["args"]["service"] + '"}'


def test_reasoning_in_the_open_is_redacted_and_signatures_beside_it_stay() -> None:
    extras = {"reasoning_content": SECRET, "__gemini_function_call_thought_signatures__": {"call_1": SECRET}}

    message = changed(AIMessage("", tool_calls=[CALL], additional_kwargs=extras), redact_all)

    assert "hunter2" not in message.additional_kwargs["reasoning_content"]
    assert message.additional_kwargs["__gemini_function_call_thought_signatures__"] == {"call_1": SECRET}


def test_a_message_without_anything_to_change_is_the_same_object() -> None:
    message = AIMessage(content=[PARTS[0]])

    assert changed(message, redact_all) is message


def test_another_model_reads_text_and_calls_alone() -> None:
    message = answered_by(AIMessage(content=PARTS, tool_calls=[CALL], additional_kwargs={"reasoning_content": "r"}), "first")
    result = ToolMessage("E1", tool_call_id="call_1")

    own, other = readable_by([message, result], "first"), readable_by([message, result], "second")

    assert own == [message, result] and other[1] is result
    assert (other[0].content, other[0].additional_kwargs) == (SECRET, {}) and other[0].tool_calls == [CALL]  # type: ignore[attr-defined]


def test_what_was_reasoned_for_a_forgotten_call_is_forgotten_with_it() -> None:
    later = [{**PARTS[0], "id": "rs_2"}, {**PARTS[1], "call_id": "call_2"}]

    assert without_calls([*PARTS[:2], *later], {"call_1"}) == PARTS[:2]
    assert without_calls("text", {"call_1"}) == "text"
