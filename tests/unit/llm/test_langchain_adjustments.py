"""What is done differently from langchain: answers with too many calls, and what a model is told of a wrong form."""

from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.messages import AIMessage, ToolMessage
from pydantic import BaseModel, ConfigDict

from bot.llm.langchain_adjustments import describe_schema_errors, limit_calls


def asking(count: int) -> AIMessage:
    return AIMessage(
        content="", tool_calls=[{"name": "search_logs", "args": {}, "id": f"c{i}", "type": "tool_call"} for i in range(count)]
    )


def test_a_thousand_calls_of_one_answer_are_cut_to_the_first() -> None:
    (limited,) = limit_calls([asking(1000)], 25)

    assert isinstance(limited, AIMessage)
    assert [call["id"] for call in limited.tool_calls] == [f"c{i}" for i in range(25)]


def test_calls_that_nobody_can_read_count_too() -> None:
    broken = AIMessage(
        content="",
        tool_calls=asking(20).tool_calls,
        invalid_tool_calls=[
            {"name": "x", "args": "{", "id": f"i{i}", "error": "no JSON", "type": "invalid_tool_call"} for i in range(100)
        ],
    )

    (limited,) = limit_calls([broken], 25)

    assert isinstance(limited, AIMessage)
    assert (len(limited.tool_calls), len(limited.invalid_tool_calls)) == (20, 5)


def test_an_ordinary_answer_stays_the_same() -> None:
    messages = [asking(3), ToolMessage("found", tool_call_id="c0")]

    assert limit_calls(messages, 25) == messages


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cause: str


def refused(data: dict[str, object]) -> Exception:
    """What langchain raises for these arguments."""
    try:
        Form.model_validate(data)
    except ValueError as error:
        wrapped = ValueError(f"Failed to parse data to Form: {error}")
        wrapped.__cause__ = error
        return StructuredOutputValidationError("Form", wrapped, AIMessage(""))
    raise AssertionError("it fits")


def test_an_answer_of_a_wrong_form_is_described_by_field_and_reason_without_its_content() -> None:
    text = describe_schema_errors(refused({"cause": 7, "token": "sk-live-abcdef"}))

    assert "cause: Input should be a valid string" in text and "token: Extra inputs" in text
    assert "sk-live" not in text and "7" not in text


def test_only_the_first_errors_of_an_answer_are_named_and_the_others_counted() -> None:
    text = describe_schema_errors(refused({"cause": "x", **{f"more_{n}": n for n in range(9)}}))

    assert text.count("Extra inputs") == 5 and "and 4 more" in text


def test_an_error_of_another_kind_asks_for_one_answer() -> None:
    assert "one answer" in describe_schema_errors(ValueError("two answers at once: sk-live-abcdef"))
