"""Slack's stand-in of one world, as a process of its own, and what its people see and do."""

import asyncio
import base64
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bot.sandbox.workspace.people import BOT_ID
from tests.attacks.steps.cast import CHANNEL, ELSEWHERE, ON_CALL_GROUP, SERVICE, Account, as_slack_takes
from tests.attacks.steps.items import Unplayable
from tests.attacks.steps.process import LOADED
from tests.real import PATIENCE
from tests.real.forks import ForkedProcess
from tests.real.processes import clean_environment
from tests.real.slack import PATIENT

Json = dict[str, Any]


@dataclass
class Delivery:
    """What Slack sent for one press, submission or command, and how the bot answered."""

    ids: list[str] = field(default_factory=list)
    kind: str = ""
    payload: Json = field(default_factory=dict)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    statuses: list[int | None] = field(default_factory=list)
    first_s: float | None = None
    """Seconds from the press to the first of: decision stored, private answer, dialog."""


def serve(folder: Path) -> None:
    """The stand-in's process."""
    from bot.sandbox.__main__ import main

    sys.argv = ["bot.sandbox", "--no-world", "--port", "0"]
    main(["--no-world", "--port", "0"])


class Workspace:
    """`await open()`, then what the people of `accounts` do."""

    def __init__(self, folder: Path, accounts: dict[str, Account]) -> None:
        self.accounts = accounts
        self.process = ForkedProcess("slack", serve, [folder], folder, clean_environment(), loaded=[LOADED])
        self.addresses: Json = {}
        self.control = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)

    async def open(self) -> None:
        """Start it; channels, accounts and the on-call group as the items have them. No rate limits."""
        await asyncio.to_thread(self.process.start)
        while not (line := next((row for row in self.process.tail().splitlines() if row.startswith("{")), "")):
            if not self.process.alive:
                raise RuntimeError(f"Slack's stand-in ended: {self.process.tail()}")
            await asyncio.sleep(0.03)
        self.addresses = json.loads(line)
        people = list(map(as_slack_takes, self.accounts.values()))
        await self.post("limits", {"enabled": False, **PATIENT})
        await self.post("people", people)
        await self.members(["on_call"])
        users = [person["id"] for person in people]
        channels = ((CHANNEL, SERVICE), (ELSEWHERE, "elsewhere"))
        await self.post("channels", [{"id": id, "name": name, "members": users, "bot": True} for id, name in channels])

    async def close(self) -> None:
        await self.control.aclose()
        self.process.kill()

    # ------------------------------------------------------------ the control API

    async def post(self, path: str, body: Any) -> Json:
        answer = await self.control.post(f"{self.addresses['control']}/{path}", json=body)
        if answer.status_code != 200:
            raise Unplayable(f"Slack's stand-in refused {path} {json.dumps(body)[:200]}: {answer.text[:200]}")
        return dict(answer.json())

    async def get(self, path: str, **query: Any) -> Json:
        answer = await self.control.get(f"{self.addresses['control']}/{path}", params=query)
        return dict(answer.json())

    async def act(self, role: str, *, raw: Json | None = None, **act: Any) -> Json:
        """Do something as this role. Raises Unplayable where Slack's client refuses it."""
        return await self.post("act", {"as": self.user(role), "raw": raw or {}, **act})

    def user(self, role: str) -> str:
        """The Slack user id of a role. Raises Unplayable for an unknown one."""
        if role not in self.accounts:
            raise Unplayable(f"unknown role {role!r}")
        return self.accounts[role].user

    async def members(self, roles: list[str]) -> None:
        """Who is in the rota's user group."""
        users = [self.user(role) for role in roles]
        await self.post("usergroups", {"id": ON_CALL_GROUP, "handle": "oncall", "users": users})

    async def api(self, method: str, **fields: Any) -> Json:
        """One method of Slack's Web API, as the bot's app."""
        url, token = self.addresses["slack"], self.addresses["bot_token"]
        answer = await self.control.post(f"{url}{method}", json=fields, headers={"Authorization": f"Bearer {token}"})
        return dict(answer.json())

    async def direct_channel(self, role: str) -> str:
        """The direct conversation of this role with the bot."""
        opened = await self.api("conversations.open", users=self.user(role))
        return str(opened["channel"]["id"])

    async def delivery(self, outcome: Json, delivery: Delivery) -> None:
        """Note what came of one attempt, and what was sent."""
        id = str(outcome["delivery"])
        sent = await self.get("parcels", delivery=id)
        delivery.ids.append(id)
        delivery.kind, delivery.payload, delivery.headers = sent["kind"], sent["payload"], sent["headers"]
        delivery.body = base64.b64decode(sent["body"])
        if outcome.get("error") != "kept":
            delivery.statuses.append(outcome.get("status"))

    # ------------------------------------------------------------ what people see

    async def private(self, role: str) -> list[str]:
        """What came to this account alone: ephemeral, direct, or a dialog that only tells."""
        user = self.user(role)
        ephemerals = (await self.get("ephemerals", user=user))["ephemerals"]
        told = [e["words"] for e in ephemerals if e.get("user") != "USLACKBOT"]
        views = [v for v in (await self.get("views", user=user))["views"] if not v.get("submit")]
        told += [text for v in views if (text := json.dumps(v["blocks"], ensure_ascii=False)) and "Loading" not in text]
        messages = (await self.get("messages"))["messages"]
        own = f"D{user[1:]}"
        return told + [m["words"] for m in messages if m.get("channel") == own and m.get("bot_id") == BOT_ID]

    async def dialogs(self, role: str, ref: str) -> list[Json]:
        """The dialogs that this role has open for a reference ("": any), the top one last."""
        views = (await self.get("views", user=self.user(role)))["views"]
        return [view for view in views if view.get("submit") and ref in str(view.get("private_metadata", ""))]

    async def message(self, channel: str, ts: str) -> Json:
        """One message as it is shown now. Raises Unplayable if it stands nowhere."""
        messages = (await self.get("messages", channel=channel))["messages"]
        found = next((m for m in messages if m["ts"] == ts), None)
        if found is None:
            raise Unplayable(f"no message {ts} in {channel}")
        return dict(found)
