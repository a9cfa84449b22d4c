"""An OpenAI-compatible server that plays a script: a stand-in for a model, not a model.

It speaks the chat-completions protocol over HTTP and records each request. A
turn is one of `{"call": [[tool, arguments], ...]}`, `{"answer": {...}}` (the
structured result), `{"text": "..."}`, `{"status": 503}` (with `"headers"` and `"error"`), `{"garbage": true}`,
`{"drop": true}` (the connection is closed) or `{"hang": true}`; with `"hold": true` it waits until it is released.
An answer that is streamed may have a fault: `"cut": "connection"` (closed in the middle), `"cut": "quiet"` (ended in the
middle), `"cut": "stall"` (nothing comes any more). `"usage": {...}` replaces the tokens, `"finish": "length"` the reason
why it ended. The last turn repeats.

`"E:<tool>"` in an answer becomes the evidence id of that tool's newest result in the conversation. With
`by_history` the turn follows from the conversation instead of from how often was asked, so that a question
asked again after a crash gets the same answer.
"""

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.real import IDLE_SECONDS


class Script:
    """The turns still to play, and what was asked."""

    def __init__(self, turns: list[dict[str, Any]], *, by_history: bool = False) -> None:
        self.turns = turns
        self.by_history = by_history
        self.requests: list[dict[str, Any]] = []
        self.released = asyncio.Event()
        """Lets turns marked `"hold": true` be answered."""

    def next(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The number of this turn and the turn."""
        self.requests.append(body)
        if self.by_history:
            number = sum(message["role"] == "assistant" for message in body["messages"])
            return number + 1, self.turns[min(number, len(self.turns) - 1)]
        return len(self.requests), self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]


def app(script: Script) -> Starlette:
    """The server for one script; `POST /_script` replaces the turns, `GET /_requests` tells what came."""

    async def complete(request: Request) -> Response:
        body = await request.json()
        number, turn = script.next(body)
        if turn.get("hang"):
            await asyncio.sleep(3600)
        if turn.get("hold"):
            await script.released.wait()
        if turn.get("drop"):
            return StreamingResponse(_dropped())
        if status := turn.get("status"):
            error = {"error": {"message": turn.get("error", "scripted")}}
            return JSONResponse(error, status_code=status, headers=turn.get("headers"))
        if turn.get("garbage"):
            return Response("<html>not a completion</html>", media_type="application/json")
        whole = completion(_cited(turn, body), number, body)
        if body.get("stream"):
            return streamed(whole, body, turn.get("cut", ""))
        return JSONResponse(whole)

    async def replace(request: Request) -> Response:
        script.turns = await request.json()
        script.requests.clear()
        return JSONResponse({"ok": True})

    async def asked(_request: Request) -> Response:
        return JSONResponse(script.requests)

    async def models(_request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
            Route("/_script", replace, methods=["POST"]),
            Route("/_requests", asked),
        ]
    )


def _cited(turn: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    ids = dict(_evidence(body.get("messages", [])))
    text = re.sub(r'"E:(\w+)"', lambda match: json.dumps(ids.get(match[1], match[0].strip('"'))), json.dumps(turn))
    cited: dict[str, Any] = json.loads(text)
    return cited


def _evidence(messages: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(tool, evidence id) of each tool result, oldest first."""
    calls = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()}
    for message in messages:
        if message["role"] == "tool" and (found := re.search(r'"id": "(E\d+)"', str(message["content"]))):
            yield calls.get(message["tool_call_id"], ""), found[1]


def completion(turn: dict[str, Any], number: int, body: dict[str, Any]) -> dict[str, Any]:
    """One chat completion in the published form."""
    calls = turn.get("call") or ([["Answer", turn["answer"]]] if "answer" in turn else [])
    message: dict[str, Any] = {"role": "assistant", "content": turn.get("text")}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{number}_{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(calls)
        ]
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "scripted"),
        "choices": [{"index": 0, "message": message, "finish_reason": turn.get("finish", "tool_calls" if calls else "stop")}],
        "usage": turn.get("usage") or {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


async def _dropped() -> AsyncIterator[bytes]:
    raise ConnectionAbortedError("scripted")
    yield b""


PIECE = 200
"""Characters of text or arguments in one event."""


def streamed(whole: dict[str, Any], body: dict[str, Any], cut: str = "") -> StreamingResponse:
    """A completion as a stream of events."""
    return StreamingResponse(_events(whole, body, cut), media_type="text/event-stream")


async def _events(whole: dict[str, Any], body: dict[str, Any], cut: str) -> AsyncIterator[str]:
    """A completion as the server sends it piece by piece; with a `cut` the first half of the pieces and no end."""
    head = {key: whole[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    message = whole["choices"][0]["message"]
    deltas = list(_deltas(message))
    for delta in deltas[: max(1, len(deltas) // 2)] if cut else deltas:
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    if cut == "connection":
        raise ConnectionAbortedError("scripted")
    if cut == "stall":
        await asyncio.sleep(3600)
    if cut:
        return
    reason = whole["choices"][0]["finish_reason"]
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event({**head, "choices": [], "usage": whole["usage"]})
    yield "data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if message["content"] else None}
    for piece in _pieces(message["content"] or ""):
        yield {"content": piece}
    for index, call in enumerate(message.get("tool_calls") or ()):
        begun = {"index": index, "id": call["id"], "type": "function", "function": {**call["function"], "arguments": ""}}
        yield {"tool_calls": [begun]}
        for piece in _pieces(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--turns", default='[{"hang": true}]')
    parser.add_argument("--by-history", action="store_true")
    options = parser.parse_args()
    uvicorn.run(
        app(Script(json.loads(options.turns), by_history=options.by_history)),
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        timeout_keep_alive=IDLE_SECONDS,
    )


if __name__ == "__main__":
    main()
