"""The control routes that change the workspace: people, channels, faults, rates, the bot's own life."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.faults import Faults
from bot.sandbox.workspace.limits import RATES, Rate
from bot.sandbox.workspace.people import BOT_USER_ID, TEAM_ID, Person, UserGroup
from bot.sandbox.workspace.postman import Postman
from bot.sandbox.workspace.signed import SignedRequests
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.workspace.targets import channel_named

Json = dict[str, Any]
PERSON_FIELDS = frozenset(field.name for field in fields(Person)) - {"id"}


class Changes:
    """What tests and the demo may change."""

    def __init__(self, ws: Workspace, postman: Postman, kill_file: Path | None) -> None:
        self._ws, self._postman, self._kill_file = ws, postman, kill_file

    def routes(self, answered: Callable[[Any], Any]) -> list[Route]:
        """All changing routes."""
        posts = {
            "people": self.people,
            "usergroups": self.usergroups,
            "channels": self.channels,
            "faults": self.faults,
            "limits": self.limits,
            "delivery": self.delivery,
            "kill": self.kill,
        }
        return [Route(f"/_sandbox/{name}", answered(change), methods=["POST"]) for name, change in posts.items()]

    def state(self) -> Json:
        """Connections, mode, faults, limits and the number of the last change."""
        return {
            "connections": len(self._postman.sockets.connections),
            "mode": self._postman.mode,
            "bot_url": self._postman.http.bot_url if self._postman.http else None,
            "bot_user": BOT_USER_ID,
            "team": TEAM_ID,
            "can_kill": self._kill_file is not None,
            "faults": self._ws.faults.as_json(),
            "rates_enabled": self._ws.rates.enabled,
            "scopes": sorted(self._ws.scopes),
            "events": sorted(self._postman.events),
            "number": self._ws.feed.number,
            "now": self._ws.now(),
        }

    async def people(self, request: Request) -> Response:
        """Add or change people: one object or a list, each with `id`; `{"id": "U3", "deleted": true}` deactivates."""
        body = await request.json()
        for item in body if isinstance(body, list) else [body]:
            self._put_person(item)
        self._ws.feed.publish("people")
        return JSONResponse({"ok": True, "people": [p.as_slack() for p in self._ws.people.values()]})

    def _put_person(self, item: Json) -> None:
        changes = {key: item[key] for key in PERSON_FIELDS & item.keys()}
        changes |= {"team_id": item["team"]} if "team" in item else {}
        changes |= {"is_guest": bool(item["guest"])} if "guest" in item else {}
        if unknown := item.keys() - PERSON_FIELDS - {"id", "team", "guest", "channels"}:
            raise Refused("unknown_fields", sorted(unknown))
        person = self._ws.people.get(str(item["id"]))
        if person is None:
            person = Person(str(item["id"]), str(changes.pop("name", item["id"])).lower())
            self._ws.people[person.id] = person
            joins = item.get("channels", [c.id for c in self._ws.channels.values() if not c.is_im and not c.is_private])
            for name in joins:
                channel_named(self._ws, str(name)).members.append(person.id)
        for key, value in changes.items():
            setattr(person, key, value)

    async def usergroups(self, request: Request) -> Response:
        """Add or change a user group: `id`, `handle`, `users`."""
        body = await request.json()
        group = UserGroup(str(body["id"]), str(body.get("handle", body["id"])), [str(u) for u in body.get("users", [])])
        self._ws.usergroups[group.id] = group
        return JSONResponse({"ok": True, "usergroup": group.as_slack()})

    async def channels(self, request: Request) -> Response:
        """Create channels or change them: `name`, `id`, `members`, `bot` (member or not), `private`, `archived`, `shared`."""
        body = await request.json()
        made = [self._put_channel(item) for item in (body if isinstance(body, list) else [body])]
        self._ws.feed.publish("channels")
        return JSONResponse({"ok": True, "channels": made, "channel": made[-1]})

    def _put_channel(self, item: Json) -> Json:
        channel = self._ws.channels.get(str(item.get("id", "")))
        if channel is None:
            private = bool(item.get("private", False))
            members = item.get("members")
            channel = self._ws.add_channel(
                str(item["name"]), channel_id=str(item.get("id", "")), members=members, private=private
            )
        elif "members" in item:
            channel.members = [str(user) for user in item["members"]]
        if "bot" in item:
            channel.members = [m for m in channel.members if m != BOT_USER_ID] + ([BOT_USER_ID] if item["bot"] else [])
        channel.is_archived = bool(item.get("archived", channel.is_archived))
        channel.is_shared = bool(item.get("shared", channel.is_shared))
        return {**channel.as_slack(BOT_USER_ID), "members": channel.members}

    async def faults(self, request: Request) -> Response:
        """Switch faults on or off; `clear` forgets all, `disconnect` asks sockets to leave, `cut` closes them."""
        body = await request.json()
        if body.get("clear"):
            self._ws.faults = Faults()
        self._ws.faults.change(body)
        answer: Json = {"ok": True}
        if body.get("disconnect"):
            answer["disconnected"] = await self._postman.sockets.ask_to_leave()
        if body.get("cut") or self._ws.faults.down:
            answer["cut"] = await self._postman.sockets.cut()
        self._ws.feed.publish("faults", faults=self._ws.faults.as_json())
        return JSONResponse({**answer, "faults": self._ws.faults.as_json()})

    async def limits(self, request: Request) -> Response:
        """`enabled`, per method `{"method", "burst", "per_second"}` in `rates`; `ack_s`, `trigger_s`; `scopes` of the token."""
        body = await request.json()
        self._ws.rates.enabled = bool(body.get("enabled", self._ws.rates.enabled))
        for item in body.get("rates", []):
            by_channel = RATES[item["method"]].by_channel if item["method"] in RATES else False
            self._ws.rates.change(str(item["method"]), Rate(float(item["burst"]), float(item["per_second"]), by_channel))
        self._ws.ack_s = float(body.get("ack_s", self._ws.ack_s))
        self._ws.triggers.lifetime_s = float(body.get("trigger_s", self._ws.triggers.lifetime_s))
        if "scopes" in body:
            self._ws.scopes = {str(scope) for scope in body["scopes"]}
        return JSONResponse({"ok": True, **self.state()})

    async def delivery(self, request: Request) -> Response:
        """`mode` (auto, socket, http), `bot_url`, `ahead_s` of Slack's clock over HTTP, `events` the app is subscribed to."""
        body = await request.json()
        mode = str(body.get("mode", self._postman.mode))
        if mode not in ("auto", "socket", "http"):
            raise Refused("unknown_mode")
        if "bot_url" in body:
            self._postman.http = SignedRequests(str(body["bot_url"]), self._ws.signing_secret) if body["bot_url"] else None
        if "ahead_s" in body and self._postman.http:
            self._postman.http.ahead_s = float(body["ahead_s"])
        if mode == "http" and self._postman.http is None:
            raise Refused("no_bot_url")
        self._postman.mode = mode
        if "events" in body:
            self._postman.events = {str(name) for name in body["events"]}
        return JSONResponse({"ok": True, **self.state()})

    async def kill(self, request: Request) -> Response:
        """Kill the bot's process without a word (SIGKILL); only where the demo named a file with its pid."""
        if self._kill_file is None:
            raise Refused("kill_not_enabled")
        try:
            pid = int(self._kill_file.read_text())
        except (OSError, ValueError):
            raise Refused("no_bot_running") from None
        if pid <= 1 or pid == os.getpid():
            raise Refused("no_bot_running")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            raise Refused("no_bot_running") from None
        self._ws.feed.publish("killed", pid=pid)
        return JSONResponse({"ok": True, "killed": pid})
