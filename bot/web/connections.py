"""Connections before anything of a request is believed: how many, how much may stand around a body, how long it may take."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from typing import Any

import httptools
import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from bot.web.metrics import CLOSED

log = structlog.get_logger(__name__)
MAX_CONNECTIONS = 500
"""Each may hold MAX_FRAMING and some: together they stay below 64 MiB."""
OTHER_FILES = 200
"""Descriptors for the database, Slack and whatever is asked; connections get the rest."""
MAX_FRAMING = 64 * 1024
"""Bytes of a request that are not its body: request line, headers, what chunks are wrapped in, trailers."""
MAX_HEADERS = 100
MAX_PIPELINED = 16
RECEIVED_AT_ONCE = 64 * 1024
"""Room for what the system has received and nobody has read; with many connections it is what they cost."""
MAX_DRAINED = 128 * 1024
"""Bytes of a body that are read and thrown away after the answer."""
DRAINED_SECONDS = 1.0
"""For the sender of a larger one to read its answer: closing at once would take it away."""
HEADERS_SECONDS = 10.0
REQUEST_SECONDS = 40.0
"""Whole requests; the body by itself has less."""
STALLED_SECONDS = 30.0
"""For a client to take what it asked for."""
SWEEP_SECONDS = 1.0


def raise_file_limit(goal: int = 65_536) -> int:
    """Raise the soft limit of open files as far as the hard one allows, at most to `goal`; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = goal if hard == resource.RLIM_INFINITY else min(hard, goal)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return goal if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError) as error:
        log.warning("the limit of open files stays", limit=soft, why=str(error))
        return soft
    return most


class Connections:
    """All open connections. Beyond `most`, the one that has been sending its request for the longest gives way.

    A sender whose alert is worth anything has sent it within milliseconds: those who hold connections open lose theirs to
    whoever comes. Without one that is still sending, a resting connection gives way, else the new one.
    """

    def __init__(self, most: int = MAX_CONNECTIONS, *, headers_seconds: float = HEADERS_SECONDS) -> None:
        self.most = most
        self._headers_seconds = headers_seconds
        self.sending: dict[Connection, float] = {}
        """Since when the request that is not there whole has been coming; in this order."""
        self.resting: dict[Connection, None] = {}
        self.stalled: dict[Connection, float] = {}
        """Since when a client has not been taking its answer; in this order."""
        self._open = 0
        self._sweeper: asyncio.TimerHandle | None = None

    def admit(self, connection: "Connection") -> None:
        """Count one more; at the limit one is closed for it, or it is closed itself."""
        self._open += 1
        if self._open > self.most:
            oldest = next(iter(self.sending), None) or next(iter(self.stalled), None) or next(iter(self.resting), None)
            (oldest or connection).give_up("full")
        self.expect(connection)

    def expect(self, connection: "Connection") -> None:
        """From now on a request is awaited on it."""
        self.resting.pop(connection, None)
        self.sending[connection] = connection.loop.time()
        self._watch(connection.loop)

    def stall(self, connection: "Connection") -> None:
        """It does not take its answer."""
        self.stalled[connection] = connection.loop.time()
        self._watch(connection.loop)

    def rest(self, connection: "Connection") -> None:
        """Its request is answered; it may send another."""
        self.sending.pop(connection, None)
        self.resting[connection] = None

    def forget(self, connection: "Connection") -> None:
        """It is closed."""
        self._open -= 1
        self.drop(connection)

    def drop(self, connection: "Connection") -> None:
        """It waits for nothing any more."""
        for waiting in (self.sending, self.resting, self.stalled):
            waiting.pop(connection, None)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._sweeper is None:
            self._sweeper = loop.call_later(min(SWEEP_SECONDS, self._headers_seconds), self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweeper = None
        for connection, reason in list(self._late(loop.time())):
            connection.give_up(reason)
        if self.sending or self.stalled:
            self._watch(loop)

    def _late(self, now: float) -> Iterator[tuple["Connection", str]]:
        for connection, since in self.sending.items():
            if now - since < self._headers_seconds:
                break
            if not connection.has_headers or now - since >= REQUEST_SECONDS:
                yield connection, "slow"
        for connection, since in self.stalled.items():
            if now - since >= STALLED_SECONDS:
                yield connection, "not reading"


class Connection(HttpToolsProtocol):
    """The server's protocol with the limits that it lacks. One that breaks them is answered, if it can be, and closed."""

    def __init__(self, *args: Any, among: Connections, **kwargs: Any) -> None:  # Any: what uvicorn passes
        super().__init__(*args, **kwargs)
        self._among = among
        self._framing = 0
        self._drained = 0
        self._is_sending = True
        self._answered: RequestResponseCycle | None = None
        self.has_headers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_AT_ONCE)
        self._among.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.forget(self)
        self._hang_up()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        """Tell the request that is being answered, which with several at once is not the newest, that its sender has gone."""
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if not self._is_sending:
            self._framing = self._drained = 0
            self._begin()
        self._framing += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Another protocol is an offer that may be passed over; what follows on this connection would be in it.
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(*self._problem())
        if self._framing > MAX_FRAMING and not self.transport.is_closing():
            self._refuse(431, f"more than {MAX_FRAMING} bytes around the body")

    def _begin(self) -> None:
        self._is_sending, self.has_headers = True, False
        self._among.expect(self)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._is_sending:
            self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            raise _TooMany
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooMany
        self.has_headers = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body)
        if not self.cycle.response_complete:
            super().on_body(body)
            # Until the app asks for more: what nobody reads stays with its sender.
            self.flow.pause_reading()
            return
        self._drained += len(body)
        if self._drained > MAX_DRAINED:
            self.flow.pause_reading()
            self.loop.call_later(DRAINED_SECONDS, self.give_up, "body after the answer")

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_sending = False
        self._among.sending.pop(self, None)
        if self.cycle.response_complete:
            self._among.rest(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_sending and not self.pipeline and not self.transport.is_closing():
            self._among.rest(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._among.stall(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._among.stalled.pop(self, None)

    def give_up(self, reason: str) -> None:
        """Close it, whatever it is at; a request that is being read learns that its sender has gone."""
        CLOSED.labels(reason).inc()
        self._among.drop(self)
        self.transport.abort()

    def _problem(self) -> tuple[int, str]:
        if self.headers is not None and len(self.headers) >= MAX_HEADERS:
            return 431, f"more than {MAX_HEADERS} headers"
        return 400, "not readable as HTTP/1.1"

    def _refuse(self, status: int, error: str) -> None:
        """Answer, unless an answer is on its way, and close."""
        CLOSED.labels(error).inc()
        body = b'{"error":"%s"}' % error.encode()
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        running = self._answered
        if running is None or running.response_complete or not running.response_started:
            self.transport.write(STATUS_LINE[status] + head + body)
        self._hang_up()
        self.transport.close()


class _TooMany(Exception):
    """Raised into the parser, which ends with it."""
