"""The edge with the settings of each mode: the secret is for HTTP mode alone."""

import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.slack.app import SlackEdge
from bot.slack.client import web_client
from bot.slack.command_router import CommandRouter


@pytest.mark.parametrize(("secret", "status", "told"), [("", 404, "HTTP mode is off"), ("shh", 401, "invalid signature")])
async def test_socket_mode_needs_no_signing_secret_and_then_takes_no_request(secret: str, status: int, told: str) -> None:
    router: Any = cast(CommandRouter, None)
    edge = SlackEdge(web_client("xoxb-1"), router, app_token="xapp-1", signing_secret=secret)
    app = Starlette(routes=[Route("/slack/events", edge.endpoint, methods=["POST"])])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example") as web:
        answer = await web.post("/slack/events", json={"type": "url_verification", "challenge": "x"})

    assert answer.status_code == status and told in answer.text


@pytest.mark.parametrize(
    "body", [b"payload=not-json", b"payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D", b"{", b"[1]"]
)
async def test_a_signed_request_that_cannot_be_read_is_refused_and_never_an_error(body: bytes) -> None:
    edge = SlackEdge(web_client("xoxb-1"), cast(Any, None), signing_secret="shh")
    app = Starlette(routes=[Route("/slack/events", edge.endpoint, methods=["POST"])])
    stamp = str(int(time.time()))
    signature = hmac.new(b"shh", b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    kind = "application/x-www-form-urlencoded" if body.startswith(b"payload") else "application/json"
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}", "Content-Type": kind}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example") as web:
        answer = await web.post("/slack/events", content=body, headers=headers)

    assert answer.status_code == 400 and "not readable" in answer.text


@pytest.mark.parametrize("stamp", ["nan", "inf", "-1", "1e400", "", "1_7", "9" * 5000, "\u0661"])
@pytest.mark.parametrize("signature", ["v0=00", "v0=\xe9\xff", ""])
async def test_odd_moments_signatures_and_bytes_are_refused_and_never_an_error(stamp: str, signature: str) -> None:
    edge = SlackEdge(web_client("xoxb-1"), cast(Any, None), signing_secret="shh")
    app = Starlette(routes=[Route("/slack/events", edge.endpoint, methods=["POST"])])
    headers = {b"x-slack-request-timestamp": stamp.encode(), b"x-slack-signature": signature.encode("latin-1")}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example") as web:
        answer = await web.post("/slack/events", content=b"\xff\xfe\x00", headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("age", "clock_ahead", "status"), [(0, 0, 400), (0, 900, 400), (-900, 900, 400), (900, 0, 401), (600, 900, 401)]
)
async def test_a_signature_is_fresh_by_the_machines_clock_or_by_the_bots_and_stale_where_both_say_so(
    age: int, clock_ahead: int, status: int
) -> None:
    ahead = timedelta(seconds=clock_ahead)
    edge = SlackEdge(web_client("xoxb-1"), cast(Any, None), signing_secret="shh", clock=lambda: datetime.now(UTC) + ahead)
    app = Starlette(routes=[Route("/slack/events", edge.endpoint, methods=["POST"])])
    stamp, body = str(int(time.time()) - age), b"payload=not-json"
    signature = hmac.new(b"shh", b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}
    headers["Content-Type"] = "application/x-www-form-urlencoded"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example") as web:
        answer = await web.post("/slack/events", content=body, headers=headers)

    assert answer.status_code == status
