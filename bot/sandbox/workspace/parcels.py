"""What Slack hands to the app: an event, a command or a click, and what came of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["events_api", "slash_commands", "interactive"]


@dataclass
class Forgery:
    """How a delivery differs from Slack's own: for tests. Empty fields mean the truth."""

    signature: str = ""
    timestamp_offset_s: int = 0
    secret: str = ""
    bot_url: str = ""
    """Over HTTP to this replica, instead of the address that is set."""
    socket: int | None = None
    """Over this socket of those that are open, instead of one by chance."""
    undelivered: bool = False
    """Made and signed, and not delivered: a replay does that later."""

    @classmethod
    def of(cls, raw: Json) -> Forgery:
        """From the `raw` field of an act: `signature` is `wrong`, `missing` or the header itself."""
        return cls(
            signature=str(raw.get("signature", "")),
            timestamp_offset_s=int(raw.get("timestamp_offset_s", 0)),
            secret=str(raw.get("secret", "")),
            bot_url=str(raw.get("bot_url", "")).rstrip("/"),
            socket=None if raw.get("socket") is None else int(raw["socket"]),
            undelivered=bool(raw.get("kept", False)),
        )


@dataclass
class Parcel:
    """One thing to deliver. `id` is the envelope's; a retry or replay carries the same payload."""

    kind: Kind
    payload: Json
    wants_answer: bool = False
    retry_attempt: int = 0
    retry_reason: str = ""
    forgery: Forgery = field(default_factory=Forgery)
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    made_at: float = field(default_factory=time.time)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    """As it was last sent over HTTP."""


@dataclass
class Outcome:
    """What became of one attempt: `acked` is True when the app took it within three seconds."""

    parcel_id: str
    mode: str = ""
    delivered: bool = False
    acked: bool = False
    acked_ms: float | None = None
    body: Json | None = None
    error: str = ""
    status: int | None = None
    no_retry: bool = False

    def as_json(self) -> Json:
        """For the control API."""
        return {
            "delivery": self.parcel_id,
            "mode": self.mode,
            "delivered": self.delivered,
            "acked": self.acked,
            "acked_ms": self.acked_ms,
            "ack": self.body,
            "error": self.error or None,
            "status": self.status,
        }
