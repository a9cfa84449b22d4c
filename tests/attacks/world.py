"""The whole bot on loopback: Slack's stand-in, backends, the puppet model, one service and channel an item."""

import asyncio
import io
import json
import logging
import os
import secrets
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml
from pydantic import SecretStr
from sqlalchemy import text as sql
from sqlmodel import col, select

from bot import logs
from bot.app import App
from bot.serving import IDLE_SECONDS
from bot.settings import load_config
from bot.store.migrate import ready
from bot.store.tables import EpisodeRow, GroupRow, MessageRow, TriageRow
from bot.workflows.messages.delivery import DeliveryLimits
from tests.attacks.backends import Backends
from tests.attacks.cast import ON_CALL_GROUP, channel_of, people
from tests.attacks.items import ALLOWED_HOSTS
from tests.attacks.puppet import Puppet
from tests.attacks.stage import Sandbox, secrets_of, until
from tests.attacks.watching import Watch

Json = dict[str, Any]
TOKEN = {"authorization": "Bearer fake-door-token"}
SCENE = "scene"
"""The label by which an alert is found again whose service is called otherwise."""
SOURCES = {"am": "alertmanager", "gen": "generic", "graf": "grafana", "pd": "pagerduty", "dd": "datadog", "hub": "github"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
TOKENS = {**dict.fromkeys((*SOURCES, "aws"), "fake-door-token"), "graf": "fake-grafana-token"}
DELIVERY = DeliveryLimits(edits_per_second=4.0, edit_burst=60)
"""Slack's stand-in has no limits here (`Sandbox.furnish`), so nothing waits for an edit."""
OVER = ("done", "stopped", "failed")
"""States of an attempt that nothing follows."""
CANARIES = ("SLACK_BOT_TOKEN", "OPENAI_API_KEY", "DATABASE_URL", "TOCSIN_TOKEN_API", "AWS_SECRET_ACCESS_KEY")
_JOURNAL = ("app.db", "dbos.db", "dbos.sqlite", "journal.db")


class World:
    """`async with World(services, folder)`: everything runs; what it says, stores and asks can be looked at."""

    def __init__(self, services: list[str], folder: Path) -> None:
        self.services, self.folder = services, folder
        self.backends, self.puppet, self.watch = Backends(), Puppet(), Watch()
        self.log = io.StringIO()
        self.doubts: defaultdict[str, list[str]] = defaultdict(list)
        """Service -> what was not as it must be while bodies were sent."""
        self.named_otherwise: set[str] = set()
        """Items' services by which no alert is called: their text stood in its place."""
        self.canaries = {name: f"CANARY{secrets.token_hex(12)}" for name in CANARIES}
        self._servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def __aenter__(self) -> "World":
        os.environ.update(self.canaries)
        os.environ.update({f"TOCSIN_TOKEN_{name.upper()}": token for name, token in TOKENS.items()})
        backends, puppet = await self._serve(self.backends.app()), await self._serve(self.puppet.app())
        self.sandbox = Sandbox()
        await self.sandbox.furnish(self.services)
        (self.folder / "runbooks").mkdir()
        path = self.folder / "tocsin.yaml"
        path.write_text(yaml.safe_dump(self._configuration(backends)), encoding="utf-8")
        self._log_here()
        found = secrets_of(self.sandbox, self.folder).model_copy(
            update={
                "model": "puppet",
                "openai_base_url": f"{puppet}/v1",
                "openai_api_key": SecretStr(self.canaries["OPENAI_API_KEY"]),
            }
        )
        ready(f"sqlite:///{self.folder / 'app.db'}")
        self.app = App(found, load_config(path), delivery=DELIVERY)
        self.policy = self.app.config.model_dump_json()
        self.url = await self._serve(self.app.asgi, lifespan="on")
        self.client = httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False)
        await until(self.app.slack.connected)
        await self.app.agents.get()
        ports = [self.sandbox.addresses[name].rsplit(":", 1)[1].split("/")[0] for name in ("control", "slack")]
        self.watch.ours |= {int(port) for port in ports}
        self.watch.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.watch.stop()
        await self.client.aclose()
        # The bot first: what it leans on must outlive it.
        for server, task in reversed(self._servers):
            server.should_exit = True
            await task
        await self.sandbox.close()

    async def _serve(self, app: Any, lifespan: str = "off") -> str:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            lifespan=lifespan,
            timeout_graceful_shutdown=1,  # type: ignore[arg-type]
            timeout_keep_alive=IDLE_SECONDS,
        )
        server = uvicorn.Server(config)
        self._servers.append((server, asyncio.create_task(server.serve())))
        await until(lambda: server.started)
        port: int = server.servers[0].sockets[0].getsockname()[1]
        self.watch.ours.add(port)
        return f"http://127.0.0.1:{port}"

    def _log_here(self) -> None:
        """The product's own logging, into memory."""
        logs.configure("INFO", self.canaries.values())
        handler = logging.root.handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self.log)

    def _configuration(self, backends: str) -> Json:
        hook = {
            "kind": "run_webhook",
            "url": f"{backends}/run/rollback/{{service}}",
            "allow_private": True,
            "helps": ["change"],
        }
        return {
            "sources": {
                **{name: {"kind": kind} for name, kind in SOURCES.items()},
                "aws": {"kind": "cloudwatch", "options": {"topics": [TOPIC]}},
            },
            "people": people(),
            "services": {name: self._service(name) for name in self.services},
            "default_channel": "CELSEWHERE",
            "approvers": {"deputies": ["deputy"], "admins": ["admin", "owner"]},
            "actions": {"rollback": {**hook, "body": {"service": "{service}"}}},
            "prometheus": {"url": backends},
            "logs": {"loki": backends},
            "links": {"hosts": list(ALLOWED_HOSTS)},
            "runbooks": "runbooks",
            "budget": {"per_run_usd": 5, "per_day_usd": 10_000, "per_run_calls": 40},
        }

    def _service(self, name: str) -> Json:
        return {
            "owners": ["owner"],
            "on_call": {"usergroup": ON_CALL_GROUP},
            "channel": channel_of(name),
            "signals": {"errors": {"promql": f'errors{{service="{name}"}}', "unit": "ratio", "bad_above": 0.02}},
        }

    # ------------------------------------------------------------ looking

    async def rows(self, table: Any, *where: Any) -> list[Any]:
        async with self.app.db.read() as session:
            return list((await session.exec(select(table).where(*where))).all())

    async def group(self, service: str) -> GroupRow | None:
        rows = await self.rows(GroupRow, self._of(service))
        return rows[0] if rows else None

    def _of(self, service: str) -> Any:
        """Which group an item's is: of one whose text stood in the label that names the service, that of its alert."""
        if service not in self.named_otherwise:
            return GroupRow.service == service
        alerts = select(EpisodeRow.group_id).where(EpisodeRow.labels[SCENE].as_string() == service)  # type: ignore[index]
        return col(GroupRow.id).in_(alerts)

    async def channel(self, service: str) -> str:
        """Where an item's group is told: in its service's channel, if the alert names that service."""
        group = await self.group(service) if service in self.named_otherwise else None
        return group.channel if group else channel_of(service)

    async def triage(self, service: str) -> TriageRow | None:
        """The newest attempt on a service's group."""
        return max(await self._attempts(service), key=lambda row: row.attempt, default=None)

    async def triage_over(self, service: str) -> TriageRow | None:
        """The newest attempt that is over: another may begin by itself while things are looked at."""
        over = (row for row in await self._attempts(service) if row.state in OVER)
        return max(over, key=lambda row: row.attempt, default=None)

    async def _attempts(self, service: str) -> list[TriageRow]:
        group = await self.group(service)
        return await self.rows(TriageRow, TriageRow.group_id == group.id) if group else []

    async def settled(self, service: str, attempt: int = 1, seconds: float = 300) -> None:
        """Wait until the triage is over and its messages stand in Slack."""

        states = select(TriageRow.attempt, TriageRow.state).join(GroupRow, col(GroupRow.id) == TriageRow.group_id)

        async def over() -> bool:
            async with self.app.db.read() as session:
                attempts = (await session.exec(states.where(self._of(service)))).all()
            newest, state = max(attempts, default=(0, ""))
            if newest < attempt or state not in OVER:
                return False
            # Whether something is proposed is decided after the state.
            due = MessageRow.channel == await self.channel(service), col(MessageRow.wanted_rev) > MessageRow.sent_rev
            return not await self.rows(MessageRow.channel, *due)

        # Looking costs the very loop that is waited for.
        await until(over, seconds, every=1.0)

    async def stored(self, service: str) -> list[EpisodeRow]:
        if service not in self.named_otherwise:
            return await self.rows(EpisodeRow, EpisodeRow.service == service)
        return await self.rows(EpisodeRow, EpisodeRow.labels[SCENE].as_string() == service)  # type: ignore[index]

    async def said(self) -> list[Json]:
        """Everything that stands in Slack, privately too: messages, private answers, open dialogs."""
        found: list[Json] = [m for m in (await self.sandbox.get("messages"))["messages"] if m.get("bot_id") or "metadata" in m]
        found += (await self.sandbox.get("ephemerals"))["ephemerals"]
        return [*found, *(await self.sandbox.get("views"))["views"]]

    async def database(self) -> str:
        """Every text of every table of the bot, and the journal's bytes."""
        parts: list[str] = []
        async with self.app.db.read() as session:
            names = (await session.exec(sql("SELECT name FROM sqlite_master WHERE type='table'"))).all()  # type: ignore[call-overload]
            for (name,) in names:
                for row in (await session.exec(sql(f'SELECT * FROM "{name}"'))).all():  # type: ignore[call-overload]
                    parts += [cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in row]
        journals = [path for path in self.folder.iterdir() if path.is_file() and path.name.endswith((".db", ".sqlite", "-wal"))]
        parts += [path.read_bytes().decode("utf-8", "replace") for path in journals if not path.name.startswith("app.db")]
        return "\n".join(parts)

    def requests(self, service: str) -> str:
        """Everything that the model was sent about a service."""
        return json.dumps(self.puppet.requests.get(service, []), ensure_ascii=False)
