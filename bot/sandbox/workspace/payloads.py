"""The payloads of clicks, submissions, commands and shortcuts, field by field as Slack sends them."""

from __future__ import annotations

import secrets
import time
from typing import Any

from bot.sandbox.workspace.channels import Channel
from bot.sandbox.workspace.people import APP_ID, TEAM_ID, Person
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.triggers import ResponseUrl
from bot.sandbox.workspace.views import View

Json = dict[str, Any]

VERIFICATION_TOKEN = "sandbox-verification-token"  # deprecated by Slack, still sent; proves nothing


def interaction(ws: Workspace, kind: str, person: Person, view: View | None = None) -> Json:
    """What all interactive payloads begin with; the trigger id is fresh."""
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "trigger_id": ws.triggers.make(person.id, time.monotonic(), view.id if view else ""),
        "team": {"id": TEAM_ID, "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def press_in_message(ws: Workspace, person: Person, channel: Channel, message: Json, action: Json, state: Json) -> Json:
    """`block_actions` of a press in a message; of a private one Slack sends the container only."""
    private = bool(message.get("is_ephemeral"))
    thread = str(message.get("thread_ts", ""))
    container: Json = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id, "is_ephemeral": private}
    if thread:
        container["thread_ts"] = thread
    url = ResponseUrl(person.id, channel.id, time.monotonic(), str(message["ts"]), private, thread)
    return {
        **interaction(ws, "block_actions", person),
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        **({} if private else {"message": {k: v for k, v in message.items() if k not in SANDBOX_FIELDS}}),
        "state": {"values": state},
        "response_url": ws.make_response_url(url, secrets.token_urlsafe(16)),
        "actions": [action],
    }


SANDBOX_FIELDS = ("channel", "mentions", "pings", "edits", "edited_at", "posted_at", "words", "to")


def press_in_view(ws: Workspace, person: Person, view: View, action: Json, state: Json) -> Json:
    """`block_actions` of a press in a modal or home tab."""
    return {
        **interaction(ws, "block_actions", person, view),
        "container": {"type": "view", "view_id": view.id},
        "view": {**view.as_slack(), "state": {"values": state}},
        "actions": [action],
    }


def submission(ws: Workspace, person: Person, view: View, state: Json) -> Json:
    """`view_submission`."""
    shown = {**view.as_slack(), "state": {"values": state}}
    return {**interaction(ws, "view_submission", person, view), "view": shown, "response_urls": []}


def closing(ws: Workspace, person: Person, view: View, *, cleared: bool) -> Json:
    """`view_closed`; it has no trigger id."""
    payload = interaction(ws, "view_closed", person)
    del payload["trigger_id"]
    return {**payload, "view": view.as_slack(), "is_cleared": cleared}


def command(ws: Workspace, person: Person, channel: Channel, name: str, text: str) -> Json:
    """A slash command; a form of plain fields."""
    url = ResponseUrl(person.id, channel.id, time.monotonic())
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": person.team_id,
        "team_domain": "sandbox",
        "channel_id": channel.id,
        "channel_name": channel.name if not channel.is_im else "directmessage",
        "user_id": person.id,
        "user_name": person.name,
        "command": name,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": ws.make_response_url(url, secrets.token_urlsafe(16)),
        "trigger_id": ws.triggers.make(person.id, time.monotonic()),
    }


def shortcut(ws: Workspace, person: Person, callback_id: str, channel: Channel | None, message: Json | None) -> Json:
    """`message_action` on a message, `shortcut` without one."""
    if channel is None or message is None:
        return {**interaction(ws, "shortcut", person), "callback_id": callback_id, "action_ts": ws.new_ts()}
    url = ResponseUrl(person.id, channel.id, time.monotonic(), str(message["ts"]), thread_ts=str(message.get("thread_ts", "")))
    return {
        **interaction(ws, "message_action", person),
        "callback_id": callback_id,
        "action_ts": ws.new_ts(),
        "message_ts": message["ts"],
        "channel": {"id": channel.id, "name": channel.name},
        "message": message,
        "response_url": ws.make_response_url(url, secrets.token_urlsafe(16)),
    }


def action_of(ws: Workspace, element: Json, block_id: str, typed_value: Json) -> Json:
    """One entry of `actions`."""
    copied: Json = {k: element[k] for k in ("text", "url", "style", "placeholder", "confirm") if k in element}
    return {"action_id": element["action_id"], "block_id": block_id, **copied, **typed_value, "action_ts": ws.new_ts()}
