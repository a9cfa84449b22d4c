"""Delivery: by which way a parcel goes, which are retried, and which can be replayed."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from bot.sandbox.workspace.parcels import Forgery, Outcome, Parcel
from bot.sandbox.workspace.people import APP_ID, BOT_USER_ID, TEAM_ID
from bot.sandbox.workspace.signed import SignedRequests
from bot.sandbox.workspace.sockets import Sockets
from bot.sandbox.workspace.state import Workspace

Json = dict[str, Any]

MOST_PARCELS = 5_000
RETRY_REASONS = {"operation_timeout": "timeout", "dispatch_failed": "connection_failed", "http_error": "http_error"}
DEFAULT_EVENTS = frozenset(
    {
        "app_mention",
        "app_home_opened",
        "app_uninstalled",
        "member_joined_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "reaction_removed",
        "tokens_revoked",
    }
)


class Postman:
    """Brings parcels to the app over Socket Mode or HTTP and records every attempt."""

    def __init__(self, ws: Workspace, sockets: Sockets, http: SignedRequests | None) -> None:
        self._ws = ws
        self.sockets = sockets
        self.http = http
        self.mode = "auto"
        self.events = set(DEFAULT_EVENTS)
        self.parcels: OrderedDict[str, Parcel] = OrderedDict()
        self.attempts: list[Json] = []
        self._running: set[asyncio.Task[None]] = set()
        ws.event_sink = self.emit

    async def deliver(self, parcel: Parcel) -> Outcome:
        """One attempt, after the delay that is switched on."""
        self._keep(parcel)
        if parcel.forgery.undelivered:
            return self._signed_only(parcel)
        if self._ws.faults.late_ms:
            await asyncio.sleep(self._ws.faults.late_ms / 1000)
        if self._ws.faults.down:
            outcome = Outcome(parcel.id, error="dispatch_failed")
        elif self._by_http():
            assert self.http is not None
            outcome = await self.http.deliver(parcel, self._ws.ack_s)
        else:
            outcome = await self.sockets.deliver(parcel)
        record = {"at": self._ws.now(), "kind": parcel.kind, "retry": parcel.retry_attempt, **outcome.as_json()}
        self.attempts = [*self.attempts[-MOST_PARCELS:], record]
        return outcome

    def _signed_only(self, parcel: Parcel) -> Outcome:
        if self._by_http() and self.http is not None:
            self.http.sign(parcel)
        return Outcome(parcel.id, error="kept")

    def _by_http(self) -> bool:
        if self.mode == "auto":
            return not self.sockets.connections and self.http is not None
        return self.mode == "http" and self.http is not None

    def _keep(self, parcel: Parcel) -> None:
        self.parcels[parcel.id] = parcel
        while len(self.parcels) > MOST_PARCELS:
            self.parcels.popitem(last=False)

    async def replay(self, parcel_id: str, forgery: Forgery) -> Outcome | None:
        """Deliver the very same payload and envelope id again; None if there is no such parcel."""
        parcel = self.parcels.get(parcel_id)
        return await self.deliver(replace(parcel, forgery=forgery)) if parcel else None

    def emit(self, event: Json) -> None:
        """Deliver an event in the background."""
        if self._subscribed(event):
            self._in_background(self._deliver_quietly(event))

    async def deliver_event(self, event: Json, forgery: Forgery | None = None) -> Outcome | None:
        """Deliver an event and wait for its first attempt; retries go on behind. None if the app is not subscribed."""
        if not self._subscribed(event):
            return None
        parcel = Parcel("events_api", event_payload(event, self._ws.now()), forgery=forgery or Forgery())
        doubled = self._ws.faults.take("duplicate_events")
        outcome = await self.deliver(parcel)
        if doubled:
            self._in_background(self._again(parcel))
        elif not outcome.acked and not outcome.no_retry:
            self._in_background(self._retry(parcel, RETRY_REASONS.get(outcome.error, "timeout")))
        return outcome

    async def _deliver_quietly(self, event: Json) -> None:
        await self.deliver_event(event)

    async def _again(self, parcel: Parcel) -> None:
        await self.deliver(_retried(parcel, 1, "timeout"))

    async def _retry(self, parcel: Parcel, reason: str) -> None:
        for attempt, delay_s in enumerate(self._ws.faults.retry_delays_s, start=1):
            await asyncio.sleep(delay_s)
            outcome = await self.deliver(_retried(parcel, attempt, reason))
            if outcome.acked or outcome.no_retry:
                return
            reason = RETRY_REASONS.get(outcome.error, "timeout")

    def _in_background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _subscribed(self, event: Json) -> bool:
        name = str(event["type"])
        if name == "message":
            name = {"im": "message.im", "group": "message.groups"}.get(str(event.get("channel_type")), "message.channels")
        return name in self.events

    async def close(self) -> None:
        """Stop what runs behind and close connections."""
        for task in list(self._running):
            task.cancel()
        if self.http:
            await self.http.close()


def _retried(parcel: Parcel, attempt: int, reason: str) -> Parcel:
    # The event id inside the payload stays; only the envelope is new.
    return replace(parcel, id=secrets.token_hex(8), retry_attempt=attempt, retry_reason=reason)


def event_payload(event: Json, at: float) -> Json:
    """The outer envelope of the Events API."""
    return {
        "token": "sandbox-verification-token",
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": "Ev" + secrets.token_hex(5).upper(),
        "event_time": int(at),
        "authorizations": [
            {"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True, "is_enterprise_install": False}
        ],
        "is_ext_shared_channel": False,
        "event_context": "sandbox",
    }
