"""OpenAI's Responses API, stateless: reasoning comes back encrypted, and is wanted back with the item that followed it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming, ResponseCreateParamsStreaming
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, event, halves, require, seal
from tests.real.providers.typed import problems

USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 1100,
}


class OpenAIResponses(ModelServer):
    """`POST /v1/responses`."""

    def routes(self) -> Mapping[str, bool | None]:
        return {"/v1/responses": None}

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("authorization", "").startswith("Bearer "), "You didn't provide an API key.", 401)
        require(body.get("model") == self.model, f"The model '{body.get('model')}' does not exist.", 404)
        kind: Any = ResponseCreateParamsStreaming if body.get("stream") else ResponseCreateParamsNonStreaming
        if wrong := problems(body, kind):
            raise Refused(f"Invalid request: {wrong[0]}")
        require(body.get("input"), "Missing required parameter: 'input'.")
        for field in ("temperature", "top_p"):
            require(field not in body, f"Unsupported parameter: '{field}' is not supported with this model.")
        _check_choice(body)
        self._check_items(body["input"], stored=body.get("store") is not False)

    def _check_items(self, items: list[Json], *, stored: bool) -> None:
        require(not stored, "This stand-in keeps nothing: send store=false.")
        outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
        require(len(set(calls)) == len(calls) and len(set(outputs)) == len(outputs), "Duplicate call_id in input.")
        for position, item in enumerate(items):
            kind = item.get("type")
            if kind == "reasoning":
                self._check_reasoning(items, position)
            elif kind == "function_call":
                self._check_call(items, position)
                require(item["call_id"] in outputs, f"No tool output found for function call {item['call_id']}.")
            elif kind == "function_call_output":
                before = {other["call_id"] for other in items[:position] if other.get("type") == "function_call"}
                missing = f"No tool call found for function call output with call_id {item['call_id']}."
                require(item["call_id"] in before, missing)

    def _check_reasoning(self, items: list[Json], position: int) -> None:
        item = items[position]
        number = int(item["id"].removeprefix("rs_"))
        require(
            item.get("encrypted_content") == seal(number), f"The encrypted content for item {item['id']} could not be verified."
        )
        after = items[position + 1] if position + 1 < len(items) else {}
        follows = after.get("type") == "function_call" or after.get("role") == "assistant"
        require(follows, f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.")

    def _check_call(self, items: list[Json], position: int) -> None:
        item = items[position]
        number = int(item["call_id"].split("_")[1])
        before = [other for other in items[:position] if other.get("id") == f"rs_{number}"]
        missing = f"was provided without its required 'reasoning' item: 'rs_{number}'."
        require(before, f"Item '{item.get('id')}' of type 'function_call' {missing}")
        try:
            json.loads(item["arguments"])
        except ValueError:
            raise Refused("Invalid 'arguments': not JSON.") from None

    def turns_so_far(self, body: Json) -> int:
        return sum(item.get("type") == "reasoning" for item in body["input"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        for item in body["input"]:
            if item.get("type") == "function_call_output":
                yield item["call_id"], str(item["output"])

    def whole(self, turn: Turn, body: Json) -> Json:
        return _ended(turn, body)

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        for number, data in enumerate(_events(turn, body)):
            yield event({**data, "sequence_number": number}, data["type"])

    def broken(self, code: str, message: str) -> bytes:
        if code == "server_error":
            failed = {**_response(Turn(0, (), "", ""), {"model": self.model}, "failed", []), "error": _error(code, message)}
            return event({"type": "response.failed", "response": failed, "sequence_number": 9}, "response.failed")
        return event({"type": "error", **_error(code, message), "param": None, "sequence_number": 9}, "error")

    def error(self, refused: Refused) -> Json:
        kind = refused.code or "invalid_request_error"
        return {"error": {"message": refused.message, "type": kind, "param": None, "code": refused.code}}


def _error(code: str, message: str) -> Json:
    return {"code": code, "message": message}


def _check_choice(body: Json) -> None:
    choice, names = body.get("tool_choice"), {tool.get("name") for tool in body.get("tools") or ()}
    if isinstance(choice, dict) and choice.get("type") == "function":
        require(choice["name"] in names, f"Tool choice '{choice['name']}' not found in 'tools' parameter.")
    require(names or choice in (None, "auto", "none"), "'tool_choice' is only allowed when 'tools' are specified.")


def _items(turn: Turn, body: Json) -> Iterator[Json]:
    encrypted = {"encrypted_content": turn.seal} if "reasoning.encrypted_content" in (body.get("include") or ()) else {}
    yield {"id": f"rs_{turn.number}", "type": "reasoning", "summary": [], **encrypted}
    for index, call in enumerate(turn.calls):
        item = {"id": f"fc_{turn.number}_{index}", "type": "function_call", "status": "completed", "call_id": call.id}
        yield {**item, "name": call.name, "arguments": json.dumps(call.arguments)}
    if turn.text or not turn.calls:
        content = [{"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}]
        yield {"id": f"msg_{turn.number}", "type": "message", "role": "assistant", "status": "completed", "content": content}


def _ended(turn: Turn, body: Json) -> Json:
    response = _response(turn, body, "incomplete" if turn.end else "completed", list(_items(turn, body)))
    return {**response, "incomplete_details": {"reason": turn.end} if turn.end else None}


def _response(turn: Turn, body: Json, status: str, output: list[Json]) -> Json:
    return {
        "id": f"resp_{turn.number}",
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "usage": USAGE if status in ("completed", "incomplete") else None,
    }


def _events(turn: Turn, body: Json) -> Iterator[Json]:
    yield {"type": "response.created", "response": _response(turn, body, "in_progress", [])}
    for index, item in enumerate(_items(turn, body)):
        yield from _item_events(index, item)
    yield {"type": "response.incomplete" if turn.end else "response.completed", "response": _ended(turn, body)}


def _item_events(index: int, item: Json) -> Iterator[Json]:
    empty: Mapping[str, Json] = {"function_call": {"arguments": ""}, "message": {"content": []}}
    place = {"item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": {**item, **empty.get(item["type"], {})}}
    if item["type"] == "function_call":
        for part in halves(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", "delta": part, **place}
        yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"], "name": item["name"], **place}
    elif item["type"] == "message":
        text = item["content"][0]["text"]
        for part in halves(text):
            yield {"type": "response.output_text.delta", "delta": part, "content_index": 0, "logprobs": [], **place}
        yield {"type": "response.output_text.done", "text": text, "content_index": 0, "logprobs": [], **place}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
