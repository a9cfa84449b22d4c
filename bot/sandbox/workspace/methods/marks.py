"""reactions.*, pins.* and bookmarks.*: small marks on messages and channels."""

from __future__ import annotations

import re
import secrets

from bot.sandbox.workspace.channels import Channel, Message
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.methods.registry import Args, Json, method
from bot.sandbox.workspace.people import BOT_USER_ID
from bot.sandbox.workspace.state import Workspace


def _message(ws: Workspace, args: Args) -> tuple[Channel, Message]:
    channel = ws.channel(args.need("channel"))
    message = channel.messages.get(args.text("timestamp"))
    if message is None:
        raise Refused("message_not_found")
    if BOT_USER_ID not in channel.members:
        raise Refused("not_in_channel")
    return channel, message


def add_reaction(ws: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    """Put a reaction on a message; refused when the person already did."""
    if not re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-\d)?", name):
        raise Refused("invalid_name")
    reactions: list[Json] = message.doc.setdefault("reactions", [])
    entry = next((r for r in reactions if r["name"] == name), None)
    if entry is None:
        entry = {"name": name, "users": [], "count": 0}
        reactions.append(entry)
    if user in entry["users"]:
        raise Refused("already_reacted")
    entry["users"].append(user)
    entry["count"] = len(entry["users"])
    ws.feed.publish("message", channel=channel.id, message=ws.shown(channel, message))


def remove_reaction(ws: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    """Take a person's reaction away."""
    reactions: list[Json] = message.doc.get("reactions", [])
    entry = next((r for r in reactions if r["name"] == name and user in r["users"]), None)
    if entry is None:
        raise Refused("no_reaction")
    entry["users"].remove(user)
    entry["count"] = len(entry["users"])
    message.doc["reactions"] = [r for r in reactions if r["users"]]
    ws.feed.publish("message", channel=channel.id, message=ws.shown(channel, message))


@method("reactions.add")
async def reactions_add(ws: Workspace, args: Args) -> Json:
    """The bot reacts to a message."""
    channel, message = _message(ws, args)
    add_reaction(ws, channel, message, args.need("name").strip(":"), BOT_USER_ID)
    return {}


@method("reactions.get")
async def reactions_get(ws: Workspace, args: Args) -> Json:
    """The reactions of a message."""
    channel, message = _message(ws, args)
    return {"type": "message", "channel": channel.id, "message": message.as_slack()}


@method("pins.add")
async def pins_add(ws: Workspace, args: Args) -> Json:
    """Pin a message in its channel."""
    channel, message = _message(ws, args)
    if message.ts in channel.pins:
        raise Refused("already_pinned")
    channel.pins.append(message.ts)
    message.doc["pinned_to"] = [channel.id]
    ws.feed.publish("message", channel=channel.id, message=ws.shown(channel, message))
    return {}


@method("bookmarks.add")
async def bookmarks_add(ws: Workspace, args: Args) -> Json:
    """Put a link at the top of a channel."""
    channel = ws.channel(args.need("channel_id"))
    title, kind = args.need("title"), args.need("type")
    if kind == "link" and not args.text("link").startswith(("http://", "https://")):
        raise Refused("invalid_link")
    bookmark = {
        "id": "Bk" + secrets.token_hex(4).upper(),
        "channel_id": channel.id,
        "title": title,
        "link": args.text("link"),
        "type": kind,
    }
    channel.bookmarks.append(bookmark)
    ws.feed.publish("channels")
    return {"bookmark": bookmark}
