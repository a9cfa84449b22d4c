"""The client of a model that speaks OpenAI's protocol: langchain's, without the work that it would repeat with each turn."""

import ast
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

from langchain_core.exceptions import ModelError
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai import AsyncOpenAI, AsyncStream
from pydantic import BaseModel, PrivateAttr, model_validator

REASONING = "reasoning_content"
"""What the model reasoned, as DeepSeek and the servers that follow it name it."""
CALL_EXTRAS = "tool_call_extras"
"""Where we keep fields of tool calls that langchain drops, by the calls' ids."""
EXTRA_CONTENT = "extra_content"
"""Where Gemini's OpenAI-compatible server puts the thought signature of a call."""

_REPORTED = re.compile(
    r"""(?:ResponseError\()?code='(?P<code>\w+)',? message=(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<event>[a-z_]+): (?P<message>.*)""",
    re.DOTALL,
)
"""An error within a stream of the Responses API, as langchain writes it: that of a response, or an event of its own."""


class ReportedError(ModelError):
    """What a server of the Responses API said went wrong, after its answer had begun."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message}
        """As the openai client keeps it with the errors of chat completions."""


# Any, here and below: langchain's own types of what passes through these methods.
class KeptReasoning(BaseChatOpenAI):
    """Sends back what a model reasoned over chat completions. Servers refuse a turn whose reasoning is missing."""

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        choices = response.get("choices") if isinstance(response, dict) else response.choices
        for generation, choice in zip(result.generations, choices or (), strict=False):
            generation.message.additional_kwargs |= _extras(_field(choice, "message"))
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        choices = chunk.get("choices")
        if choices:
            _number_calls(choices[0].get("delta"))
        generation = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if generation is not None and choices:
            generation.message.additional_kwargs |= _extras(choices[0].get("delta"))
        return generation

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if "messages" in payload:
            payload["messages"] = _with_extras(payload["messages"], self._convert_input(input_).to_messages())
        return payload


def _extras(message: object) -> dict[str, Any]:
    reasoning = _field(message, REASONING)
    calls = {_field(call, "id"): _field(call, EXTRA_CONTENT) for call in _field(message, "tool_calls") or ()}
    extras = {id: extra for id, extra in calls.items() if id and extra}
    return {**({REASONING: reasoning} if reasoning is not None else {}), **({CALL_EXTRAS: extras} if extras else {})}


def _number_calls(delta: object) -> None:
    """Give each call of a part its place where the server leaves it out: langchain would drop the calls without a word."""
    for position, call in enumerate(_field(delta, "tool_calls") or ()):
        if isinstance(call, dict) and call.get("index") is None:
            call["index"] = position


def _field(value: object, name: str) -> Any:
    """A field of what the openai client returns, parsed or as plain JSON."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _with_extras(sent: Sequence[dict[str, Any]], messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The messages as they are sent, each with what its original holds beside its text and calls."""
    if len(sent) != len(messages):
        return list(sent)
    return [_with_extra(item, message) for item, message in zip(sent, messages, strict=True)]


def _with_extra(sent: dict[str, Any], message: BaseMessage) -> dict[str, Any]:
    if not isinstance(message, AIMessage):
        return sent
    if REASONING in message.additional_kwargs:
        sent = {**sent, REASONING: message.additional_kwargs[REASONING]}
    if extras := message.additional_kwargs.get(CALL_EXTRAS):
        calls = sent.get("tool_calls") or []
        sent["tool_calls"] = [{**call, EXTRA_CONTENT: extras[call["id"]]} if call["id"] in extras else call for call in calls]
    return sent


class PlainChunks:
    """The client's chat completions, with the parts of a streamed answer as plain JSON.

    langchain turns each part back into JSON, and the client would first make an object of some twenty classes of it.
    """

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def create(self, *, extra_body: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """As the client's own; a streamed answer is an iterator of JSON objects."""
        if not fields.get("stream"):
            return await self._client.chat.completions.create(extra_body=extra_body, **fields)
        body = {**fields, **(extra_body or {})}
        return await self._client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client.chat.completions, name)


class Chat(KeptReasoning, ChatOpenAI):
    """Sends what `ChatOpenAI` would send, some milliseconds a turn earlier."""

    # Any: as in bind_tools. Kept with its tool, so that no other one takes its id.
    _converted_tools: dict[tuple[int, bool | None], tuple[Any, Any]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def read_plain_chunks(self) -> Self:
        """Replace the client that langchain made."""
        self.async_client = PlainChunks(self.root_async_client)
        return self

    def bind_tools(self, tools: Sequence[Any], *, strict: bool | None = None, **kwargs: Any) -> Any:
        """The model with its tools, each converted once.

        langchain makes them strict beside a schema of the answer, for the openai client's own reading of answers, which is not
        used here: strict schemas may not have optional arguments or defaults, and ours have both.
        """
        strict = False if kwargs.get("response_format") else strict
        return super().bind_tools([self._once(tool, strict) for tool in tools], strict=strict, **kwargs)

    def _once(self, tool: Any, strict: bool | None) -> Any:
        """The tool as it is sent; a run binds the same ones in each turn."""
        key = id(tool), strict
        if key not in self._converted_tools:
            self._converted_tools[key] = tool, _converted(tool, strict)
        return self._converted_tools[key][1]

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        """As langchain's, but what the server reports in the middle is its error and not an answer that cannot be read."""
        try:
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk
        except ValueError as error:
            # Its subclasses are of bodies that are no JSON or lack a field; over chat completions the client raises its own.
            if type(error) is not ValueError or not self.use_responses_api:
                raise
            raise _reported(str(error)) from error

    def _get_request_payload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """langchain has messages and tools in the API's own form by now, so they are sent as fields of the body.

        The openai client would look up the type of each of their fields first.
        """
        payload: dict[str, Any] = super()._get_request_payload(*args, **kwargs)
        if "messages" not in payload:
            return self._responses_payload(payload)
        fields = {field: payload.pop(field) for field in ("messages", "tools", "response_format") if field in payload}
        # The client requires messages; those of the body replace the empty list.
        return {**payload, "messages": [], "extra_body": {**(payload.get("extra_body") or {}), **fields}}

    def _responses_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        fields = {field: payload.pop(field) for field in ("input", "tools") if field in payload}
        return {**payload, "input": [], "extra_body": {**(payload.get("extra_body") or {}), **fields}}


def _reported(text: str) -> ReportedError:
    match = _REPORTED.match(text)
    if match is None:
        return ReportedError(None, text)
    if match["quoted"]:
        return ReportedError(match["code"], ast.literal_eval(match["quoted"]))
    return ReportedError(match["event"], match["message"])


def _converted(tool: Any, strict: bool | None) -> Any:  # Any: as in bind_tools
    if not isinstance(tool, BaseTool):
        return tool
    schema = tool.args_schema
    return _schema_of(tool.name, tool.description, schema if isinstance(schema, type) else json.dumps(schema), strict)


@lru_cache(256)
def _schema_of(name: str, description: str, schema: type[BaseModel] | str, strict: bool | None) -> dict[str, object]:
    """`schema` as a string: of the answer, which langchain makes a tool with a schema in JSON."""
    arguments = json.loads(schema) if isinstance(schema, str) else schema
    return convert_to_openai_tool(StructuredTool(name=name, description=description, args_schema=arguments), strict=strict)
