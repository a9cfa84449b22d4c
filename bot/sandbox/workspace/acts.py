"""What people do: press, type, submit, react, command. Each act waits for the app's acknowledgement."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.workspace import payloads
from bot.sandbox.workspace.answers import answer
from bot.sandbox.workspace.channels import Channel, Message
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.inputs import state_of, typed
from bot.sandbox.workspace.methods.chat import as_event, changed_event
from bot.sandbox.workspace.methods.marks import add_reaction, remove_reaction
from bot.sandbox.workspace.parcels import Forgery, Kind, Outcome, Parcel
from bot.sandbox.workspace.people import BOT_NAME, BOT_USER_ID, Person
from bot.sandbox.workspace.postman import Postman
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.targets import channel_named, find_target
from bot.sandbox.workspace.triggers import ResponseUrl

Json = dict[str, Any]

# Slack shows these two to the person who clicked or typed; the words are Slack's.
FAILURES = {"dispatch_failed": "dispatch_failed", "operation_timeout": "operation_timeout", "http_error": "http_service_error"}


class Acts:
    """The hands of the people in one workspace."""

    def __init__(self, ws: Workspace, postman: Postman) -> None:
        self.ws = ws
        self.postman = postman
        self.handlers: dict[str, Callable[[Person, Any, Json], Awaitable[Json]]] = {
            "press": self.press,
            "select": self.press,
            "type": self.type,
            "edit": self.edit,
            "mention": self.mention,
            "command": self.command,
            "react": self.react,
            "unreact": self.unreact,
            "shortcut": self.shortcut,
            "home": self.home,
            "suggest": self.suggest,
        }

    async def act(self, request: Json) -> Json:
        """Do one act as one person: `{"as": "U2", "press": {...}, "raw": {...}}`; the answer holds the ack."""
        raw = request.get("raw") or {}
        if "replay" in raw:
            outcome = await self.postman.replay(str(raw["replay"]), Forgery.of(raw))
            if outcome is None:
                raise Refused("no_such_delivery")
            return {"ok": True, **outcome.as_json()}
        person = self.ws.person(str(request.get("as", "U1")))
        for name, do in self.handlers.items():
            if name in request:
                return {"ok": True, **await do(person, request[name], raw)}
        raise Refused("unknown_act", [f"known acts: {', '.join(self.handlers)}, submit, close"])

    async def hand_over(self, kind: Kind, payload: Json, raw: Json, *, wants_answer: bool = True) -> Outcome:
        """Deliver a payload; `raw.patch` is laid over it first, `raw.signature` and such forge the request."""
        parcel = Parcel(kind, merged(payload, raw.get("patch") or {}), wants_answer=wants_answer, forgery=Forgery.of(raw))
        outcome = await self.postman.deliver(parcel)
        self.ws.feed.publish("acted", error=outcome.error or None, acked_ms=outcome.acked_ms)
        return outcome

    async def press(self, person: Person, request: Json, raw: Json) -> Json:
        """Press a button or choose in a select: `action_id`, and `ts`/`channel`/`view`/`value`/`option` as needed."""
        target = find_target(self.ws, person, request)
        element = dict(target.element)
        chosen = request.get("option", request.get("value"))
        if element["type"] in ("button", "icon_button"):
            entered = {"type": element["type"], **({"value": chosen} if chosen is not None else _own_value(element))}
        elif element["type"] == "feedback_buttons":
            entered = {"type": "feedback_buttons", "value": chosen}
        else:
            entered = typed(element, chosen)
        action = payloads.action_of(self.ws, element, target.block_id, entered)
        state = state_of(target.blocks, request.get("state") or {})
        if target.view:
            payload = payloads.press_in_view(self.ws, person, target.view, action, state)
        else:
            assert target.channel is not None and target.message is not None
            payload = payloads.press_in_message(self.ws, person, target.channel, target.message, action, state)
        outcome = await self.hand_over("interactive", payload, raw, wants_answer=False)
        target_fields = {"ts": target.message["ts"]} if target.message else {"view": target.view.id if target.view else None}
        return {
            **outcome.as_json(),
            **target_fields,
            "trigger_id": payload["trigger_id"],
            "response_url": payload.get("response_url"),
        }

    async def type(self, person: Person, request: Json, raw: Json) -> Json:
        """Write into a channel or thread; a text that begins with `/` and no thread is a command."""
        channel = self._channel(request)
        text = str(request.get("text", ""))
        if text.startswith("/") and "thread" not in request:
            return await self.command(person, {"channel": channel.id, "text": text}, raw)
        text = self._with_ids(text)
        doc: Json = {"user": person.id, "text": text, "team": person.team_id}
        if person.is_bot:
            doc |= {"subtype": "bot_message", "bot_id": f"B{person.id[1:]}", **_parts(request)}
        if thread := request.get("thread"):
            doc["thread_ts"] = self._message(channel, str(thread)).thread or str(thread)
        message = self.ws.post(channel, doc)
        events = [as_event(channel, message)]
        if f"<@{BOT_USER_ID}>" in text and not channel.is_im:
            events.insert(0, {**events[0], "type": "app_mention"})
        return {"ts": message.ts, "channel": channel.id, **await self._events(channel, events, raw)}

    async def edit(self, person: Person, request: Json, raw: Json) -> Json:
        """Change an own message: `channel`, `ts`, and the new `text` (a bot's `attachments` and `blocks` too)."""
        channel = self._channel(request)
        message = self._message(channel, str(request["ts"]))
        if message.doc.get("user") != person.id:
            raise Refused("cant_update_message")
        before = message.as_slack()
        edited = {"user": person.id, "ts": self.ws.new_ts()}
        self.ws.edit(
            channel, message, {"text": self._with_ids(str(request.get("text", ""))), "edited": edited, **_parts(request)}
        )
        event = changed_event(self.ws, channel, message, before)
        return {"ts": message.ts, "channel": channel.id, **await self._events(channel, [event], raw)}

    async def mention(self, person: Person, request: Json, raw: Json) -> Json:
        """Write to the bot: `text` without its name."""
        text = f"<@{BOT_USER_ID}> {request.get('text', '')}".strip()
        return await self.type(person, {**request, "text": text}, raw)

    async def command(self, person: Person, request: Json | str, raw: Json) -> Json:
        """A slash command: `"/incident list"`, or `command`, `text` and `channel`."""
        request = {"text": request} if isinstance(request, str) else request
        channel = self._channel(request)
        name, text = str(request.get("command", "")), str(request.get("text", ""))
        if not name:
            name, _, text = text.partition(" ")
        payload = payloads.command(self.ws, person, channel, name, self._with_ids(text.strip()))
        outcome = await self.hand_over("slash_commands", payload, raw)
        if not outcome.acked:
            reason = FAILURES.get(outcome.error, outcome.error)
            self.ws.add_ephemeral(
                channel.id, person.id, {"user": "USLACKBOT", "text": f'{name} failed with the error "{reason}"'}
            )
        elif outcome.body:
            url = ResponseUrl(person.id, channel.id, 0.0)
            answer(self.ws, url, outcome.body)
        return {**outcome.as_json(), "trigger_id": payload["trigger_id"], "response_url": payload["response_url"]}

    async def react(self, person: Person, request: Json, raw: Json) -> Json:
        """Put an emoji on a message: `channel`, `ts`, `name`."""
        channel = self._channel(request)
        message = self._message(channel, str(request["ts"]))
        name = str(request["name"]).strip(":")
        add_reaction(self.ws, channel, message, name, person.id)
        return await self._events(channel, [self._reaction("reaction_added", person, channel, message, name)], raw)

    async def unreact(self, person: Person, request: Json, raw: Json) -> Json:
        """Take an emoji back."""
        channel = self._channel(request)
        message = self._message(channel, str(request["ts"]))
        name = str(request["name"]).strip(":")
        remove_reaction(self.ws, channel, message, name, person.id)
        return await self._events(channel, [self._reaction("reaction_removed", person, channel, message, name)], raw)

    async def shortcut(self, person: Person, request: Json, raw: Json) -> Json:
        """A shortcut: `callback_id`, and `channel` and `ts` for one on a message."""
        channel = self._channel(request) if "ts" in request else None
        message = self._message(channel, str(request["ts"])).as_slack() if channel else None
        payload = payloads.shortcut(self.ws, person, str(request["callback_id"]), channel, message)
        outcome = await self.hand_over("interactive", payload, raw, wants_answer=False)
        return {**outcome.as_json(), "trigger_id": payload["trigger_id"]}

    async def home(self, person: Person, request: Json, raw: Json) -> Json:
        """Open the app's home tab."""
        channel = self.ws.direct_channel(person.id)
        event: Json = {
            "type": "app_home_opened",
            "user": person.id,
            "channel": channel.id,
            "tab": "home",
            "event_ts": self.ws.new_ts(),
        }
        if person.id in self.ws.views.homes:
            event["view"] = self.ws.views.homes[person.id].as_slack()
        return await self._events(channel, [event], raw)

    async def suggest(self, person: Person, request: Json, raw: Json) -> Json:
        """Type into a select whose options the app gives: `action_id`, `value`; `ack.options` are its answer."""
        target = find_target(self.ws, person, {k: v for k, v in request.items() if k != "value"})
        payload = payloads.interaction(self.ws, "block_suggestion", person, target.view)
        payload |= {
            "action_id": target.element["action_id"],
            "block_id": target.block_id,
            "value": str(request.get("value", "")),
        }
        if target.view:
            payload |= {"container": {"type": "view", "view_id": target.view.id}, "view": target.view.as_slack()}
        elif target.channel and target.message:
            payload |= {"channel": {"id": target.channel.id, "name": target.channel.name}, "message": target.message}
            payload["container"] = {"type": "message", "message_ts": target.message["ts"], "channel_id": target.channel.id}
        return (await self.hand_over("interactive", payload, raw)).as_json()

    async def _events(self, channel: Channel, events: list[Json], raw: Json) -> Json:
        """Deliver events about a channel, if the bot is in it; the answer is about the first, the others go on behind."""
        if BOT_USER_ID not in channel.members:
            return {"delivered": False, "acked": False, "acked_ms": None, "error": "bot_not_in_channel"}
        patch, forgery = raw.get("patch") or {}, Forgery.of(raw)
        for event in events[1:]:
            self.postman.emit(merged(event, patch))
        outcome = await self.postman.deliver_event(merged(events[0], patch), forgery)
        if outcome is None:
            return {"delivered": False, "acked": False, "acked_ms": None, "error": "not_subscribed"}
        return outcome.as_json()

    def _reaction(self, kind: str, person: Person, channel: Channel, message: Message, name: str) -> Json:
        item = {"type": "message", "channel": channel.id, "ts": message.ts}
        return {
            "type": kind,
            "user": person.id,
            "reaction": name,
            "item": item,
            "item_user": message.doc.get("user"),
            "event_ts": self.ws.new_ts(),
        }

    def _channel(self, request: Json) -> Channel:
        return channel_named(self.ws, str(request.get("channel", "C0")))

    def _message(self, channel: Channel, ts: str) -> Message:
        if ts not in channel.messages:
            raise Refused("message_not_found")
        return channel.messages[ts]

    def _with_ids(self, text: str) -> str:
        """`@alice` becomes `<@U1>`, as Slack's composer does; `@channel` and `@here` become their mentions."""
        ids = {person.name: f"<@{person.id}>" for person in self.ws.people.values()} | {BOT_NAME: f"<@{BOT_USER_ID}>"}
        ids |= {wide: f"<!{wide}>" for wide in ("channel", "here", "everyone")}
        ids |= {group.handle: f"<!subteam^{group.id}>" for group in self.ws.usergroups.values()}
        return re.sub(r"(?<![\w<])@([\w-]+)", lambda match: ids.get(match[1], match[0]), text)


def _parts(request: Json) -> Json:
    """What a bot may put beside the text of its message."""
    return {part: request[part] for part in ("attachments", "blocks") if part in request}


def _own_value(element: Json) -> Json:
    return {"value": element["value"]} if "value" in element else {}


def merged(base: Json, patch: Json) -> Json:
    """`patch` laid over `base`, objects within objects; a null removes the field."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
