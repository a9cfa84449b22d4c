"""A server in memory: answers by path, remembers what it was asked."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx


class Answers:
    """Hands out one answer for every request and keeps the requests."""

    def __init__(self, status: int = 200, json: Any = None, *, content: bytes | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._status, self._json, self._content = status, json, content

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._content is not None:
            return httpx.Response(self._status, content=self._content)
        return httpx.Response(self._status, json=self._json)

    @property
    def form(self) -> dict[str, str]:
        """The fields of the last request, from its body or its address."""
        request = self.requests[-1]
        text = request.content.decode() or request.url.query.decode()
        return {name: values[0] for name, values in parse_qs(text).items()}


def client(handler: Callable[[httpx.Request], Any]) -> httpx.AsyncClient:
    """An httpx client that talks to the handler alone."""
    return httpx.AsyncClient(transport=httpx.MockTransport(handler))
