"""Who may call: a bearer token, or the vendor's own signature. Compared in constant time."""

import base64
import hmac
import secrets
from collections.abc import Mapping

from bot.plugins import Signature, SignedRequest

_RANDOM_TOKEN = secrets.token_hex(32)
"""Compared against when no token is configured, so that the answer takes as long; never shown to anybody."""


def bearer_matches(headers: Mapping[str, str], token: str) -> bool:
    """Whether `Authorization: Bearer` carries this token. Without a configured token nothing matches."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    equal = hmac.compare_digest(credential.strip().encode(), (token or _RANDOM_TOKEN).encode())
    return equal and bool(token) and scheme.lower() == "bearer"


def token_matches(headers: Mapping[str, str], token: str) -> bool:
    """The same for senders of webhooks, some of which can only send it as the password of `Authorization: Basic`."""
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return bearer_matches(headers, token)
    try:
        password = base64.b64decode(credential.strip(), validate=True).partition(b":")[2]
    except ValueError:
        password = b""
    return hmac.compare_digest(password, (token or _RANDOM_TOKEN).encode()) and bool(token)


def signature_matches(signature: Signature | None, request: SignedRequest, token: str) -> bool:
    """Whether the vendor's proof fits these exact bytes. Without a configured token nothing does."""
    return signature is not None and signature.matches(request, token or _RANDOM_TOKEN) and bool(token)


def token_problem(name: str, token: str) -> str:
    """The answer to a refused caller: that a token must be set, and where, or that it does not fit."""
    variable = f"TOCSIN_TOKEN_{name.upper().replace('-', '_')}"
    if not token:
        return f"no token is set up here: set {variable} for the server, then send it as Authorization: Bearer"
    return f"the token is missing or wrong: send the value of {variable} as Authorization: Bearer"
