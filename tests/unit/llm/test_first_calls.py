"""A model's answer with too many calls."""

from langchain_core.messages import AIMessage, ToolMessage

from bot.llm.first_calls import first_calls


def asking(count: int) -> AIMessage:
    return AIMessage(
        content="", tool_calls=[{"name": "search_logs", "args": {}, "id": f"c{i}", "type": "tool_call"} for i in range(count)]
    )


def test_a_thousand_calls_of_one_answer_are_cut_to_the_first() -> None:
    (kept,) = first_calls([asking(1000)], 25)

    assert isinstance(kept, AIMessage)
    assert [call["id"] for call in kept.tool_calls] == [f"c{i}" for i in range(25)]


def test_calls_that_nobody_can_read_count_too() -> None:
    broken = AIMessage(
        content="",
        tool_calls=asking(20).tool_calls,
        invalid_tool_calls=[
            {"name": "x", "args": "{", "id": f"i{i}", "error": "no JSON", "type": "invalid_tool_call"} for i in range(100)
        ],
    )

    (kept,) = first_calls([broken], 25)

    assert isinstance(kept, AIMessage)
    assert (len(kept.tool_calls), len(kept.invalid_tool_calls)) == (20, 5)


def test_an_ordinary_answer_stays_the_same() -> None:
    messages = [asking(3), ToolMessage("found", tool_call_id="c0")]

    assert first_calls(messages, 25) == messages
