"""Asks the model by an investigation's client: with tools, in two turns, not streamed. Proves address, key, name and quota.

langchain is imported inside the functions: it takes seconds.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from bot.core.check import Check, absent, failed, ok
from bot.core.config.budget import CONTEXT_TOKENS, Budget
from bot.core.errors import ConfigurationError
from bot.core.text.untrusted import one_line
from bot.llm.settings import ModelSettings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

SECONDS = 60.0
"""For one turn: models that reason take their time over a small question too."""
ORDER = "Call the tool `read_word`. Then call the tool `give_word` with the word that it returned."
WORD = "tocsin"
BUDGET = Budget()
_ADVICE = {
    400: "these are the provider's own words; docs/models.md names the settings of each provider",
    401: "check the provider's key (OPENAI_API_KEY or its like)",
    403: "the key may not use this model: check its project and its rights",
    404: "check TOCSIN_MODEL, and the server's address (OPENAI_BASE_URL usually ends in /v1)",
    429: "the key's quota or rate is used up",
}
_NO_CREDIT = "the account's quota is used up: check its plan and billing at the provider; until then the analyst ranks"
_SERVER = "check the model's server; until then the analyst ranks"
_NO_TOOL = "an investigation needs a model that calls tools: choose another one; until then the analyst ranks"


async def check_model(settings: ModelSettings, name: str, role: str = "Model", budget: Budget = BUDGET) -> Check:
    """Two small turns of the model of this name, and how much it takes in by the settings. Costs some hundred tokens."""
    title = f"{role} {name}" if name else role
    if not name:
        return absent(title, "the built-in analyst ranks; set TOCSIN_MODEL and a key for a model on top of it")
    try:
        model, window = await asyncio.to_thread(_client, settings, name, budget)
        return await _two_turns(title, model, window)
    except ConfigurationError as error:
        return failed(title, str(error), "then run doctor again")
    except ImportError as error:
        return failed(title, f"not asked: {one_line(str(error), 160)}", "install what it names, or the dependencies again")
    except TimeoutError:
        return failed(title, f"no answer within {SECONDS:.0f} s", _SERVER)


def _client(settings: ModelSettings, name: str, budget: Budget) -> tuple["BaseChatModel", int]:
    """The model, and the tokens of its window."""
    from bot.llm.providers.clients import chat_model
    from bot.llm.providers.windows import configured_window, window_of

    window = configured_window(name, budget) or CONTEXT_TOKENS
    model = chat_model(settings, name, seconds=SECONDS, context_tokens=window)
    return model, window_of(model, name, settings, budget)


async def _two_turns(title: str, model: "BaseChatModel", window: int) -> Check:
    from bot.llm.calling import call_errors
    from bot.llm.providers.failures import failure_of

    try:
        async with asyncio.timeout(2 * SECONDS):
            return await _try_in_two_turns(title, model, window)
    except call_errors() as error:
        failure = failure_of(error)
        if failure is None:
            return failed(title, f"the answer is no chat completion ({type(error).__name__})", _SERVER)
        if failure.timed_out:
            return failed(title, f"no answer within {SECONDS:.0f} s", _SERVER)
        if failure.status is None:
            return failed(title, f"not reached ({one_line(failure.text, 100)})", "check the server's address and the network")
        advice = _NO_CREDIT if failure.no_credit else _ADVICE.get(failure.status, _SERVER)
        return failed(title, f"answered {failure.status}: {failure.text}", advice)


async def _try_in_two_turns(title: str, model: "BaseChatModel", window: int) -> Check:
    from langchain_core.messages import HumanMessage, ToolMessage, message_to_dict, messages_from_dict

    with_tools = model.bind_tools(_tools(), tool_choice="any")
    messages: list[BaseMessage] = [HumanMessage(ORDER)]
    first = await with_tools.ainvoke(messages)
    if not first.tool_calls:
        return failed(title, f"answers ({_line(first)}), but called no tool", _NO_TOOL)
    # As from the journal: what the provider sealed has to survive it.
    messages += messages_from_dict([message_to_dict(first)])
    messages += [ToolMessage(WORD, tool_call_id=str(call["id"]), name=call["name"]) for call in first.tool_calls]
    second = await with_tools.ainvoke(messages)
    answer = next((str(call["args"]) for call in second.tool_calls), "") or _line(second)
    if WORD not in answer:
        return failed(title, f"called a tool and did not understand its result ({one_line(answer, 60)})", _NO_TOOL)
    return ok(title, f"answers, calls tools and reads their results; is sent {window:,} tokens at most")


def _line(message: "AIMessage") -> str:
    return one_line(message.text, 60)


def _tools() -> list[dict[str, Any]]:  # Any: as langchain types a tool's schema
    """In the form that every class of langchain converts to its provider's."""
    word = {"type": "object", "properties": {"word": {"type": "string", "description": "The word"}}, "required": ["word"]}
    return [
        _tool("read_word", "Returns a word.", {"type": "object", "properties": {}}),
        _tool("give_word", "Gives the word as the answer.", word),
    ]


def _tool(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
