"""Proofs of vendors, accepted in place of the bearer token: a header over the exact bytes, compared in constant time."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

FRESH = timedelta(minutes=5)
"""Where the moment is signed too: a request that was recorded longer ago is refused."""


@dataclass(frozen=True)
class SignedRequest:
    """One request before anything is parsed: its headers (looked up without regard to case) and the bytes as they were sent."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Signature:
    """One form of proof: `header` carries it, and `matches(request, secret)` says whether it fits."""

    header: str
    matches: Callable[[SignedRequest, str], bool]


Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a small file at a public https address; raises QueryFailed."""


@dataclass(frozen=True)
class Proof:
    """A proof that needs more than a secret, such as a vendor's certificate.

    `header` announces it. `holds(request, options, fetch)` says whether it fits; it raises QueryFailed where that cannot be
    checked now.
    """

    header: str
    holds: Callable[[SignedRequest, Mapping[str, object], Fetch], Awaitable[bool]]


def hmac_hex(header: str, *, algorithm: str = "sha256", prefix: str = "") -> Signature:
    """`<prefix><hex>` of the HMAC over the body, e.g. `sha256=...`. Of several, separated by commas, one has to fit."""

    def matches(request: SignedRequest, secret: str) -> bool:
        expected = prefix + hmac.new(secret.encode(), request.body, algorithm).hexdigest()
        return _holds(request.headers.get(header, "").split(","), expected)

    return Signature(header, matches)


def plain_token(header: str) -> Signature:
    """The secret itself in the vendor's own header."""

    def matches(request: SignedRequest, secret: str) -> bool:
        return _holds((request.headers.get(header, ""),), secret)

    return Signature(header, matches)


def timed_hmac_hex(header: str, *, timestamp_header: str) -> Signature:
    """`<hex>` of HMAC-SHA-256 over `<unix seconds>:<body>`, no older than five minutes; without that header over the body."""

    def matches(request: SignedRequest, secret: str) -> bool:
        timestamp = request.headers.get(timestamp_header, "")
        signed = timestamp.encode() + b":" + request.body if timestamp else request.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        fits = _holds((request.headers.get(header, ""),), expected)
        return fits and (not timestamp or _is_fresh(timestamp, request.received_at))

    return Signature(header, matches)


def standard_webhook(header: str, *, id_header: str, timestamp_header: str) -> Signature:
    """`v1,<base64>` of HMAC-SHA-256 over `id.timestamp.body`, as Standard Webhooks has it; a secret may be `whsec_<base64>`.

    Refuses a timestamp more than five minutes away, so that a recorded request cannot be sent again later.
    """

    def matches(request: SignedRequest, secret: str) -> bool:
        timestamp = request.headers.get(timestamp_header, "")
        signed = b".".join((request.headers.get(id_header, "").encode(), timestamp.encode(), request.body))
        digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
        fits = _holds(request.headers.get(header, "").split(" "), "v1," + base64.b64encode(digest).decode())
        return fits and _is_fresh(timestamp, request.received_at)

    return Signature(header, matches)


def signed_by_slack(request: SignedRequest, secret: str) -> bool:
    """Whether Slack signed these exact bytes lately: `v0=<hex>` of HMAC-SHA-256 over `v0:<timestamp>:<body>`.

    Whatever stands in the headers or the body, the answer is yes or no: the SDK's own verifier raises for a timestamp that is
    no number and for bytes that are no text.
    """
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + timestamp.encode() + b":" + request.body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    fits = _holds((request.headers.get("x-slack-signature", ""),), expected)
    return fits and _is_fresh(timestamp, request.received_at)


def _holds(candidates: list[str] | tuple[str, ...], expected: str) -> bool:
    return any(hmac.compare_digest(candidate.strip().encode(), expected.encode()) for candidate in candidates[:8])


def _key(secret: str) -> bytes:
    try:
        return (
            base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret.startswith("whsec_") else secret.encode()
        )
    except ValueError:
        return secret.encode()


def _is_fresh(timestamp: str, now: datetime) -> bool:
    """Whether Unix seconds, as a sender wrote them, are at most FRESH away; what is no such number is not."""
    seconds = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    return bool(seconds) and abs(now.timestamp() - int(timestamp)) <= FRESH.total_seconds()
