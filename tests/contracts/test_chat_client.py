"""What our client of a model sends is what langchain's would send."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from bot.llm.agent import Answer
from bot.llm.chat import Chat
from tests.contracts.agent_fixture import serving
from tests.real.scripted_model import Script

CALL = {"name": "look", "args": {"service": "checkout"}, "id": "call_1", "type": "tool_call"}
TALK = [
    SystemMessage("You look."),
    HumanMessage("What is wrong with “checkout”?"),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage('{"id": "E1"}', tool_call_id="call_1", name="look"),
]


class Look(BaseModel):
    """One look."""

    service: str
    hours: int = 6


async def never(**_arguments: Any) -> str:
    raise AssertionError("nobody calls it")


def tool(description: str) -> StructuredTool:
    return StructuredTool(name="look", description=description, args_schema=Look, coroutine=never)


async def sent(kind: type[ChatOpenAI], description: str = "Looks.", **bound: Any) -> dict[str, Any]:
    """The body that reached the server."""
    script = Script([{"call": [["look", {"service": "checkout"}]]}])
    async with serving(script) as url:
        chat = kind(model="scripted", base_url=url, api_key=SecretStr("k"), max_retries=0, use_responses_api=False)
        answer = await chat.bind_tools([tool(description)], **bound).ainvoke(TALK)
    assert answer.tool_calls[0]["args"] == {"service": "checkout"}
    return script.requests[0]


@pytest.mark.parametrize("bound", [{}, {"tool_choice": "any"}, {"strict": True}], ids=["plain", "must call one", "strict"])
async def test_the_same_body_reaches_the_server(bound: dict[str, Any]) -> None:
    assert await sent(Chat, **bound) == await sent(ChatOpenAI, **bound)


async def test_beside_a_schema_of_the_answer_tools_keep_their_optional_arguments() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "Answer", "schema": Answer.model_json_schema()}}
    body = await sent(Chat, strict=True, response_format=form)

    function = body["tools"][0]["function"]
    assert body["response_format"]["type"] == "json_schema" and body["response_format"]["json_schema"]["name"] == "Answer"
    assert not function.get("strict") and function["parameters"]["required"] == ["service"]


async def test_a_tool_that_is_described_anew_is_sent_as_described() -> None:
    first, second = await sent(Chat, "Looks at checkout."), await sent(Chat, "Looks at service-1.")

    assert first["tools"][0]["function"]["description"] == "Looks at checkout."
    assert second["tools"][0]["function"]["description"] == "Looks at service-1."
