"""The edge with the settings of each mode: the secret is for HTTP mode alone."""

from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.slack.app import SlackEdge
from bot.slack.client import web_client
from bot.slack.commands import CommandRouter


@pytest.mark.parametrize(("secret", "status", "told"), [("", 404, "HTTP mode is off"), ("shh", 401, "invalid signature")])
async def test_socket_mode_needs_no_signing_secret_and_then_takes_no_request(secret: str, status: int, told: str) -> None:
    router: Any = cast(CommandRouter, None)
    edge = SlackEdge(web_client("xoxb-1"), router, app_token="xapp-1", signing_secret=secret)
    app = Starlette(routes=[Route("/slack/events", edge.endpoint, methods=["POST"])])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example") as web:
        answer = await web.post("/slack/events", json={"type": "url_verification", "challenge": "x"})

    assert answer.status_code == status and told in answer.text
