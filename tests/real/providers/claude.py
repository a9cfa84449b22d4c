"""Anthropic's Messages API: thinking is signed and bound to what stood before it, and a forced call is refused beside it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from anthropic.types.beta.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from starlette.requests import Request

from tests.real.providers.server import Json, ModelServer, Refused, Turn, event, halves, require
from tests.real.providers.typed import problems

SUMS = {"input_tokens": 600, "output_tokens": 100, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 100}
USAGE = {**SUMS, "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}}
"""At the end of a stream the API has the sums alone."""
NEVER_FORCED = re.compile(r"-5-[1-9]$")
THINKS_BY_ITSELF = re.compile(r"claude-\w+-5")
BINDING = "thinking-binding-controls-2026-08-01"


class Claude(ModelServer):
    """`POST /v1/messages`. `dropped` counts the thinking that no longer fitted its conversation."""

    def __init__(self, turns: list[Json], model: str = "claude-opus-5-5") -> None:
        super().__init__(turns, model)
        self.dropped = 0

    def routes(self) -> Mapping[str, bool | None]:
        return {"/v1/messages": None}

    def call_id(self, number: int, index: int) -> str:
        return f"toolu_{number}_{index}"

    def check(self, request: Request, body: Json) -> None:
        require(request.headers.get("authorization") or request.headers.get("x-api-key"), "x-api-key header is required", 401)
        require(request.headers.get("anthropic-version"), "anthropic-version: header is required")
        require(body.get("model") == self.model, f"model: {body.get('model')}", 404)
        kind: Any = MessageCreateParamsStreaming if body.get("stream") else MessageCreateParamsNonStreaming
        wrong = problems({key: value for key, value in body.items() if key != "betas"}, kind)
        require(not wrong, wrong[0].lstrip(".") if wrong else "")
        require(body["messages"], "messages: at least one message is required")
        require(body["messages"][0]["role"] == "user", 'messages: first message must use the "user" role')
        binding = (body.get("thinking") or {}).get("block_binding")
        betas = request.headers.get("anthropic-beta", "")
        require(not binding or BINDING in betas, "thinking.adaptive.block_binding: Extra inputs are not permitted")
        self._check_choice(body)
        _check_texts(body["messages"])
        _check_pairs(body["messages"])
        self._check_thinking(body)

    def _thinks(self, body: Json) -> bool:
        kind = (body.get("thinking") or {}).get("type")
        return kind in ("adaptive", "enabled") or (kind is None and bool(THINKS_BY_ITSELF.match(self.model)))

    def _check_choice(self, body: Json) -> None:
        forced = (body.get("tool_choice") or {}).get("type") in ("any", "tool")
        if NEVER_FORCED.search(self.model):
            disabled = (body.get("thinking") or {}).get("type") == "disabled"
            require(not disabled, '"thinking.type.disabled" is not supported for this model.')
            require(not forced, "tool_choice: forced tool use is not supported for this model")
        require(not (forced and self._thinks(body)), "Thinking may not be enabled when tool_choice forces tool use.")
        require(
            "temperature" not in body or not self._thinks(body), "`temperature` may only be set to 1 when thinking is enabled."
        )

    def _check_thinking(self, body: Json) -> None:
        binding = (body.get("thinking") or {}).get("block_binding") or {}
        drops = binding.get("prefix_mismatch_behavior") == "drop_block"
        for position, message in enumerate(body["messages"]):
            if message["role"] != "assistant" or not self._thinks(body) or not _written_here(message):
                continue
            first = message["content"][0]
            place = f"messages.{position}.content.0"
            expected = f"{place}.type: Expected `thinking` or `redacted_thinking`, but found `{first['type']}`."
            require(first["type"] == "thinking", expected)
            signed, _, prefix = first["signature"].rpartition("/")
            turn = sum(one["role"] == "assistant" for one in body["messages"][:position])
            require(signed == self.sealed(turn), f"{place}: Invalid `signature` in `thinking` block")
            if NEVER_FORCED.search(self.model) and prefix != _prefix(body, position):
                require(drops, f"{place}: The block is bound to a different conversation")
                self.dropped += 1

    def turns_so_far(self, body: Json) -> int:
        return sum(message["role"] == "assistant" for message in body["messages"])

    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        for block in _blocks(body["messages"], "tool_result"):
            yield block["tool_use_id"], json.dumps(block.get("content"), ensure_ascii=False)

    def content(self, turn: Turn, body: Json) -> Iterator[Json]:
        """The blocks of the answer, what was thought first."""
        if self._thinks(body):
            signature = f"{self.sealed(turn.number)}/{_prefix(body, len(body['messages']))}"
            yield {"type": "thinking", "thinking": "", "signature": signature}
        if turn.text:
            yield {"type": "text", "text": turn.text}
        for call in turn.calls:
            yield {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}

    def whole(self, turn: Turn, body: Json) -> Json:
        return {
            **self._head(turn),
            "content": list(self.content(turn, body)),
            "stop_reason": _reason(turn),
            "usage": USAGE,
        }

    def _head(self, turn: Turn) -> Json:
        head = {"id": f"msg_{turn.number}", "type": "message", "role": "assistant", "model": self.model}
        return {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**USAGE, "output_tokens": 1}}

    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        for data in self._events(turn, body):
            yield event(data, data["type"])

    def _events(self, turn: Turn, body: Json) -> Iterator[Json]:
        yield {"type": "message_start", "message": self._head(turn)}
        for index, block in enumerate(self.content(turn, body)):
            yield {"type": "content_block_start", "index": index, "content_block": _begun(block)}
            for delta in _deltas(block):
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        delta = {"stop_reason": _reason(turn), "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": SUMS}
        yield {"type": "message_stop"}

    def broken(self, code: str, message: str) -> bytes:
        return event({"type": "error", "error": {"type": code, "message": message}}, "error")

    def error(self, refused: Refused) -> Json:
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {
            "type": "error",
            "error": {"type": kinds.get(refused.status, "invalid_request_error"), "message": refused.message},
        }


def _prefix(body: Json, position: int) -> str:
    """A fingerprint of everything before a message: rules, tools, and earlier messages without the marks of the cache."""
    before = [body.get("system"), body.get("tools"), body["messages"][:position]]
    text = re.sub(r', "cache_control": \{[^}]*\}', "", json.dumps(before, sort_keys=False))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _blocks(messages: list[Json], kind: str) -> Iterator[Json]:
    for message in messages:
        for block in message["content"] if isinstance(message["content"], list) else ():
            if block["type"] == kind:
                yield block


def _check_texts(messages: list[Json]) -> None:
    for position, message in enumerate(messages):
        require(message["content"], f"messages.{position}: all messages must have non-empty content")
    require(all(block["text"] for block in _blocks(messages, "text")), "messages: text content blocks must be non-empty")


def _check_pairs(messages: list[Json]) -> None:
    """Results come first in the next message, one for each call."""
    for position, message in enumerate(messages):
        calls = [block["id"] for block in _blocks([message], "tool_use")]
        follow = messages[position + 1]["content"] if position + 1 < len(messages) else []
        results = [block["tool_use_id"] for block in follow if isinstance(block, dict) and block["type"] == "tool_result"]
        first = [block.get("tool_use_id") for block in follow[: len(calls)] if isinstance(block, dict)]
        lost = f"messages.{position}: `tool_use` ids were found without `tool_result` blocks immediately after"
        require(not calls or sorted(first, key=str) == sorted(calls), lost)
        extra = f"messages.{position + 1}.content.0: unexpected `tool_use_id` found in `tool_result` blocks"
        require(message["role"] != "assistant" or sorted(results) == sorted(calls), extra)


def _written_here(message: Json) -> bool:
    """Whether the turn is Claude's own: with adaptive thinking, turns of other models need not begin with a thought."""
    return all(block["id"].startswith("toolu_") for block in _blocks([message], "tool_use"))


def _begun(block: Json) -> Json:
    empty: Mapping[str, Json] = {"thinking": {"signature": ""}, "text": {"text": ""}, "tool_use": {"input": {}}}
    return {**block, **empty[block["type"]]}


def _deltas(block: Json) -> Iterator[Json]:
    if block["type"] == "thinking":
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "text":
        for part in halves(block["text"]):
            yield {"type": "text_delta", "text": part}
    else:
        for part in halves(json.dumps(block["input"])):
            yield {"type": "input_json_delta", "partial_json": part}


def _reason(turn: Turn) -> str:
    return turn.end or ("tool_use" if turn.calls else "end_turn")
