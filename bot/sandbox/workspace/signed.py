"""HTTP mode: requests to the app's own address, signed with the signing secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import httpx

from bot.sandbox.workspace.parcels import Outcome, Parcel


class SignedRequests:
    """Posts parcels to `<bot_url>/slack/events`."""

    def __init__(self, bot_url: str, signing_secret: str) -> None:
        self.bot_url = bot_url.rstrip("/")
        self._secret = signing_secret
        self.ahead_s = 0.0
        """So far Slack's clock is ahead of this machine's: for tests in which time passes for everybody."""
        self._client: httpx.AsyncClient | None = None

    async def deliver(self, parcel: Parcel, timeout_s: float) -> Outcome:
        """One attempt; a 2xx within so many seconds is the acknowledgement."""
        outcome = Outcome(parcel.id, "http")
        self.sign(parcel)
        url = f"{parcel.forgery.bot_url or self.bot_url}/slack/events"
        self._client = self._client or httpx.AsyncClient(trust_env=False)
        started = time.monotonic()
        try:
            answer = await self._client.post(url, content=parcel.body, headers=parcel.headers, timeout=timeout_s)
        except httpx.TimeoutException:
            outcome.delivered, outcome.error = True, "operation_timeout"
            return outcome
        except httpx.TransportError:
            outcome.error = "dispatch_failed"
            return outcome
        return _read(answer, outcome, started)

    def sign(self, parcel: Parcel) -> None:
        """Make body and headers of the request, signed now."""
        parcel.body, kind = encode(parcel)
        parcel.headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (sandbox)", **self._signature(parcel, parcel.body)}
        if parcel.retry_attempt:
            parcel.headers |= {"X-Slack-Retry-Num": str(parcel.retry_attempt), "X-Slack-Retry-Reason": parcel.retry_reason}

    def _signature(self, parcel: Parcel, body: bytes) -> dict[str, str]:
        forgery = parcel.forgery
        timestamp = str(int(time.time() + self.ahead_s) + forgery.timestamp_offset_s)
        signature = sign(forgery.secret or self._secret, timestamp, body)
        if forgery.signature == "missing":
            return {"X-Slack-Request-Timestamp": timestamp}
        if forgery.signature == "wrong":
            signature = "v0=" + "0" * 64
        elif forgery.signature:
            signature = forgery.signature
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's version 0 signature."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def encode(parcel: Parcel) -> tuple[bytes, str]:
    """The body of the request and its content type: events are JSON, commands a form, clicks JSON in a form."""
    if parcel.kind == "events_api":
        return json.dumps(parcel.payload).encode(), "application/json"
    fields = parcel.payload if parcel.kind == "slash_commands" else {"payload": json.dumps(parcel.payload)}
    return urlencode({k: v for k, v in fields.items() if v is not None}).encode(), "application/x-www-form-urlencoded"


def _read(answer: httpx.Response, outcome: Outcome, started: float) -> Outcome:
    outcome.delivered, outcome.status = True, answer.status_code
    outcome.acked = answer.is_success
    outcome.acked_ms = round((time.monotonic() - started) * 1000, 2)
    outcome.no_retry = answer.headers.get("x-slack-no-retry") == "1"
    if not outcome.acked:
        outcome.error = "http_error"
    elif answer.headers.get("content-type", "").startswith("application/json") and answer.content:
        outcome.body = answer.json()
    elif answer.text:
        outcome.body = {"text": answer.text}
    return outcome
