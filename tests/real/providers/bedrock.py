"""Amazon Bedrock's Converse API with a Claude behind it: the SDK's own description of the operation is the schema."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, halves, require

USAGE = {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}


@lru_cache(1)
def _operation() -> OperationModel:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).operation_model("Converse")


class Bedrock(ModelServer):
    """`POST /model/{id}/converse` and `/converse-stream`."""

    media_type = "application/vnd.amazon.eventstream"

    def routes(self) -> Mapping[str, bool | None]:
        return {"/model/{id}/converse": False, "/model/{id}/converse-stream": True}

    def call_id(self, number: int, index: int) -> str:
        return f"tooluse_{number}_{index}"

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("authorization"), "Missing Authentication Token", 403)
        model = unquote(request.path_params["id"])
        require(model == self.model, "The provided model identifier is invalid.")
        report = ParamValidator().validate({**_decoded(body), "modelId": model}, _operation().input_shape)
        require(not report.has_errors(), report.generate_report().partition("\n")[0])
        _check_known(body, _operation().input_shape, "")
        require(body.get("messages"), "A conversation must start with a user message. Try again with a conversation.")
        require(body["messages"][0]["role"] == "user", "A conversation must start with a user message.")
        blocks = [block for message in body["messages"] for block in message["content"]]
        require(
            body.get("toolConfig") or not any("toolUse" in block for block in blocks), "The toolConfig field must be defined."
        )
        self._check_choice(body)
        self._check_fields(body)
        _check_pairs(body["messages"])
        self._check_thinking(body)

    def _check_fields(self, body: Json) -> None:
        """Of the model's own: Claude knows these."""
        for name in body.get("additionalModelRequestFields") or ():
            known = name in ("thinking", "output_config", "anthropic_beta", "top_k")
            require(known, f"The model returned the following errors: {name}: Extra inputs are not permitted")

    def _thinks(self, body: Json) -> bool:
        fields = body.get("additionalModelRequestFields") or {}
        return bool((fields.get("thinking") or {"type": "adaptive"})["type"] != "disabled")

    def _check_choice(self, body: Json) -> None:
        choice = (body.get("toolConfig") or {}).get("toolChoice") or {}
        forced = "any" in choice or "tool" in choice
        told = "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use."
        require(not (forced and self._thinks(body)), told)

    def _check_thinking(self, body: Json) -> None:
        turns = [message for message in body["messages"] if message["role"] == "assistant"]
        for number, message in enumerate(turns if self._thinks(body) else ()):
            text: Json = (message["content"][0].get("reasoningContent") or {}).get("reasoningText") or {}
            expected = f"messages.{number}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."
            require(text, f"The model returned the following errors: {expected}")
            require(
                text["signature"] == self.sealed(number) and text["text"] == _thought(number),
                "Invalid `signature` in `thinking` block",
            )

    def turns_so_far(self, body: Json) -> int:
        return sum(message["role"] == "assistant" for message in body["messages"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        for message in body["messages"]:
            for block in message["content"]:
                if "toolResult" in block:
                    yield block["toolResult"]["toolUseId"], json.dumps(block["toolResult"]["content"], ensure_ascii=False)

    def content(self, turn: Turn, body: Json) -> Iterator[Json]:
        if self._thinks(body):
            yield {"reasoningContent": {"reasoningText": {"text": _thought(turn.number), "signature": turn.seal}}}
        if turn.text:
            yield {"text": turn.text}
        for call in turn.calls:
            yield {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}

    def whole(self, turn: Turn, body: Json) -> Json:
        message = {"role": "assistant", "content": list(self.content(turn, body))}
        reason = turn.end or ("tool_use" if turn.calls else "end_turn")
        return {"output": {"message": message}, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 1}}

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        yield _frame("messageStart", {"role": "assistant"})
        for index, block in enumerate(self.content(turn, body)):
            if use := block.get("toolUse"):
                start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
                yield _frame("contentBlockStart", {"contentBlockIndex": index, "start": start})
            for delta in _deltas(block):
                yield _frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
            yield _frame("contentBlockStop", {"contentBlockIndex": index})
        yield _frame("messageStop", {"stopReason": turn.end or ("tool_use" if turn.calls else "end_turn")})
        yield _frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})

    def broken(self, code: str, message: str) -> bytes:
        return _message({":exception-type": code, ":message-type": "exception"}, {"message": message})

    def error(self, refused: Refused) -> Json:
        return {"message": refused.message}

    def error_headers(self, refused: Refused) -> dict[str, str]:
        kinds = {400: "ValidationException", 403: "AccessDeniedException", 429: "ThrottlingException"}
        return {"x-amzn-ErrorType": kinds.get(refused.status, "InternalServerException")}


def _thought(number: int) -> str:
    return f"Turn {number}: the deploy came first. “So” I look there; password=hunter2hunter2 is the model's own invention."


def _deltas(block: Json) -> Iterator[Json]:
    if reasoning := block.get("reasoningContent"):
        for part in halves(reasoning["reasoningText"]["text"]):
            yield {"reasoningContent": {"text": part}}
        yield {"reasoningContent": {"signature": reasoning["reasoningText"]["signature"]}}
    elif use := block.get("toolUse"):
        for part in halves(json.dumps(use["input"])):
            yield {"toolUse": {"input": part}}
    else:
        for part in halves(block["text"]):
            yield {"text": part}


def _frame(kind: str, payload: Json) -> bytes:
    return _message({":event-type": kind, ":message-type": "event"}, payload)


def _message(kinds: Mapping[str, str], payload: Json) -> bytes:
    """One message of an event stream: lengths, their checksum, headers, payload, checksum of all."""
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in {**kinds, ":content-type": "application/json"}.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def _decoded(value: Any) -> Any:
    """The body as the SDK's callers write it: bytes where the wire has base64."""
    if isinstance(value, dict):
        return {key: base64.b64decode(item) if key == "redactedContent" else _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value


def _check_known(value: Any, shape: Any, place: str) -> None:
    """Fields that the operation does not have: the SDK's validator names them for some shapes only."""
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        for name, item in value.items():
            if name not in shape.members:
                raise Refused(f"extraneous key [{name}] is not permitted at {place or '/'}")
            _check_known(item, shape.members[name], f"{place}/{name}")
    elif shape.type_name == "list":
        for item in value:
            _check_known(item, shape.member, f"{place}[]")


def _check_pairs(messages: list[Json]) -> None:
    for position, message in enumerate(messages):
        calls = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        follow = messages[position + 1]["content"] if position + 1 < len(messages) else []
        results = [block["toolResult"]["toolUseId"] for block in follow if "toolResult" in block]
        counted = f"Expected toolResult blocks at messages.{position + 1}.content for the following Ids: {', '.join(calls)}"
        require(message["role"] != "assistant" or sorted(calls) == sorted(results), counted)
