"""Connections before anything of a request is believed: their number, what stands around a body, and for how long they wait."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web.connections import MAX_DRAINED, MAX_FRAMING, MAX_HEADERS, Connection, Connections, raise_file_limit
from tests.real import wait_until

GET = b"GET /size HTTP/1.1\r\nhost: b\r\n\r\n"


class ServedApp:
    """A served app that tells the size of a body, and refuses at /refused without reading it."""

    def __init__(self, port: int, among: Connections) -> None:
        self.port, self.among = port, among

    async def open(self, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(first)
        return reader, writer

    async def ask(self, *parts: bytes) -> str:
        """Everything that comes back until the connection ends or rests."""
        reader, writer = await self.open()
        try:
            for part in parts:
                writer.write(part)
                with suppress(ConnectionError):
                    await writer.drain()
            return (await _answer(reader)).decode()
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return head + await reader.readexactly(int(length.split(b":")[1]))
    return b""


@asynccontextmanager
async def serving(most: int = 50, headers_seconds: float = 60) -> AsyncIterator[ServedApp]:
    async def size(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def refused(request: Request) -> Response:
        return PlainTextResponse("no", 401)

    async def large(request: Request) -> Response:
        await asyncio.sleep(0)
        return PlainTextResponse("x" * 20_000_000)

    among = Connections(most, headers_seconds=headers_seconds)

    class Protocol(Connection):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(among=among, **kwargs)

    app = Starlette(routes=[Route("/size", size, methods=["GET", "POST"]), Route("/refused", refused, methods=["POST"])])
    app.router.routes.append(Route("/large", large))
    config = uvicorn.Config(app, port=0, http=Protocol, ws="none", log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serve = asyncio.create_task(server.serve())
    await wait_until(lambda: server.started, every=0.01)
    try:
        yield ServedApp(server.servers[0].sockets[0].getsockname()[1], among)
    finally:
        server.should_exit = server.force_exit = True
        await serve


async def test_headers_within_the_limits_and_a_large_body_are_taken() -> None:
    head = b"POST /size HTTP/1.1\r\nhost: b\r\ncontent-length: 500000\r\n"
    filler = b"".join(b"x-%d: %b\r\n" % (number, b"v" * 600) for number in range(MAX_HEADERS - 2))

    async with serving() as served:
        answer = await served.ask(head + filler[:30_000], filler[30_000:] + b"\r\n", b"b" * 500_000)

    assert answer.startswith("HTTP/1.1 200") and answer.endswith("500000")


@pytest.mark.parametrize(
    "more",
    [b"x: " + b"y" * MAX_FRAMING, b"".join(b"x-%d: y\r\n" % number for number in range(MAX_HEADERS + 1))],
    ids=["too long", "too many"],
)
async def test_headers_beyond_the_limits_are_431(more: bytes) -> None:
    async with serving() as served:
        answer = await served.ask(b"GET /size HTTP/1.1\r\nhost: b\r\n" + more)

    assert answer.startswith("HTTP/1.1 431") and "connection: close" in answer


async def test_trailers_and_wrapping_of_chunks_count_as_headers_do() -> None:
    head = b"POST /size HTTP/1.1\r\nhost: b\r\ntransfer-encoding: chunked\r\n\r\n"
    async with serving() as served:
        wrapped = await served.ask(head, b"1\r\nb\r\n" * 20_000)
        trailed = await served.ask(head, b"2\r\n{}\r\n0\r\n", b"x-t: 1\r\n" * 20_000)
        plain = await served.ask(head, b"".join(b"%x\r\n%b\r\n" % (4096, b"b" * 4096) for _ in range(200)), b"0\r\n\r\n")

    assert plain.endswith(str(200 * 4096))
    assert not wrapped.startswith("HTTP/1.1 200") and not trailed.startswith("HTTP/1.1 200")


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01\x02\x00\x01\x00" + b"\0" * 90, b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", b"hello\r\n\r\n"]
)
async def test_what_is_no_http_is_400_in_the_form_of_all_refusals(raw: bytes) -> None:
    async with serving() as served:
        answer = await served.ask(raw)

    assert answer.startswith("HTTP/1.1 400") and answer.endswith('{"error":"not readable as HTTP/1.1"}')


async def test_at_the_limit_the_connection_that_has_been_sending_for_the_longest_gives_way() -> None:
    async with serving(most=3) as served:
        held = [await served.open(b"GET /size HT") for _ in range(3)]
        await wait_until(lambda: len(served.among.sending) == 3, every=0.01)
        answer = await served.ask(GET)
        with suppress(ConnectionError):
            assert await held[0][0].read() == b""
        held[1][1].write(b"TP/1.1\r\nhost: b\r\n\r\n")
        second = await _answer(held[1][0])
        for _, writer in held:
            writer.close()

    assert answer.startswith("HTTP/1.1 200") and second.startswith(b"HTTP/1.1 200")


async def test_a_resting_connection_gives_way_where_nobody_is_sending() -> None:
    async with serving(most=2) as served:
        resting = [await served.open(GET) for _ in range(2)]
        for reader, _ in resting:
            assert (await _answer(reader)).startswith(b"HTTP/1.1 200")
        answer = await served.ask(GET)
        for _, writer in resting:
            writer.close()

    assert answer.startswith("HTTP/1.1 200")


async def test_headers_that_do_not_come_in_time_cost_the_connection_and_a_slow_body_does_not() -> None:
    async with serving(headers_seconds=0.2) as served:
        slow, writer = await served.open(b"POST /size HTTP/1.1\r\nhost: b\r\ncontent-length: 2\r\n\r\n1")
        halves = [await served.open(first) for first in (b"", b"GET /size HTTP/1.1\r\n", b"\r\n")]
        for reader, half in halves:
            with suppress(ConnectionError):
                assert await reader.read() == b""
            half.close()
        writer.write(b"2")
        answer = await _answer(slow)
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_goes_on_after_the_answer_is_read_only_for_a_while() -> None:
    head = b"POST /refused HTTP/1.1\r\nhost: b\r\ncontent-length: %d\r\n\r\n" % (500 * MAX_DRAINED)
    async with serving() as served:
        reader, writer = await served.open(head)
        answer = await _answer(reader)
        with pytest.raises(ConnectionError):
            for _ in range(500):
                writer.write(b"x" * MAX_DRAINED)
                await writer.drain()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 401")


async def test_another_protocol_is_passed_over_and_the_request_answered() -> None:
    async with serving() as served:
        answer = await served.ask(b"GET /size HTTP/1.1\r\nhost: b\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")

    assert answer.startswith("HTTP/1.1 200") and "connection: close" in answer


async def test_requests_one_behind_the_other_on_a_connection_are_all_answered() -> None:
    async with serving() as served:
        reader, writer = await served.open(GET * 3)
        answers = [await _answer(reader) for _ in range(3)]
        writer.write(GET)
        answers.append(await _answer(reader))
        writer.close()

    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 4


def test_the_limit_of_open_files_is_raised_as_far_as_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        assert raise_file_limit(1024) == 1024 and resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1024
        assert raise_file_limit(600) == 1024
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_very_many_requests_at_once_whose_answers_nobody_reads_cost_the_connection_and_raise_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as served:
        for _ in range(3):
            reader, writer = await served.open(b"GET /large HTTP/1.1\r\nhost: b\r\n\r\n")
            await wait_until(lambda: served.among.stalled, every=0.01)
            writer.write(GET * 1000)
            with suppress(ConnectionError):
                await writer.drain()
                await reader.read()
            writer.close()
        await wait_until(lambda: not served.among.stalled, every=0.01)

    assert [record for record in caplog.records if record.exc_info] == []
