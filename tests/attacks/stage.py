"""Slack's stand-in as a process, the variables of a bot beside it, and waiting."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import httpx
from pydantic import SecretStr

from bot.settings import Secrets
from tests.attacks.cast import ON_CALL_GROUP, accounts, channel_of, member
from tests.real import PATIENCE
from tests.real.slack import PATIENT

Json = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")


class Sandbox:
    """Slack's stand-in and its control API."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bot.sandbox", "--no-world", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.addresses: Json = json.loads(self._process.stdout.readline())
        self.control = httpx.AsyncClient(base_url=self.addresses["control"], timeout=PATIENCE)

    async def furnish(self, services: list[str]) -> None:
        """Channels, accounts, the on-call group; no rate limits, they are not what is tested here."""
        await self.post("limits", {"enabled": False, **PATIENT})
        await self.post("people", accounts())
        await self.post("usergroups", {"id": ON_CALL_GROUP, "handle": "oncall", "users": [member("on_call").user]})
        members = [a["id"] for a in accounts()]
        await self.post(
            "channels", [{"id": channel_of(s), "name": s, "members": members, "bot": True} for s in [*services, "elsewhere"]]
        )

    async def post(self, path: str, body: Any) -> Json:
        answer = await self.control.post(f"/{path}", json=body)
        found: Json = answer.json()
        assert answer.status_code == 200, (path, body, found)
        return found

    async def get(self, path: str, **query: Any) -> Json:
        found: Json = (await self.control.get(f"/{path}", params=query)).json()
        return found

    async def act(self, role: str, **act: Any) -> Json:
        """Do something as the account of a role; a refusal by Slack's client is an answer."""
        answer = await self.control.post("/act", json={"as": member(role).user, **act})
        found: Json = answer.json()
        return found

    async def private(self, role: str) -> list[str]:
        """Everything that was said to this account alone."""
        found = await self.get("ephemerals", user=member(role).user)
        return [e["words"] for e in found["ephemerals"]]

    async def views(self, role: str) -> list[Json]:
        found: list[Json] = (await self.get("views", user=member(role).user))["views"]
        return found

    async def close(self) -> None:
        await self.control.aclose()
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


def secrets_of(sandbox: Sandbox, folder: Path) -> Secrets:
    """The bot's variables on this stage."""
    return Secrets(
        config=folder / "tocsin.yaml",
        data_dir=folder,
        slack_bot_token=SecretStr(sandbox.addresses["bot_token"]),
        slack_app_token=SecretStr(sandbox.addresses["app_token"]),
        slack_signing_secret=SecretStr(sandbox.addresses["signing_secret"]),
        slack_api_url=sandbox.addresses["slack"],
        webhook_secret=SecretStr("fake-webhook-secret"),
        audit_key=SecretStr("fake-audit-key"),
    )


async def until(look: Callable[[], Any], seconds: float = PATIENCE, every: float = 0.03) -> Any:
    """Look until there is something, `every` so many seconds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(every)
