"""Chat completions, as OpenAI serves them; and as servers do that speak the same protocol and reason in the open."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, event, halves, require
from tests.real.providers.typed import problems

NEEDS_RESPONSES = re.compile(r"^gpt-(5\.[4-9]|[6-9])")
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


class OpenAIChat(ModelServer):
    """`POST /v1/chat/completions`."""

    def routes(self) -> Mapping[str, bool | None]:
        return {"/v1/chat/completions": None}

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("authorization", "").startswith("Bearer "), "You didn't provide an API key.", 401)
        self.check_body(body)

    def check_body(self, body: Json) -> None:
        """Raises `Refused`."""
        require(body.get("model") == self.model, f"The model '{body.get('model')}' does not exist.", 404)
        require(
            body.get("messages"),
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        )
        kind: Any = CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming
        if wrong := problems(self.published(body), kind):
            raise Refused(f"Invalid request: {wrong[0]}")
        if NEEDS_RESPONSES.match(self.model) and body.get("tools") and body.get("reasoning_effort") != "none":
            raise Refused(
                f"Function tools with reasoning_effort are not supported for {self.model} in /v1/chat/completions. "
                "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
            )
        require("tool_choice" not in body or body.get("tools"), "'tool_choice' is only allowed when 'tools' are specified.")
        check_order(body["messages"])
        for tool in body.get("tools") or ():
            check_strict(tool["function"])

    def published(self, body: Json) -> Json:
        """The body without what this server takes beyond OpenAI's published types."""
        return body

    def turns_so_far(self, body: Json) -> int:
        return sum(message["role"] == "assistant" for message in body["messages"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        for message in body["messages"]:
            if message["role"] == "tool":
                yield message["tool_call_id"], str(message["content"])

    def message(self, turn: Turn) -> Json:
        """The assistant's message; a call's arguments are text that holds JSON."""
        message: Json = {"role": "assistant", "content": turn.text or None}
        if turn.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}
                for call in turn.calls
            ]
        return message

    def deltas(self, turn: Turn) -> Iterator[Json]:
        """The message in pieces."""
        message = self.message(turn)
        yield {"role": "assistant", "content": ""}
        for part in halves(turn.text):
            yield {"content": part}
        for index, call in enumerate(message.get("tool_calls") or ()):
            yield {"tool_calls": [{**call, "index": index, "function": {**call["function"], "arguments": ""}}]}
            for part in halves(call["function"]["arguments"]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}

    def whole(self, turn: Turn, body: Json) -> Json:
        reason = turn.end or ("tool_calls" if turn.calls else "stop")
        choice = {"index": 0, "message": self.message(turn), "finish_reason": reason, "logprobs": None}
        return {**_head(turn, body, "chat.completion"), "choices": [choice], "usage": USAGE}

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        head = _head(turn, body, "chat.completion.chunk")
        for delta in self.deltas(turn):
            yield event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        reason = turn.end or ("tool_calls" if turn.calls else "stop")
        yield event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if (body.get("stream_options") or {}).get("include_usage"):
            yield event({**head, "choices": [], "usage": USAGE})
        yield b"data: [DONE]\n\n"

    def broken(self, code: str, message: str) -> bytes:
        return event({"error": {"message": message, "type": code, "param": None, "code": code}})

    def error(self, refused: Refused) -> Json:
        kind = refused.code or "invalid_request_error"
        return {"error": {"message": refused.message, "type": kind, "param": None, "code": refused.code}}


class AzureOpenAI(OpenAIChat):
    """The same behind Azure's paths, where the key has a header of its own."""

    def routes(self) -> Mapping[str, bool | None]:
        return {f"/openai/deployments/{self.model}/chat/completions": None}

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("api-key"), "Access denied due to missing api-key.", 401)
        require(request.query_params.get("api-version"), "Missing required query parameter: api-version", 404)
        self.check_body(body)


class OpenReasoning(OpenAIChat):
    """A server of one's own whose model reasons in the open, and that puts a signature into each call as Gemini's does."""

    def published(self, body: Json) -> Json:
        return {**body, "messages": [_published(message) for message in body["messages"]]}

    def check(self, request: Request, body: Json) -> None:
        super().check(request, body)
        check_reasoning(self, body)
        for message in body["messages"]:
            for call in message.get("tool_calls") or ():
                number = int(call["id"].split("_")[1])
                signed = call.get("extra_content") == {
                    "google": {"thought_signature": self.made(number, self.turns[number], body).seal}
                }
                require(signed, f"Function call is missing a thought_signature in functionCall parts: `{call['id']}`.")

    def message(self, turn: Turn) -> Json:
        message = super().message(turn)
        signed = {"extra_content": {"google": {"thought_signature": turn.seal}}}
        calls = [{**call, **signed} for call in message.get("tool_calls") or ()]
        return {**message, "reasoning_content": reasoning(turn.number), **({"tool_calls": calls} if calls else {})}

    def deltas(self, turn: Turn) -> Iterator[Json]:
        for part in halves(reasoning(turn.number)):
            yield {"reasoning_content": part}
        yield from super().deltas(turn)


def check_strict(function: Json) -> None:
    """A strict tool has no optional argument, and none with a default."""
    properties = (function.get("parameters") or {}).get("properties") or {}
    of = f"Invalid schema for function '{function['name']}': In context=(), "
    optional = set(properties) - set((function.get("parameters") or {}).get("required") or ())
    require(not function.get("strict") or not optional, f"{of}'required' is required to include every key in properties.")
    defaults = [name for name, schema in properties.items() if "default" in schema]
    require(not function.get("strict") or not defaults, f"{of}'default' is not permitted.")


def check_reasoning(server: ModelServer, body: Json) -> None:
    """Every turn of the model that called a tool comes back with what it reasoned."""
    numbered = [message for message in body["messages"] if message["role"] == "assistant"]
    for number, message in enumerate(numbered):
        kept = message.get("reasoning_content") == reasoning(number)
        require(
            kept or not message.get("tool_calls"), "The reasoning_content in the thinking mode must be passed back to the API."
        )


def reasoning(number: int) -> str:
    return f"Turn {number}: the deploy came first. “So” I look there."


def check_order(messages: list[Json]) -> None:
    """Results stand right behind the calls that they answer, and no call is without one."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            wrong = "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
            require(message["tool_call_id"] in open_calls, wrong)
            open_calls.remove(message["tool_call_id"])
            continue
        _check_answered(open_calls)
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        empty = message["role"] == "assistant" and not open_calls and message.get("content") in (None, "", [])
        require(not empty, "Invalid value for 'content': expected a string, got null.")
    _check_answered(open_calls)


def _check_answered(open_calls: list[str]) -> None:
    missing = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    require(not open_calls, f"{missing} The following tool_call_ids did not have response messages: {', '.join(open_calls)}")


def _published(message: Json) -> Json:
    calls = [{key: value for key, value in call.items() if key != "extra_content"} for call in message.get("tool_calls") or ()]
    others = {key: value for key, value in message.items() if key != "reasoning_content"}
    return {**others, **({"tool_calls": calls} if calls else {})}


def _head(turn: Turn, body: Json, kind: str) -> Json:
    return {"id": f"chatcmpl-{turn.number}", "object": kind, "created": 0, "model": body["model"]}
