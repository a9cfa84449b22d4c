"""An OpenAI-compatible server that plays a script: a stand-in for a model, not a model.

It speaks the chat-completions protocol over HTTP and records each request. A
turn is one of `{"call": [[tool, arguments], ...]}`, `{"answer": {...}}` (the
structured result), `{"text": "..."}`, `{"status": 503}`, `{"garbage": true}`
or `{"hang": true}`. The last turn repeats.
"""

import argparse
import asyncio
import json
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Script:
    """The turns still to play, and what was asked."""

    def __init__(self, turns: list[dict[str, Any]]) -> None:
        self.turns = turns
        self.requests: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        return self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]


def app(script: Script) -> Starlette:
    """The server for one script; `POST /_script` replaces the turns, `GET /_requests` tells what came."""

    async def complete(request: Request) -> Response:
        body = await request.json()
        script.requests.append(body)
        turn = script.next()
        if turn.get("hang"):
            await asyncio.sleep(3600)
        if status := turn.get("status"):
            return JSONResponse({"error": {"message": "scripted"}}, status_code=status)
        if turn.get("garbage"):
            return Response("<html>not a completion</html>", media_type="application/json")
        return JSONResponse(completion(turn, len(script.requests), body))

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
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--turns", default='[{"hang": true}]')
    options = parser.parse_args()
    uvicorn.run(app(Script(json.loads(options.turns))), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
