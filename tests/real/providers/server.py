"""What the stand-ins share: a script of turns, what was requested, and how a refusal becomes an answer.

A turn is written as in `tests.real.scripted_model`: `{"call": [["tool", {...}]]}`, `{"answer": {...}}`, `{"text": "..."}`,
`{"status": 503}`, or with `"hold": true` one that waits until it is released. `"breaks": ["overloaded_error", "Overloaded"]`
ends a streamed answer after its first part with this error; with `"times": 2` that, or the status, comes twice only.
`"ends": "refusal"` is the provider's word for why the answer ended. `"cut"` closes the connection before the first part
("nothing") or after half of them ("half"), or answers a page of a proxy ("page"). With `"once": true` the next turn is played
where the conversation is the same a second time.
It follows from the conversation, so that a request that is made again after a crash gets the same answer.
"""

import asyncio
import base64
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]


class Refused(Exception):
    """The provider's answer to a request that it does not take."""

    def __init__(self, message: str, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Call:
    """One tool call of a turn, with the id that the provider gives it."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True)
class Turn:
    """One answer of the model: some text, some calls, and what it sealed for the next request."""

    number: int
    calls: tuple[Call, ...]
    text: str
    seal: str
    end: str = ""
    """Why it ended, where the script says it."""


def seal(number: int) -> str:
    """What a provider encrypts or signs for turn `number`: text in the form of a token, which redaction takes out."""
    body = base64.b64encode(json.dumps({"turn": number, "thought": "y" * 300}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.{'Zm9v' * 12}"


class ModelServer(ABC):
    """One provider. `requests` are the bodies that came, `refusals` what it said of those that it did not take."""

    def __init__(self, turns: list[Json], model: str) -> None:
        self.turns, self.model = turns, model
        self.requests: list[Json] = []
        self.sizes: list[int] = []
        self.refusals: list[str] = []
        self.released = asyncio.Event()
        self.failed = 0
        self.played = set[int]()

    @abstractmethod
    def routes(self) -> Mapping[str, bool | None]:
        """Paths, and whether the answer is streamed there; None where the body says so."""

    @abstractmethod
    def check(self, request: Request, body: Json) -> None:
        """Raises `Refused`."""

    @abstractmethod
    def turns_so_far(self, body: Json) -> int:
        """How many turns of the model the request holds."""

    @abstractmethod
    def results(self, body: Json) -> Iterator[tuple[str, str]]:
        """(call id, text) of each tool result, oldest first."""

    @abstractmethod
    def whole(self, turn: Turn, body: Json) -> Json:
        """The answer in one piece."""

    @abstractmethod
    def pieces(self, turn: Turn, body: Json) -> Iterator[bytes]:
        """The answer as it is streamed."""

    @abstractmethod
    def error(self, refused: Refused) -> Json:
        """A refusal in the provider's form."""

    def broken(self, code: str, message: str) -> bytes:
        """The error with which a streamed answer breaks off, in the provider's form."""
        raise NotImplementedError

    media_type = "text/event-stream"

    def app(self) -> Starlette:
        return Starlette(
            routes=[Route(path, self._answers(stream), methods=["POST"]) for path, stream in self.routes().items()]
        )

    def _answers(self, stream: bool | None) -> Any:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            body = json.loads(raw)
            self.requests.append(body)
            self.sizes.append(len(raw))
            try:
                return await self._turn(request, body, bool(body.get("stream")) if stream is None else stream)
            except Refused as refused:
                self.refusals.append(refused.message)
                return JSONResponse(self.error(refused), status_code=refused.status, headers=self.error_headers(refused))

        return answer

    def error_headers(self, refused: Refused) -> dict[str, str]:
        return {}

    async def _turn(self, request: Request, body: Json, stream: bool) -> Response:
        self.check(request, body)
        number = self.turns_so_far(body)
        script = self.turns[min(number, len(self.turns) - 1)]
        if script.get("once") and number in self.played:
            script = self.turns[number + 1]
        self.played.add(number)
        if script.get("hold"):
            await self.released.wait()
        fails = self.failed < script.get("times", math.inf)
        self.failed += "times" in script
        if fails and (status := script.get("status")):
            raise Refused(script.get("error", "scripted"), status, script.get("code"))
        breaks, cut = (script.get("breaks"), script.get("cut")) if fails else (None, None)
        if cut == "page":
            return Response("<html>Welcome to the proxy.</html>", media_type="text/html")
        turn = self.made(number, script, body)
        if not stream:
            return JSONResponse(self.whole(turn, body))

        async def pieces() -> AsyncIterator[bytes]:
            parts = list(self.pieces(turn, body))
            for piece in parts[: {"nothing": 0, "half": max(1, len(parts) // 2)}.get(cut, len(parts))]:
                yield piece
                if breaks:
                    yield self.broken(*breaks)
                    return
            if cut:
                # Not before what came was sent.
                await asyncio.sleep(0.02)
                raise ConnectionAbortedError("scripted")

        return StreamingResponse(pieces(), media_type=self.media_type)

    def made(self, number: int, script: Json, body: Json) -> Turn:
        """The turn with its ids, and evidence ids in the place of `E:tool`."""
        text = re.sub(
            r'"E:(\w+)"', lambda match: json.dumps(dict(self.evidence(body)).get(match[1], match[1])), json.dumps(script)
        )
        script = json.loads(text)
        calls = script.get("call") or ([["Answer", script["answer"]]] if "answer" in script else [])
        made = tuple(Call(self.call_id(number, index), name, arguments) for index, (name, arguments) in enumerate(calls))
        return Turn(number, made, script.get("text") or "", seal(number), script.get("ends", ""))

    def call_id(self, number: int, index: int) -> str:
        return f"call_{number}_{index}"

    def evidence(self, body: Json) -> Iterator[tuple[str, str]]:
        """(tool, evidence id) of each result: which tool a call was of follows from the script."""
        for call, text in self.results(body):
            match = re.search(r'\\?"id\\?": \\?"(E\d+)', text)
            number, index = (int(part) for part in re.findall(r"\d+", call)[-2:])
            if match and "call" in self.turns[number]:
                yield self.turns[number]["call"][index][0], match[1]

    def sealed(self, number: int) -> str:
        return seal(number)


def event(data: Json, name: str = "") -> bytes:
    """One server-sent event."""
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def halves(text: str) -> Iterator[str]:
    """A text in two pieces, as a stream has it."""
    yield text[: len(text) // 2]
    yield text[len(text) // 2 :]


def require(condition: object, message: str, status: int = 400) -> None:
    if not condition:
        raise Refused(message, status)
