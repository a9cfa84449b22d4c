"""conversations.*: channels, their members and their messages."""

from __future__ import annotations

import re

from bot.sandbox.workspace.channels import Channel, Message
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import LIMIT
from bot.sandbox.workspace.methods.registry import Args, Json, method, page
from bot.sandbox.workspace.people import BOT_USER_ID, TEAM_ID
from bot.sandbox.workspace.state import Workspace


@method("conversations.list")
async def list_channels(ws: Workspace, args: Args) -> Json:
    """Channels the bot can see, public ones only unless `types` names more."""
    types = set(args.names("types") or ["public_channel"])
    channels = [c for c in ws.channels.values() if _kind(c) in types and (not c.is_private or BOT_USER_ID in c.members)]
    if args.flag("exclude_archived"):
        channels = [c for c in channels if not c.is_archived]
    shown, cursor = page(channels, args, 100)
    return {"channels": [c.as_slack(BOT_USER_ID) for c in shown], "response_metadata": cursor}


@method("users.conversations")
async def own_channels(ws: Workspace, args: Args) -> Json:
    """Channels that the bot is in, public ones only unless `types` names more."""
    types = set(args.names("types") or ["public_channel"])
    channels = [c for c in ws.channels.values() if _kind(c) in types and BOT_USER_ID in c.members]
    if args.flag("exclude_archived"):
        channels = [c for c in channels if not c.is_archived]
    shown, cursor = page(channels, args, 100)
    return {"channels": [c.as_slack(BOT_USER_ID) for c in shown], "response_metadata": cursor}


def _kind(channel: Channel) -> str:
    return "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"


@method("conversations.info")
async def info(ws: Workspace, args: Args) -> Json:
    """One channel."""
    return {"channel": ws.channel(args.need("channel")).as_slack(BOT_USER_ID)}


def _readable(ws: Workspace, args: Args) -> Channel:
    channel = ws.channel(args.need("channel"))
    if BOT_USER_ID not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _within(messages: list[Message], args: Args) -> list[Message]:
    """Messages between `oldest` and `latest`; the borders belong to it only with `inclusive`."""
    oldest, latest = _moment(args, "oldest"), _moment(args, "latest")
    if args.flag("inclusive"):
        return [m for m in messages if (oldest is None or _ts(m) >= oldest) and (latest is None or _ts(m) <= latest)]
    return [m for m in messages if (oldest is None or _ts(m) > oldest) and (latest is None or _ts(m) < latest)]


def _ts(message: Message) -> tuple[int, int]:
    return _parse_ts(message.ts)


def _parse_ts(text: str) -> tuple[int, int]:
    # Whole numbers, not floats: a double holds a timestamp of today to a fraction of a microsecond only by luck.
    seconds, _, micros = text.partition(".")
    return int(seconds), int((micros + "000000")[:6])


def _moment(args: Args, name: str) -> tuple[int, int] | None:
    text = args.text(name)
    if not text:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise Refused(f"invalid_ts_{name}")
    return _parse_ts(text)


@method("conversations.history")
async def history(ws: Workspace, args: Args) -> Json:
    """What stands in a channel, newest first; replies are not in it."""
    channel = _readable(ws, args)
    messages = list(reversed(_within(channel.timeline(), args)))
    shown, cursor = page(messages, args, 100, LIMIT["history.page"])
    with_metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [m.as_slack(with_metadata=with_metadata) for m in shown],
        "has_more": bool(cursor["next_cursor"]),
    }
    return {**answer, "pin_count": len(channel.pins), **({"response_metadata": cursor} if cursor["next_cursor"] else {})}


@method("conversations.replies")
async def replies(ws: Workspace, args: Args) -> Json:
    """A thread, oldest first; its first message always leads the first page."""
    channel = _readable(ws, args)
    ts = args.need("ts")
    if ts not in channel.messages:
        raise Refused("thread_not_found")
    root = channel.messages[ts].thread or ts
    thread = channel.thread(root)
    messages = [m for m in thread if m.ts == root] + _within([m for m in thread if m.ts != root], args)
    shown, cursor = page(messages, args, 1000)
    with_metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [m.as_slack(with_metadata=with_metadata) for m in shown],
        "has_more": bool(cursor["next_cursor"]),
    }
    return {**answer, **({"response_metadata": cursor} if cursor["next_cursor"] else {})}


@method("conversations.members")
async def members(ws: Workspace, args: Args) -> Json:
    """Who is in a channel."""
    shown, cursor = page(ws.channel(args.need("channel")).members, args, 100)
    return {"members": shown, "response_metadata": cursor}


@method("conversations.join")
async def join(ws: Workspace, args: Args) -> Json:
    """The bot joins a public channel."""
    channel = ws.channel(args.need("channel"))
    if channel.is_archived:
        raise Refused("is_archived")
    if channel.is_private or channel.is_im:
        raise Refused("method_not_supported_for_channel_type")
    if BOT_USER_ID not in channel.members:
        _add_members(ws, channel, [BOT_USER_ID])
    return {"channel": channel.as_slack(BOT_USER_ID)}


def _add_members(ws: Workspace, channel: Channel, users: list[str]) -> None:
    channel.members += users
    ws.feed.publish("channels")
    for user in users:
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "team": TEAM_ID, "event_ts": ws.new_ts()}
        ws.event_sink(event | {"channel_type": "G" if channel.is_private else "C", "inviter": BOT_USER_ID})


@method("conversations.create")
async def create(ws: Workspace, args: Args) -> Json:
    """A new channel with the bot in it."""
    name = args.need("name")
    if len(name) > LIMIT["channel.name"]:
        raise Refused("invalid_name_maxlength")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise Refused("invalid_name_specials")
    channel = ws.add_channel(name, members=[BOT_USER_ID], private=args.flag("is_private"))
    channel.creator = BOT_USER_ID
    return {"channel": channel.as_slack(BOT_USER_ID)}


@method("conversations.invite")
async def invite(ws: Workspace, args: Args) -> Json:
    """Bring people into a channel the bot is in."""
    channel = _readable(ws, args)
    users = args.names("users")
    if not users:
        raise Refused("no_user")
    for user in users:
        ws.person(user)
    if all(user in channel.members for user in users):
        raise Refused("already_in_channel")
    _add_members(ws, channel, [user for user in users if user not in channel.members])
    return {"channel": channel.as_slack(BOT_USER_ID)}


@method("conversations.open")
async def open_direct(ws: Workspace, args: Args) -> Json:
    """The direct conversation with one person."""
    users = args.names("users")
    if len(users) != 1:
        raise Refused("users_list_not_supplied" if not users else "too_many_users")
    channel = ws.direct_channel(users[0])
    return {"channel": {"id": channel.id, **(channel.as_slack(BOT_USER_ID) if args.flag("return_im") else {})}}


@method("conversations.archive")
async def archive(ws: Workspace, args: Args) -> Json:
    """Archive a channel."""
    channel = _readable(ws, args)
    if channel.is_archived:
        raise Refused("already_archived")
    channel.is_archived = True
    ws.feed.publish("channels")
    return {}


@method("conversations.setTopic")
async def set_topic(ws: Workspace, args: Args) -> Json:
    """Set the topic of a channel."""
    channel = _readable(ws, args)
    channel.topic = ws.max_topic(args.text("topic"))
    ws.feed.publish("channels")
    return {"channel": channel.as_slack(BOT_USER_ID)}


@method("conversations.setPurpose")
async def set_purpose(ws: Workspace, args: Args) -> Json:
    """Set the purpose of a channel."""
    channel = _readable(ws, args)
    channel.purpose = ws.max_topic(args.text("purpose"))
    return {"channel": channel.as_slack(BOT_USER_ID)}
