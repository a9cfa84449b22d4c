"""HTTP requests with limits: a deadline for the whole response, a cap on its bytes, no redirects, JSON only."""

import asyncio
import json
from collections.abc import Callable, Mapping
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

UntrustedJson = Any
"""JSON of another system, in whatever form it answers. Its readers index into it, and report what does not fit as
QueryFailed: to check each level before would say the same twice."""
JsonObject = Mapping[str, UntrustedJson]
"""One object of such JSON."""
TokenSource = str | Callable[[], str]
"""A bearer token, or what reads it before each request: one that is replaced every hour. Raises QueryFailed."""


@dataclass(frozen=True)
class JsonResponse:
    """A server's response. `json` is None where the body is not JSON; `text` then holds the beginning of a plain text."""

    status: int
    json: UntrustedJson
    text: str = ""


class JsonServer:
    """A server that answers JSON under one configured base address; no other address is requested.

    `name` is how people call it ("Prometheus"); it opens every error text. `token` goes out as a bearer token.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        name: str,
        base: str,
        seconds: float,
        token: TokenSource = "",
        accept: str = "application/json",
    ) -> None:
        self._client = client
        self._name = name
        self._base = base.rstrip("/")
        self._seconds = seconds
        self._accept = accept
        self._token = token

    @property
    def place(self) -> str:
        """Host and port, for messages: an address in the configuration may hold a password."""
        parts = urlsplit(self._base)
        return f"{self._name} at {parts.hostname}{f':{parts.port}' if parts.port else ''}"

    async def get(self, path: str, parameters: Mapping[str, str]) -> JsonResponse:
        """Send a GET request. Raises QueryFailed."""
        return await self._send("GET", path, params=parameters)

    async def read(self, path: str, parameters: Mapping[str, str]) -> UntrustedJson:
        """The JSON of a 200. Raises QueryFailed, with the reason that the server gave."""
        response = await self.get(path, parameters)
        if response.status != 200 or response.json is None:
            raise QueryFailed(f"{self.place} answered {refusal(response)}")
        return response.json

    async def read_text(self, path: str, parameters: Mapping[str, str]) -> str:
        """The text of a 200. Raises QueryFailed, with the reason that the server gave."""
        status, body = await self._within_limits("GET", path, parameters, None)
        if status != 200:
            raise QueryFailed(f"{self.place} answered {refusal(_response(status, body, await self._parsed(body)))}")
        return body.decode("utf-8", "replace")

    async def post(self, path: str, form: Mapping[str, str]) -> JsonResponse:
        """Send a form, since queries outgrow addresses; with GET where a proxy forbids POST. Raises QueryFailed."""
        response = await self._send("POST", path, form=form)
        return await self.get(path, form) if response.status == 405 else response

    async def _send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> JsonResponse:
        status, body = await self._within_limits(method, path, params, form)
        return _response(status, body, await self._parsed(body))

    async def _within_limits(
        self, method: str, path: str, params: Mapping[str, str] | None, form: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        try:
            # httpx limits each read; a server that answers byte by byte needs a limit on the whole.
            async with asyncio.timeout(self._seconds):
                return await self._body(method, path, params, form)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise QueryFailed(f"{self.place} did not answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise QueryFailed(f"{self.place} cannot be reached: {one_line(str(error) or type(error).__name__, 160)}") from error

    async def _body(
        self, method: str, path: str, params: Mapping[str, str] | None, form: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        token = self._token if isinstance(self._token, str) else await asyncio.to_thread(self._token)
        headers = {"Accept": self._accept} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = self._client.build_request(method, self._base + path, headers=headers, params=params, data=form)
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise AnswerTooLarge(
                        f"{self.place} answered more than {MAX_BYTES // 2**20} MiB: narrow the query or its time range"
                    )
            return response.status_code, bytes(body)
        finally:
            await response.aclose()

    async def _parsed(self, body: bytes) -> UntrustedJson:
        return await asyncio.to_thread(_json, body) if len(body) > _PARSE_IN_THREAD else _json(body)


def refusal(response: JsonResponse) -> str:
    """The reason of a refusal, for the end of a sentence: `HTTP 400: parse error`."""
    if response.status == 200 and response.json is None:
        return "something that is no JSON"
    body = response.json if isinstance(response.json, dict) else {}
    # Jaeger lists its errors.
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    why = body.get("message") or body.get("error") or first.get("msg") or response.text
    why = one_line(str(why), 200)
    return f"HTTP {response.status}{': ' + why if why else ''}"


def _response(status: int, body: bytes, answer: UntrustedJson) -> JsonResponse:
    # Many refuse in a line of plain text; an HTML page comes from a proxy and explains nothing.
    text = one_line(body[:400].decode("utf-8", "replace"), 200) if answer is None else ""
    return JsonResponse(status, answer, "" if text.startswith("<") else text)


def _json(body: bytes) -> UntrustedJson:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
