"""Socket Mode: tickets, up to ten connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import defaultdict
from itertools import chain
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import LIMIT
from bot.sandbox.workspace.parcels import Outcome, Parcel
from bot.sandbox.workspace.people import APP_ID
from bot.sandbox.workspace.state import Workspace

Json = dict[str, Any]
Ack = asyncio.Future[Json | None]


class Connection:
    """One open socket and the envelopes it has not acknowledged."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.leaving = False
        self._waiting: defaultdict[str, list[Ack]] = defaultdict(list)
        """Of each envelope, which may be on its way more than once; the oldest first."""

    async def hand_over(self, envelope: Json, timeout_s: float) -> Json | None:
        """Send an envelope and wait for its ack's payload; TimeoutError or ConnectionError when none comes."""
        ack: Ack = asyncio.get_running_loop().create_future()
        waiting = self._waiting[envelope["envelope_id"]]
        waiting.append(ack)
        try:
            await self.send(envelope)
            async with asyncio.timeout(timeout_s):
                return await ack
        finally:
            waiting.remove(ack)
            if not waiting:
                self._waiting.pop(envelope["envelope_id"], None)

    async def send(self, message: Json) -> None:
        """Send one message; ConnectionError if the other side is gone."""
        try:
            await self.socket.send_text(json.dumps(message))
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionError(str(error)) from error

    def acknowledged(self, text: str) -> None:
        """Note what the app answered; anything that is no ack is passed over, as Slack does."""
        try:
            message = json.loads(text)
        except ValueError:
            return
        acks = self._waiting.get(str(message.get("envelope_id")), []) if isinstance(message, dict) else []
        if ack := next((ack for ack in acks if not ack.done()), None):
            ack.set_result(message.get("payload"))

    def gone(self) -> None:
        """Nobody will acknowledge any more."""
        for ack in chain.from_iterable(self._waiting.values()):
            if not ack.done():
                ack.set_exception(ConnectionError("the app's connection closed"))


class Sockets:
    """All connections of the app."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._tickets: dict[str, float] = {}
        self.connections: list[Connection] = []

    def open_ticket(self) -> str:
        """The address of one new connection (`apps.connections.open`); good once, for 30 seconds."""
        if len(self.connections) >= LIMIT["socket.connections"]:
            raise Refused("too_many_websockets")
        ticket = secrets.token_urlsafe(12)
        self._tickets[ticket] = time.monotonic() + LIMIT["socket.ticket_seconds"]
        return f"{self._ws.base_url.replace('http', 'ws', 1)}/_socket/{ticket}"

    async def serve(self, socket: WebSocket) -> None:
        """Keep one connection until it closes."""
        good_until = self._tickets.pop(str(socket.path_params["ticket"]), 0.0)
        if self._ws.faults.down or time.monotonic() > good_until:
            await socket.close(4000)
            return
        await socket.accept()
        connection = Connection(socket)
        self.connections.append(connection)
        self._ws.feed.publish("bot", connections=len(self.connections))
        try:
            await connection.send(self._hello())
            while True:
                connection.acknowledged(await socket.receive_text())
        except (WebSocketDisconnect, ConnectionError, RuntimeError):
            pass
        finally:
            self.connections.remove(connection)
            connection.gone()
            self._ws.feed.publish("bot", connections=len(self.connections))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 3600},
        }

    def choose(self, number: int | None = None) -> Connection | None:
        """One connection by chance, as Slack does, or the one of this number; None if there is none."""
        open_ones = [c for c in self.connections if not c.leaving]
        if open_ones and number is not None:
            return open_ones[number % len(open_ones)]
        return random.choice(open_ones) if open_ones else None

    async def deliver(self, parcel: Parcel) -> Outcome:
        """One attempt over one connection."""
        outcome = Outcome(parcel.id, "socket")
        connection = self.choose(parcel.forgery.socket)
        if connection is None:
            outcome.error = "dispatch_failed"
            return outcome
        envelope: Json = {
            "envelope_id": parcel.id,
            "type": parcel.kind,
            "payload": parcel.payload,
            "accepts_response_payload": parcel.wants_answer,
        }
        if parcel.kind == "events_api":
            envelope |= {"retry_attempt": parcel.retry_attempt, "retry_reason": parcel.retry_reason}
        started = time.monotonic()
        try:
            outcome.body = await connection.hand_over(envelope, self._ws.ack_s)
            outcome.acked_ms = round((time.monotonic() - started) * 1000, 2)
            outcome.delivered = outcome.acked = True
        except TimeoutError:
            outcome.delivered, outcome.error = True, "operation_timeout"
        except ConnectionError:
            outcome.error = "dispatch_failed"
        return outcome

    async def ask_to_leave(self, reason: str = "refresh_requested") -> int:
        """Send `disconnect` on every connection, as Slack does before it closes one; the answer is how many."""
        leaving = [c for c in self.connections if not c.leaving]
        for connection in leaving:
            connection.leaving = True
            await connection.send({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
        return len(leaving)

    async def cut(self) -> int:
        """Close every connection without a word; the answer is how many."""
        cut = list(self.connections)
        for connection in cut:
            await connection.socket.close(1001)
        return len(cut)
