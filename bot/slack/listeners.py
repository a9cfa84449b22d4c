"""The entry points as Bolt listeners: acknowledge first, read what Slack says, hand it on."""

import hashlib
import json
import re
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.core.actor import Actor
from bot.core.commands.verb_line import Line, parse_line, parse_value
from bot.plugins import EntryPoint, Request
from bot.slack.alert_channels import AlertChannels
from bot.slack.answers import ReplyTarget
from bot.slack.command_router import CommandRouter

Body = dict[str, Any]
"""The JSON of an interaction, as Slack documents it for its kind. Any: listeners index into it, and what does not fit ends in
the error handler of `bot.slack.app`."""

_ANY = re.compile(r".*", re.DOTALL)
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[:,]?\s*")
_LINK = "link:"


def register(app: AsyncApp, router: CommandRouter, channels: AlertChannels | None = None) -> None:
    """Add the entry points, and quiet ends for what needs no answer."""

    @app.command(_ANY)
    async def slash(ack: AsyncAck, body: Body) -> None:
        await ack()
        await on_slash(router, body)

    @app.event("app_mention")
    async def mention(body: Body) -> None:
        await on_mention(router, body)

    @app.event("message")
    async def message(body: Body) -> None:
        await on_message(router, body)
        if channels:
            await channels.on_message(body)

    @app.event("app_home_opened")
    async def home(body: Body) -> None:
        await on_home_opened(router, body)

    @app.action(_ANY)
    async def action(ack: AsyncAck, body: Body) -> None:
        await ack()
        await on_action(router, body)

    @app.view(_ANY)
    async def submission(ack: AsyncAck, body: Body) -> None:
        await on_submission(router, body, ack)

    @app.shortcut(_ANY)
    async def shortcut(ack: AsyncAck, body: Body) -> None:
        await ack()
        await on_shortcut(router, body)

    @app.event(_ANY)
    async def other(body: Body) -> None:
        """Events without a listener; without this Bolt warns about each."""


async def on_slash(router: CommandRouter, body: Body) -> None:
    """`/incident verb ...`."""
    target = ReplyTarget(
        user=body["user_id"],
        channel=body.get("channel_id", ""),
        trigger_id=body.get("trigger_id", ""),
        response_url=body.get("response_url", ""),
        team=body.get("team_id", ""),
    )
    line = parse_line(_unescape(body.get("text", "")))
    await router.line(line, _request(target, entry_point=EntryPoint.SLASH, key=f"slash:{body.get('trigger_id', '')}"), target)


async def on_mention(router: CommandRouter, body: Body) -> None:
    """`@bot verb ...`, also in threads."""
    await _on_typed(router, body, EntryPoint.MENTION)


async def on_message(router: CommandRouter, body: Body) -> None:
    """A line in the direct conversation with the bot, with or without its name; it does not listen to people in channels."""
    if body["event"].get("channel_type") == "im":
        await _on_typed(router, body, EntryPoint.DIRECT)


async def _on_typed(router: CommandRouter, body: Body, entry_point: EntryPoint) -> None:
    """A line that a person wrote. What bots write is ignored."""
    event = body["event"]
    other = event.get("subtype") not in (None, "file_share", "thread_broadcast")
    if event.get("bot_id") or other or "user" not in event or "edited" in event:
        return
    # In a shared channel the event is delivered to us, and the author may be of another workspace.
    home = event.get("user_team") or event.get("source_team") or event.get("team") or ""
    thread, team = event.get("thread_ts") or "", body.get("team_id", "")
    target = ReplyTarget(event["user"], event["channel"], thread=thread, open_thread=thread, team=team, home=home)
    line = parse_line(_unescape(_MENTION.sub("", event.get("text", ""), count=1)))
    key = f"event:{body.get('event_id') or event['ts']}"
    await router.line(line, _request(target, entry_point=entry_point, key=key, request_ts=event["ts"]), target)


async def on_home_opened(router: CommandRouter, body: Body) -> None:
    """Somebody looks at the app's home tab."""
    event = body["event"]
    if event.get("tab") == "home":
        await router.show_home(ReplyTarget(user=event["user"], channel="", team=body.get("team_id", "")))


async def on_action(router: CommandRouter, body: Body) -> None:
    """A button or menu: of a message, of a private answer, of a dialog or of the home tab."""
    action = body["actions"][0]
    verb = action.get("action_id", "")
    if verb.startswith(_LINK) or action.get("url"):
        return
    container = body.get("container") or {}
    message = body.get("message") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id", "")
    ts = container.get("message_ts") or message.get("ts", "")
    thread = message.get("thread_ts") or container.get("thread_ts") or ""
    private = bool(container.get("is_ephemeral") or body.get("view") or channel.startswith("D"))
    target = _interaction_target(body, channel, thread or ("" if private else ts), _read_in(thread, ts))
    ref, revision = parse_value(_value(action))
    key = f"action:{action.get('action_ts', '')}:{target.user}:{verb}"
    entry_point = EntryPoint.HOME if (body.get("view") or {}).get("type") == "home" else EntryPoint.BUTTON
    request = _request(target, entry_point=entry_point, key=key, verb=verb, ref=ref, revision=revision, message=ts)
    await router.press(request, target, private=private)


async def on_submission(router: CommandRouter, body: Body, ack: AsyncAck) -> None:
    """A submitted modal. The same values twice are one submission; corrected ones are another."""
    view = body["view"]
    values = json.dumps(view["state"]["values"], sort_keys=True)
    key = f"view:{view['id']}:{view.get('hash', '')}:{hashlib.sha256(values.encode()).hexdigest()[:16]}"
    await router.submit(view, _interaction_target(body, "", "", ""), key=key, ack=ack)


async def on_shortcut(router: CommandRouter, body: Body) -> None:
    """A message shortcut: its callback id is the verb, the message's text the argument."""
    message = body.get("message") or {}
    channel = (body.get("channel") or {}).get("id", "")
    thread, ts = message.get("thread_ts") or "", message.get("ts", "")
    target = _interaction_target(body, channel, thread or ts, _read_in(thread, ts))
    key = f"shortcut:{body.get('trigger_id') or body.get('action_ts', '')}"
    line = Line(verb=body.get("callback_id", ""), text=_unescape(message.get("text", "")))
    await router.line(line, _request(target, entry_point=EntryPoint.SHORTCUT, key=key, request_ts=ts), target)


def _request(
    target: ReplyTarget,
    *,
    entry_point: EntryPoint,
    key: str,
    verb: str = "",
    ref: str = "",
    revision: int | None = None,
    message: str = "",
    request_ts: str = "",
) -> Request:
    # The actor is looked up inside, after the acknowledgement; until then only the ids are known.
    actor = Actor(team=target.team, user=target.user)
    return Request(
        verb,
        actor,
        target.channel,
        target.thread,
        ref=ref,
        revision=revision,
        entry_point=entry_point,
        message=message,
        request_ts=request_ts,
        key=key,
    )


def _read_in(thread: str, ts: str) -> str:
    """The thread in which a message is read; "" for one that stands in the channel, whether anybody replied to it or not."""
    return thread if thread != ts else ""


def _interaction_target(body: Body, channel: str, thread: str, open_thread: str) -> ReplyTarget:
    return ReplyTarget(
        user=body["user"]["id"],
        channel=channel,
        thread=thread,
        open_thread=open_thread,
        trigger_id=body.get("trigger_id", ""),
        response_url=body.get("response_url", ""),
        team=(body.get("team") or {}).get("id", ""),
        home=body["user"].get("team_id") or "",
    )


def _value(action: Body) -> str:
    return str(action.get("value") or (action.get("selected_option") or {}).get("value", ""))


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
