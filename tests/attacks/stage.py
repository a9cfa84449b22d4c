"""The stage: Slack's stand-in as a process, the real bot in this one, a server for its actions, and strings to pull."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import httpx
import uvicorn
import yaml
from pydantic import SecretStr
from sqlmodel import col, select

from bot.app import App
from bot.core.action import ProposalState
from bot.core.alert import Severity
from bot.core.config import Config
from bot.ports import Run
from bot.settings import Secrets, load_config
from bot.store.db.database import utc_now
from bot.store.incidents import incidents
from bot.store.migrate import ready
from bot.store.tables import AuditRow, DecisionRow, MessageRow, ProposalRow
from tests.attacks.cast import ON_CALL_GROUP, accounts, member
from tests.attacks.catalogue import channel_of, configuration
from tests.attacks.hook import Hook
from tests.real import IDLE_SECONDS, PATIENCE
from tests.real.slack import PATIENT

Json = dict[str, Any]
P = ParamSpec("P")
T = TypeVar("T")
HELD = frozenset({"look again", "claim"})
"""Steps between the approval and the run: where the world may change."""
RESTING = {s.value for s in ProposalState if s.final} | {"pending", "partly approved"}


class Gate:
    """Holds stories between the approval and the run while it is closed."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()

    def wrap(self, run: Run) -> Run:
        return _Held(run, self)


class _Held:
    """A Run that waits at the gate before the held steps."""

    def __init__(self, run: Run, gate: Gate) -> None:
        self._run, self._gate = run, gate

    @property
    def id(self) -> str:
        return self._run.id

    async def step(self, name: str, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if name in HELD:
            await self._gate.opened.wait()
        return await self._run.step(name, fn, *args, **kwargs)

    async def wait_for(self, topic: str, *, until: str) -> bool:
        return await self._run.wait_for(topic, until=until)

    async def now(self) -> datetime:
        return await self._run.now()


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


class Stage:
    """The bot in this process. `async with Stage(services, folder) as stage`."""

    def __init__(self, services: list[str], folder: Path) -> None:
        self.services, self.folder = services, folder
        self.offset = timedelta(0)
        self.hook = Hook()

    async def __aenter__(self) -> "Stage":
        self.hook.start()
        self.sandbox = Sandbox()
        await self.sandbox.furnish(self.services)
        (self.folder / "tocsin.yaml").write_text(yaml.safe_dump(configuration(self.services, self.hook.url)), encoding="utf-8")
        found = secrets_of(self.sandbox, self.folder)
        ready(f"sqlite:///{self.folder / 'app.db'}")
        self.gate = Gate()
        self.app = App(found, load_config(found.config), wrap_run=self.gate.wrap)
        self.app.db.clock = lambda: utc_now() + self.offset
        self.app.router.soon = PATIENCE
        config = uvicorn.Config(
            self.app.asgi,
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        await until(lambda: self._server.started)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        await until(self.app.slack.connected)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving
        await self.sandbox.close()
        self.hook.stop()

    # ------------------------------------------------------------ strings

    async def incident(self, service: str) -> str:
        """An open SEV2 incident of the service, led by the commander; its reference."""
        made: Any = await incidents.declare(
            self.app.db,
            title=f"Errors on {service}",
            severity=Severity.SEV2,
            service=service,
            channel=channel_of(service),
            by="oncall",
            key=secrets.token_hex(4),
        )
        ref = str(getattr(made, "ref", made))
        await incidents.set_lead(self.app.db, ref, "commander", "oncall")
        return ref

    def reconfigure(self, **values: Any) -> None:
        """The bot with another policy loaded, as after a restart with a changed file."""
        self._use(self.app.config.model_copy(update=values))

    def original(self) -> None:
        """The file's own policy and the true time again."""
        self._use(self.app.config)
        self.offset = timedelta(0)

    def _use(self, config: Config) -> None:
        approvals = self.app.approvals
        for part in (approvals.store, approvals.decisions, approvals.claims):
            part.config = config
        approvals.executor.config = approvals.rotas.config = config

    async def delivery(self, mode: str) -> None:
        """How Slack reaches the bot: socket or http."""
        await self.sandbox.post("delivery", {"mode": mode, "bot_url": self.url})

    # ------------------------------------------------------------ looking

    async def rows(self, table: Any, *where: Any) -> list[Any]:
        async with self.app.db.read() as session:
            return list((await session.exec(select(table).where(*where))).all())

    async def proposal(self, ref: str) -> ProposalRow:
        found: ProposalRow = (await self.rows(ProposalRow, ProposalRow.id == int(ref[3:])))[0]
        return found

    async def proposals(self, service: str) -> list[ProposalRow]:
        return await self.rows(ProposalRow, ProposalRow.service == service)

    async def approvals(self, service: str) -> list[DecisionRow]:
        """Approving decision rows on the service's proposals."""
        ids = [row.id for row in await self.proposals(service)]
        return await self.rows(DecisionRow, col(DecisionRow.proposal_id).in_(ids), DecisionRow.verdict == "approve")

    async def audit(self, refs: list[str]) -> list[AuditRow]:
        return await self.rows(AuditRow, col(AuditRow.subject).in_(refs))

    async def card(self, ref: str) -> MessageRow:
        """The proposal's card, once it stands in Slack."""

        async def stands() -> Any:
            found = await self.rows(MessageRow, MessageRow.key == f"proposal:{ref}", MessageRow.ts != "")
            return found[0] if found else None

        card: MessageRow = await until(stands)
        return card

    async def settle(self, service: str, seconds: float = PATIENCE) -> None:
        """Wait until nothing of this service is on its way any more."""

        async def rests() -> bool:
            return all(row.state in RESTING for row in await self.proposals(service))

        await until(rests, seconds)
        await asyncio.sleep(0.25)


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
