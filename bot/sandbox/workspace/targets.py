"""Finding what a person presses: a control in a message, in a private message or in a modal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.workspace.blocks import elements_of
from bot.sandbox.workspace.channels import Channel
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.people import Person
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.views import View

Json = dict[str, Any]


@dataclass
class Target:
    """One control and where it stands: in `message` of `channel`, or in `view`."""

    element: Json
    block_id: str
    blocks: list[Json]
    channel: Channel | None = None
    message: Json | None = None
    view: View | None = None


def channel_named(ws: Workspace, name: str) -> Channel:
    """A channel by id or name, `#` or not."""
    if name in ws.channels:
        return ws.channels[name]
    for channel in ws.channels.values():
        if channel.name == name.lstrip("#"):
            return channel
    raise Refused("channel_not_found")


def find_target(ws: Workspace, person: Person, request: Json) -> Target:
    """The control that `request` names by action_id, block_id, label (`text`), and `ts`, `channel` or `view`.

    Without a place: the person's open modal first, then the newest message that has it. A `value` prefers the
    control that carries it; with none such, it replaces the value of the newest, which is how forged presses are made.
    """
    candidates = list(_candidates(ws, person, request))
    if not candidates and request.get("force"):
        return _forged(ws, request)
    if not candidates:
        raise Refused("no_such_control")
    exact = [t for t in candidates if "value" in request and t.element.get("value") == request["value"]]
    return (exact or candidates)[0]


def _candidates(ws: Workspace, person: Person, request: Json) -> Iterator[Target]:
    for surface in _surfaces(ws, person, request):
        for block in surface.blocks:
            for element in elements_of(block):
                if _fits(block, element, request):
                    yield Target(element, block["block_id"], surface.blocks, surface.channel, surface.message, surface.view)


def _surfaces(ws: Workspace, person: Person, request: Json) -> Iterator[Target]:
    in_message = "ts" in request or "channel" in request
    if not in_message:
        for view in _views(ws, person, request):
            yield Target({}, "", view.doc["blocks"], view=view)
    if "view" in request:
        return
    channels = [channel_named(ws, str(request["channel"]))] if "channel" in request else list(ws.channels.values())
    messages = [(c, ws.shown(c, m)) for c in channels for m in c.messages.values()]
    private = [
        (ws.channels[e["channel"]], e) for e in ws.ephemerals if e["to"] == person.id and ws.channels[e["channel"]] in channels
    ]
    for channel, message in sorted([*messages, *private], key=lambda pair: str(pair[1]["ts"]), reverse=True):
        if request.get("ts") in (None, message["ts"]) and str(request.get("contains", "")) in str(message.get("words", "")):
            yield Target({}, "", message.get("blocks", []), channel, message)


def _views(ws: Workspace, person: Person, request: Json) -> list[View]:
    if request.get("view") not in (None, "home"):
        view = ws.views.find(str(request["view"]))
        return [view] if view else []
    open_ones = [ws.views.top(person.id), ws.views.homes.get(person.id)]
    return [view for view in (open_ones[1:] if request.get("view") == "home" else open_ones) if view]


def _fits(block: Json, element: Json, request: Json) -> bool:
    label = element.get("text", {}).get("text") if isinstance(element.get("text"), dict) else None
    return (
        request.get("action_id") in (None, element.get("action_id"))
        and request.get("block_id") in (None, block.get("block_id"))
        and request.get("text") in (None, label)
    )


def _forged(ws: Workspace, request: Json) -> Target:
    """A button that stands nowhere, in a message that may not exist."""
    element = {
        "type": "button",
        "action_id": str(request.get("action_id", "forged")),
        "text": {"type": "plain_text", "text": "forged"},
        "value": str(request.get("value", "")),
    }
    channel = channel_named(ws, str(request.get("channel", "C0")))
    ts = str(request.get("ts", "1.000000"))
    real = channel.messages.get(ts)
    message: Json = ws.shown(channel, real) if real else {"type": "message", "ts": ts, "text": "forged", "blocks": []}
    return Target(element, str(request.get("block_id", "forged")), message.get("blocks", []), channel, message)
