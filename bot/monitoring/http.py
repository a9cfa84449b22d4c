"""One bounded question over HTTP: a deadline for the whole answer, a cap on its bytes, no redirects, JSON or nothing."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from bot.core.errors import AnswerTooLarge, QueryFailed
from bot.core.text.untrusted import one_line

MAX_BYTES = 5 * 1024 * 1024
"""Of one answer, decompressed."""
_PARSE_IN_THREAD = 256 * 1024
"""Bytes from which parsing would hold up the loop noticeably (about 2 ms)."""


@dataclass(frozen=True)
class Asked:
    """A server's answer: its status and its JSON; None where the body was no JSON, and then what its plain text began with."""

    status: int
    json: Any
    text: str = ""


class JsonServer:
    """A server that answers JSON under one configured base address; nothing else is ever asked.

    `name` is how people call it ("Prometheus"); it opens every error text. `token` goes out as a bearer token.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        name: str,
        base: str,
        seconds: float,
        token: str = "",
        accept: str = "application/json",
    ) -> None:
        self._client = client
        self._name = name
        self._base = base.rstrip("/")
        self._seconds = seconds
        self._headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})

    @property
    def place(self) -> str:
        """Host and port, for messages: an address in the configuration may hold a password."""
        parts = urlsplit(self._base)
        return f"{self._name} at {parts.hostname}{f':{parts.port}' if parts.port else ''}"

    async def get(self, path: str, parameters: Mapping[str, str]) -> Asked:
        """Ask with GET. Raises QueryFailed."""
        return await self._ask("GET", path, params=parameters)

    async def read(self, path: str, parameters: Mapping[str, str]) -> Any:
        """The JSON of a 200. Raises QueryFailed, which tells what the server said where it refused."""
        asked = await self.get(path, parameters)
        if asked.status != 200 or asked.json is None:
            raise QueryFailed(f"{self.place} answered {refusal(asked)}")
        return asked.json

    async def post(self, path: str, form: Mapping[str, str]) -> Asked:
        """Ask with a form, since queries outgrow addresses; with GET where a proxy forbids POST. Raises QueryFailed."""
        asked = await self._ask("POST", path, data=form)
        return await self.get(path, form) if asked.status == 405 else asked

    async def _ask(self, method: str, path: str, **content: Any) -> Asked:
        try:
            # httpx limits each read; a server that drips needs a limit on the whole.
            async with asyncio.timeout(self._seconds):
                status, body = await self._body(method, path, content)
                return _asked(status, body, await self._parsed(body))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise QueryFailed(f"{self.place} did not answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueryFailed(f"{self.place} cannot be reached: {one_line(str(error) or type(error).__name__, 160)}") from error

    async def _body(self, method: str, path: str, content: dict[str, Any]) -> tuple[int, bytes]:
        request = self._client.build_request(method, self._base + path, headers=self._headers, **content)
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise AnswerTooLarge(
                        f"{self.place} answered more than {MAX_BYTES // 2**20} MiB: ask for less, or for less time"
                    )
            return response.status_code, bytes(body)
        finally:
            await response.aclose()

    async def _parsed(self, body: bytes) -> Any:
        return await asyncio.to_thread(_json, body) if len(body) > _PARSE_IN_THREAD else _json(body)


def refusal(asked: Asked) -> str:
    """What a server said where it refused, for the end of a sentence: `HTTP 400: parse error`."""
    if asked.status == 200 and asked.json is None:
        return "something that is no JSON"
    told = asked.json if isinstance(asked.json, dict) else {}
    # Jaeger tells several errors in a list.
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    why = told.get("message") or told.get("error") or first.get("msg") or asked.text
    why = one_line(str(why), 200)
    return f"HTTP {asked.status}{': ' + why if why else ''}"


def _asked(status: int, body: bytes, answer: Any) -> Asked:
    # Many refuse in a line of plain text; a page of a proxy in between tells nothing.
    text = one_line(body[:400].decode("utf-8", "replace"), 200) if answer is None else ""
    return Asked(status, answer, "" if text.startswith("<") else text)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
