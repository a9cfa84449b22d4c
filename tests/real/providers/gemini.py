"""Google's Gemini API: each turn's first call carries a thought signature, and a history without it is refused."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from google.genai import types
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, event, require, seal

PARTS: Mapping[str, tuple[Any, bool]] = {
    "contents": (types.Content, True),
    "systemInstruction": (types.Content, False),
    "tools": (types.Tool, True),
    "toolConfig": (types.ToolConfig, False),
    "safetySettings": (types.SafetySetting, True),
    "generationConfig": (types.GenerationConfig, False),
}
"""The fields of a request and the SDK's types of them; whether each is a list."""

RETRY_SECONDS = 3.5
RATE_LIMITED = [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "RequestsPerMinute"}]},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{RETRY_SECONDS}s"},
]
"""In the body of the refusal; there is no `Retry-After`."""


class Gemini(ModelServer):
    """`generateContent` and `streamGenerateContent`."""

    def routes(self) -> Mapping[str, bool | None]:
        path = f"/{{version}}/models/{self.model}"
        return {f"{path}:generateContent": False, f"{path}:streamGenerateContent": True}

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("x-goog-api-key"), "API key not valid. Please pass a valid API key.", 403)
        for name, value in body.items():
            require(name in PARTS, f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
            kind, many = PARTS[name]
            for item in value if many else [value]:
                _check_type(name, item, kind)
        for place, values in _enums("tools", body.get("tools")):
            require("" not in values, f"* GenerateContentRequest.{place}.enum: cannot be empty")
        require(body.get("contents"), "* GenerateContentRequest.contents: contents is not specified")
        for content in body["contents"]:
            require(content.get("parts"), "* GenerateContentRequest.contents.parts: must not be empty")
        self._check_thinking(types.ThinkingConfig(**(body.get("generationConfig") or {}).get("thinkingConfig") or {}))
        _check_order(body["contents"])
        _check_signatures(body["contents"])

    def _check_thinking(self, config: types.ThinkingConfig) -> None:
        takes_budget, pro = "gemini-2.5" in self.model, "pro" in self.model
        minimal = config.thinking_level is types.ThinkingLevel.MINIMAL
        require(not (takes_budget and config.thinking_level), "Thinking level is not supported for this model.")
        require(not (pro and config.thinking_budget == 0), "Budget 0 is invalid. This model only works in thinking mode.")
        require(not (pro and minimal), "Thinking level MINIMAL is not supported for this model.")

    def turns_so_far(self, body: Json) -> int:
        return sum(content["role"] == "model" for content in body["contents"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        turn = -1
        for content in body["contents"]:
            turn += content["role"] == "model"
            for index, part in enumerate(part for part in content["parts"] if "functionResponse" in part):
                yield f"call_{turn}_{index}", str(part["functionResponse"]["response"])

    def parts(self, turn: Turn) -> Iterator[Json]:
        for index, call in enumerate(turn.calls):
            signed = {"thoughtSignature": _signature(turn.number)} if index == 0 else {}
            yield {"functionCall": {"name": call.name, "args": call.arguments}, **signed}
        if turn.text or not turn.calls:
            yield {"text": turn.text}

    def whole(self, turn: Turn, body: Json) -> Json:
        content = {"role": "model", "parts": list(self.parts(turn))}
        usage = {"promptTokenCount": 1000, "candidatesTokenCount": 40, "thoughtsTokenCount": 60, "totalTokenCount": 1100}
        candidate = {"content": content, "finishReason": turn.end or "STOP", "index": 0}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model, "responseId": str(turn.number)}

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        parts, answer = list(self.parts(turn)), self.whole(turn, body)
        for part in parts[:-1]:
            yield event({**answer, "candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]})
        last = {"content": {"role": "model", "parts": parts[-1:]}, "finishReason": turn.end or "STOP", "index": 0}
        yield event({**answer, "candidates": [last]})

    def broken(self, code: str, message: str) -> bytes:
        return event({"error": {"code": int(code), "message": message, "status": "UNAVAILABLE"}})

    def error(self, refused: Refused) -> Json:
        kinds = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        error = {"code": refused.status, "message": refused.message, "status": kinds.get(refused.status, "INTERNAL")}
        return {"error": {**error, **({"details": RATE_LIMITED} if refused.status == 429 else {})}}


def _enums(place: str, node: Any) -> Iterator[tuple[str, list[str]]]:
    """Each list of values within a schema, and where it stands."""
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "enum" and isinstance(child, list):
            yield place, child
        yield from _enums(f"{place}[{key}]", child)


def _signature(number: int) -> str:
    return base64.b64encode(seal(number).encode()).decode()


def _check_type(name: str, item: Json, kind: type[BaseModel]) -> None:
    try:
        kind.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Refused(f"Invalid JSON payload received. Unknown name \"{place}\" at '{name}': {first['msg']}") from None


def _check_order(contents: list[Json]) -> None:
    """A turn with calls comes after the user or results, and as many results follow as there were calls."""
    for position, content in enumerate(contents):
        calls = [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]
        follow = contents[position + 1]["parts"] if position + 1 < len(contents) else []
        answers = [part["functionResponse"]["name"] for part in follow if "functionResponse" in part]
        before = contents[position - 1]["role"] if position else ""
        comes = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
        require(not calls or before == "user", comes)
        parts = "the number of function response parts is equal to the number of function call parts of the function call turn."
        require(content["role"] != "model" or calls == answers, f"Please ensure that {parts}")


def _check_signatures(contents: list[Json]) -> None:
    turns = [content for content in contents if content["role"] == "model"]
    for number, content in enumerate(turns):
        first = next((part for part in content["parts"] if "functionCall" in part), None)
        if first is None:
            continue
        name, signature = first["functionCall"]["name"], first.get("thoughtSignature", "").replace("-", "+").replace("_", "/")
        missing = (
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly."
        )
        require(
            signature.rstrip("=") == _signature(number).rstrip("="), f"{missing} Function call `{name}`, position {number}."
        )
