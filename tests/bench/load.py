"""A small HTTP/1.1 poster for loopback: closed loop (connections back to back) or open loop (a fixed rate).

The open loop counts from the moment a request was due, so that a server that stalls cannot hide it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 30.0


@dataclass
class Result:
    """What one load saw; `milliseconds` are the latencies of all requests, `bad` counts answers other than 2xx."""

    milliseconds: list[float] = field(default_factory=list)
    bad: int = 0
    seconds: float = 0.0

    def at(self, share: float) -> float:
        """The latency below which `share` (0..1) of all requests lie; NaN without any."""
        return quantile(self.milliseconds, share)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of all lie, without interpolation; NaN for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def request(url: str, body: bytes, token: str = "") -> bytes:
    """A whole POST of JSON, ready to be written."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])).encode() + body


class _Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self) -> None:
        self._seen = b""
        self._answer: asyncio.Future[int] | None = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        status, self._seen = int(head[9:12]), b""
        self._set(status)

    def connection_lost(self, _error: Exception | None) -> None:
        self._set(0)

    def _set(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    async def post(self, data: bytes) -> int:
        """The status; 0 when the connection ended without an answer."""
        if self.transport.is_closing():
            return 0
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._answer


def _length(head: bytes) -> int:
    place = head.lower().find(b"content-length:")
    return int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0


async def _connect(url: str) -> _Connection:
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1":
        raise ValueError("loads go to this machine only")
    _, connection = await asyncio.get_running_loop().create_connection(_Connection, parts.hostname, parts.port or 80)
    return connection


async def closed_loop(url: str, requests: Sequence[bytes], connections: int, seconds: float) -> Result:
    """Keep every connection busy for so many seconds; the requests are sent in turn, again and again."""
    end = time.perf_counter() + seconds
    number = 0

    def more() -> bytes | None:
        nonlocal number
        number += 1
        return requests[(number - 1) % len(requests)] if time.perf_counter() < end else None

    return await _together(url, connections, more)


async def each_once(url: str, requests: Sequence[bytes], connections: int) -> Result:
    """Send every request once."""
    left = iter(requests)
    return await _together(url, connections, lambda: next(left, None))


async def _together(url: str, connections: int, more: Callable[[], bytes | None]) -> Result:
    result, began = Result(), time.perf_counter()

    async def one() -> None:
        connection = await _connect(url)
        while (data := more()) is not None:
            sent = time.perf_counter()
            await _sent(connection, data, sent, result)
            if connection.transport.is_closing():
                connection = await _connect(url)
        connection.transport.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    result.seconds = time.perf_counter() - began
    return result


async def open_loop(url: str, requests: Sequence[bytes], connections: int, rate: float, seconds: float) -> Result:
    """Send `rate` requests a second whatever the answers do; latency from the moment each was due."""
    result, began = Result(), time.perf_counter()
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def one() -> None:
        connection = await _connect(url)
        while (item := await due.get()) is not None:
            await _sent(connection, item[1], item[0], result)
            if connection.transport.is_closing():
                connection = await _connect(url)
        connection.transport.close()

    workers = [asyncio.create_task(one()) for _ in range(connections)]
    await _feed(due.put_nowait, requests, began, rate, int(rate * seconds))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    result.seconds = time.perf_counter() - began
    return result


async def _feed(
    put: Callable[[tuple[float, bytes]], None], requests: Sequence[bytes], began: float, rate: float, count: int
) -> None:
    for number in range(count):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        put((due, requests[number % len(requests)]))


async def _sent(connection: _Connection, data: bytes, since: float, result: Result) -> None:
    status = await connection.post(data)
    result.milliseconds.append((time.perf_counter() - since) * 1000)
    result.bad += not 200 <= status < 300


def run(load: Awaitable[Result]) -> Result:
    """Run one load on the fastest loop there is: the generator shares the cores with what it measures."""
    import uvloop

    async def main() -> Result:
        return await load

    return uvloop.run(main())
