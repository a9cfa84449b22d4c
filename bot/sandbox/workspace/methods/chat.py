"""chat.*: posting, editing and deleting messages of the bot."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.sandbox.workspace.blocks import check_blocks, text_size, with_ids
from bot.sandbox.workspace.channels import Channel, Message
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import LIMIT
from bot.sandbox.workspace.methods.registry import Args, Json, method
from bot.sandbox.workspace.people import APP_ID, BOT_ID, BOT_NAME, BOT_USER_ID, TEAM_ID
from bot.sandbox.workspace.state import Workspace

BOT_AUTHOR: Json = {
    "user": BOT_USER_ID,
    "bot_id": BOT_ID,
    "app_id": APP_ID,
    "team": TEAM_ID,
    "bot_profile": {"id": BOT_ID, "app_id": APP_ID, "name": BOT_NAME, "team_id": TEAM_ID, "deleted": False},
}


def content(ws: Workspace, args: Args) -> Json:
    """The checked text and blocks of a message; refused as Slack refuses them."""
    text = args.text("text")
    blocks = args.document("blocks", "invalid_blocks_format")
    if blocks is not None and not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if args.values.get("attachments"):
        raise Refused("invalid_attachments", ["[ERROR] this sandbox knows blocks only"])
    if not text.strip() and not blocks:
        raise Refused("no_text")
    if len(text) > LIMIT["message.text"]:
        raise Refused("msg_too_long")
    if blocks:
        if problems := check_blocks(blocks, "message", ws.files.exists):
            raise Refused("invalid_blocks", problems)
        if text_size(blocks) > LIMIT["message.blocks_text"]:
            raise Refused("msg_blocks_too_long")
        return {"text": text, "blocks": with_ids(blocks)}
    return {"text": text}


def metadata_of(args: Args) -> Json | None:
    """The checked metadata of a message, None if there is none."""
    metadata = args.document("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > LIMIT["message.metadata_bytes"]:
        raise Refused("metadata_too_large")
    return {"event_type": metadata["event_type"], "event_payload": metadata["event_payload"]}


def writable_channel(ws: Workspace, channel_id: str) -> Channel:
    """The channel that the bot may write to; a person's id means the direct conversation."""
    if channel_id.startswith(("U", "W")) and channel_id in ws.people:
        return ws.direct_channel(channel_id)
    channel = ws.channel(channel_id)
    if channel.is_archived:
        raise Refused("is_archived")
    if BOT_USER_ID not in channel.members:
        raise Refused("not_in_channel")
    return channel


def thread_of(channel: Channel, args: Args) -> Json:
    """`thread_ts` of the thread's first message, as a piece of a message; empty without a thread."""
    ts = args.text("thread_ts")
    if not ts:
        return {}
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        raise Refused("invalid_thread_ts")
    if ts not in channel.messages:
        raise Refused("thread_not_found")
    return {"thread_ts": channel.messages[ts].thread or ts}


@method("chat.postMessage")
async def post_message(ws: Workspace, args: Args) -> Json:
    """Post to a channel or thread."""
    channel = writable_channel(ws, args.need("channel"))
    doc: Json = {**BOT_AUTHOR, **content(ws, args), **thread_of(channel, args)}
    if doc.get("thread_ts") and args.flag("reply_broadcast"):
        doc["subtype"] = "thread_broadcast"
    link_names = args.flag("link_names") or args.text("parse") == "full"
    message = ws.post(channel, doc, metadata=metadata_of(args), link_names=link_names)
    ws.event_sink(as_event(channel, message))
    return {"channel": channel.id, "ts": message.ts, "message": message.as_slack()}


@method("chat.update")
async def update(ws: Workspace, args: Args) -> Json:
    """Edit one of the bot's own messages. Text without blocks takes the blocks away, as in Slack."""
    channel = writable_channel(ws, args.need("channel"))
    message = own_message(channel, args.need("ts"))
    if len(args.text("text").encode()) > LIMIT["message.update_text_bytes"]:
        raise Refused("msg_too_long")
    new = content(ws, args)
    if "blocks" not in new:
        message.doc.pop("blocks", None)
        new["edited"] = {"user": BOT_USER_ID, "ts": ws.new_ts()}
    metadata = metadata_of(args)
    if metadata is not None:
        message.metadata = metadata
    before = message.as_slack()
    ws.edit(channel, message, new)
    ws.event_sink(changed_event(ws, channel, message, before))
    return {"channel": channel.id, "ts": message.ts, "text": new["text"], "message": message.as_slack()}


@method("chat.delete")
async def delete(ws: Workspace, args: Args) -> Json:
    """Delete one of the bot's own messages."""
    channel = writable_channel(ws, args.need("channel"))
    message = own_message(channel, args.need("ts"), "cant_delete_message")
    ws.delete(channel, message.ts)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral")
async def post_ephemeral(ws: Workspace, args: Args) -> Json:
    """Show something to one member of a channel."""
    channel = writable_channel(ws, args.need("channel"))
    user = args.need("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    shown = ws.add_ephemeral(channel.id, user, {**BOT_AUTHOR, **content(ws, args), **thread_of(channel, args)})
    return {"message_ts": shown["ts"]}


@method("chat.getPermalink")
async def permalink(ws: Workspace, args: Args) -> Json:
    """The address of a message on the sandbox's page."""
    channel = ws.channel(args.need("channel"))
    ts = args.need("message_ts")
    if ts not in channel.messages:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": f"{ws.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"}


def own_message(channel: Channel, ts: str, error: str = "cant_update_message") -> Message:
    """A message of the bot, or why it cannot be changed."""
    message = channel.messages.get(ts)
    if message is None:
        raise Refused("message_not_found")
    if message.doc.get("user") != BOT_USER_ID:
        raise Refused(error)
    return message


def changed_event(ws: Workspace, channel: Channel, message: Message, before: Json) -> Json:
    """The `message` event of an edit, with the message before it."""
    event = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": ws.new_ts(), "channel": channel.id}
    return event | {"channel_type": channel_type(channel), "message": message.as_slack(), "previous_message": before}


def channel_type(channel: Channel) -> str:
    """`im`, `group` or `channel`, as events name it."""
    return "im" if channel.is_im else "group" if channel.is_private else "channel"


def as_event(channel: Channel, message: Message) -> dict[str, Any]:
    """The `message` event of a message that was just posted."""
    return {**message.as_slack(), "channel": channel.id, "channel_type": channel_type(channel), "event_ts": message.ts}
