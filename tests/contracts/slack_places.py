"""Where the Slack conformance suite runs: the sandbox in this process, or a real workspace when its tokens are set."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

from bot.sandbox.app import build
from bot.sandbox.workspace.state import Workspace
from tests.real import PATIENCE

LIVE_TOKEN, LIVE_CHANNEL = "TOCSIN_LIVE_SLACK_BOT_TOKEN", "TOCSIN_LIVE_SLACK_CHANNEL"
LIVE_MISSING = f"set {LIVE_TOKEN} and {LIVE_CHANNEL} to run against a real workspace"

Json = dict[str, Any]


@dataclass
class Place:
    """A Slack to talk to, and a channel the bot is in."""

    client: AsyncWebClient
    channel: str


def live_place() -> Place | None:
    """The real workspace, if its tokens are set."""
    token, channel = os.environ.get(LIVE_TOKEN), os.environ.get(LIVE_CHANNEL)
    return Place(AsyncWebClient(token=token), channel) if token and channel else None


@dataclass
class Sandbox:
    """A running sandbox: its state, a plain client of its Web API, and its control API."""

    ws: Workspace
    client: AsyncWebClient
    control: httpx.AsyncClient

    async def act(self, person: str, **what: Any) -> Json:
        """Do something as a person and wait for the ack."""
        answer = await self.control.post("/_sandbox/act", json={"as": person, **what})
        body: Json = answer.json()
        return body

    async def wait(self, **wanted: Any) -> Json | None:
        """The newest match of `/_sandbox/wait`, None if it never comes."""
        answer = await self.control.get("/_sandbox/wait", params={"timeout": PATIENCE / 2, **wanted})
        match: Json | None = answer.json()["match"]
        return match

    async def set(self, name: str, /, **body: Any) -> Json:
        """Change faults, limits, delivery and so on."""
        answer = await self.control.post(f"/_sandbox/{name}", json=body)
        changed: Json = answer.json()
        return changed


@asynccontextmanager
async def serving(app: Any, listener: socket.socket) -> AsyncIterator[None]:
    """A server on an open socket, in this event loop."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.002)
    try:
        yield
    finally:
        server.should_exit = True
        await running


def free_port() -> socket.socket:
    """An open socket on a free loopback port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    return listener


@asynccontextmanager
async def sandbox() -> AsyncIterator[Sandbox]:
    """A fresh workspace behind a real server, which waits for a slow machine longer than Slack does."""
    ws = Workspace(bot_token="xoxb-test", app_token="xapp-test", signing_secret="shh")
    ws.ack_s = ws.triggers.lifetime_s = PATIENCE
    with free_port() as listener:
        ws.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = AsyncWebClient(token=ws.bot_token, base_url=f"{ws.base_url}/api/")
        async with serving(build(ws), listener), httpx.AsyncClient(base_url=ws.base_url, timeout=PATIENCE) as control:
            yield Sandbox(ws, client, control)


@asynccontextmanager
async def connected(app: AsyncApp, place: Sandbox, mode: str) -> AsyncIterator[None]:
    """An unmodified Bolt app, reached over Socket Mode or over signed HTTP."""
    async with AsyncExitStack() as stack:
        if mode == "socket":
            handler = AsyncSocketModeHandler(app, place.ws.app_token)
            await handler.connect_async()
            stack.push_async_callback(handler.close_async)
            await place.wait(**{"for": "bot"})
        else:
            listener = stack.enter_context(free_port())
            requests = AsyncSlackRequestHandler(app)
            web_app = Starlette(routes=[Route("/slack/events", requests.handle, methods=["POST"])])
            await stack.enter_async_context(serving(web_app, listener))
            await place.set("delivery", mode="http", bot_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield


def bolt_app(place: Sandbox) -> AsyncApp:
    """A small app with one of each: command, button, modal, mention."""
    app = AsyncApp(client=place.client, signing_secret=place.ws.signing_secret)
    app.command("/incident")(_command)
    app.action(re.compile("declare"))(_open_modal)
    app.view("declare")(_submitted)
    app.event("app_mention")(_mentioned)
    app.event("message")(_ignored)
    return app


async def _command(ack: Any, respond: Any, command: Json) -> None:
    await ack(f"took {command['text']}")
    await respond("and said this later")


async def _open_modal(ack: Any, body: Json, client: AsyncWebClient) -> None:
    await ack()
    await client.views_open(trigger_id=body["trigger_id"], view=modal())


async def _submitted(ack: Any, view: Json) -> None:
    title = view["state"]["values"]["title"]["text"]["value"]
    if len(title) < 5:
        await ack(response_action="errors", errors={"title": "Say more."})
        return
    await ack()


async def _mentioned(event: Json, say: Any) -> None:
    await say(f"heard: {event['text']}", thread_ts=event["ts"])


async def _ignored() -> None:
    return None


def plain(text: str) -> Json:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def button(action_id: str = "declare", **more: Any) -> Json:
    """A button."""
    return {"type": "button", "action_id": action_id, "text": plain("Declare"), "value": "AL-1", **more}


def actions(*elements: Json) -> Json:
    """A block of controls."""
    return {"type": "actions", "elements": list(elements)}


def modal() -> Json:
    """A modal with one input."""
    element = {"type": "plain_text_input", "action_id": "text"}
    return {
        "type": "modal",
        "callback_id": "declare",
        "title": plain("Declare"),
        "submit": plain("Declare"),
        "blocks": [{"type": "input", "block_id": "title", "label": plain("Title"), "element": element}],
    }
