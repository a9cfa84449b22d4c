"""Ollama's own chat API, strict where the real one is lenient: a field that it does not have is an error here."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ollama._types import ChatRequest, Message, Options, Tool
from pydantic import ValidationError
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, halves, require

BYTES_PER_TOKEN = 3


class Ollama(ModelServer):
    """`POST /api/chat`, which answers in lines of JSON."""

    media_type = "application/x-ndjson"

    def routes(self) -> Mapping[str, bool | None]:
        return {"/api/chat": None}

    def check(self, request: Request, body: Json) -> None:
        require(body.get("model") == self.model, f"model '{body.get('model')}' not found", 404)
        try:
            ChatRequest.model_validate(body)
        except ValidationError as error:
            raise Refused(f"json: {error.errors()[0]['msg']}") from None
        _check_known(body, ChatRequest, "request")
        _check_known(body.get("options") or {}, Options, "options")
        for message in body["messages"]:
            _check_known(message, Message, "message")
        for tool in body.get("tools") or ():
            _check_known(tool, Tool, "tool")
        require(body["messages"], "messages must not be empty")
        # The real server cuts the beginning off without a word, the rules first.
        tokens = len(json.dumps([body["messages"], body.get("tools")])) // BYTES_PER_TOKEN
        require(tokens < (body.get("options") or {}).get("num_ctx", 4096), "truncated: num_ctx is too small for the messages")
        _check_order(body["messages"])

    def turns_so_far(self, body: Json) -> int:
        return sum(message["role"] == "assistant" for message in body["messages"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        turn, index = -1, 0
        for message in body["messages"]:
            if message["role"] == "assistant":
                turn, index = turn + 1, 0
            elif message["role"] == "tool":
                yield f"call_{turn}_{index}", message["content"]
                index += 1

    def _message(self, turn: Turn) -> Json:
        calls = [{"function": {"name": call.name, "arguments": call.arguments}} for call in turn.calls]
        message = {"role": "assistant", "content": turn.text, "thinking": f"Turn {turn.number}: I look there."}
        return {**message, **({"tool_calls": calls} if calls else {})}

    def _line(self, message: Json, *, done: bool, reason: str = "") -> Json:
        end = {"done_reason": reason or "stop", "prompt_eval_count": 1000, "eval_count": 100} if done else {}
        return {"model": self.model, "created_at": "2026-11-26T12:00:00Z", "message": message, "done": done, **end}

    def whole(self, turn: Turn, body: Json) -> Json:
        return self._line(self._message(turn), done=True, reason=turn.end)

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        message = self._message(turn)
        for part in halves(message["thinking"]):
            yield self._encoded({"role": "assistant", "content": "", "thinking": part})
        for part in halves(turn.text):
            yield self._encoded({"role": "assistant", "content": part})
        if calls := message.get("tool_calls"):
            yield self._encoded({"role": "assistant", "content": "", "tool_calls": calls})
        yield self._encoded({"role": "assistant", "content": ""}, done=True, reason=turn.end)

    def _encoded(self, message: Json, *, done: bool = False, reason: str = "") -> bytes:
        return json.dumps(self._line(message, done=done, reason=reason)).encode() + b"\n"

    def broken(self, code: str, message: str) -> bytes:
        return json.dumps({"error": message}).encode() + b"\n"

    def error(self, refused: Refused) -> Json:
        return {"error": refused.message}


def _check_known(value: Json, kind: Any, place: str) -> None:
    unknown = set(value) - set(kind.model_fields) - {"tool_call_id"}
    require(not unknown, f"json: unknown field {sorted(unknown)} in {place}")


def _check_order(messages: list[Json]) -> None:
    """As many results as there were calls, right behind them."""
    expected = 0
    for message in messages:
        if message["role"] == "tool":
            expected -= 1
            require(expected >= 0, "a tool's result without a call")
        else:
            require(expected == 0, "a call without its result")
            expected = len(message.get("tool_calls") or ())
    require(expected == 0, "a call without its result")
