"""Slack's adapter against the sandbox's workspace, which is a process of its own: what both sides see."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import SQLModel

from bot.core.approvals.roster import OnCallNow
from bot.core.config import Config
from bot.core.config.services import Person
from bot.core.config.systems import LinkConfig
from bot.core.service import Catalogue
from bot.plugins import Command, discover
from bot.slack.answers import Answers
from bot.slack.app import SlackEdge
from bot.slack.client import SlackClient, web_client
from bot.slack.command_router import CommandRouter
from bot.slack.people import People
from bot.slack.render import Renderer, allowed_hosts
from bot.store.alerts.groups import touch_card
from bot.store.answers.questions import Questions
from bot.store.db.database import Database, utc_now
from bot.store.slack.interactions import Interactions
from bot.store.slack.outbox import Outbox
from bot.store.tables import EpisodeRow, GroupRow
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext
from bot.workflows.investigation.questions import QuestionSteps
from bot.workflows.messages.sender import Sender
from bot.workflows.read_access import ReadAccess
from tests.real import PATIENCE, wait_until
from tests.real.slack import PATIENT

Json = dict[str, Any]
_NUMBERS = count(1)


@contextmanager
def sandbox() -> Iterator[Json]:
    """Slack's stand-in as a process on a free port; its addresses and tokens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.sandbox", "--no-world", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


class RecordedEngine:
    """An engine that only notes what was started."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, ...]] = []

    async def start(self, workflow: str, id: str, *args: Any) -> None:
        self.started.append((workflow, id, *args))


class SlackWorkspace:
    """Bolt, router and sender on a database of their own; people act through the sandbox's control API."""

    def __init__(self, addresses: Json, folder: Path) -> None:
        self.addresses = addresses
        self.control = httpx.AsyncClient(base_url=addresses["control"], timeout=PATIENCE)
        people = {"alice": Person(slack="U1"), "bob": Person(email="bob@example.com")}
        self.config = Config(people=people, default_channel="C0", links=LinkConfig(hosts=("runbooks.example",)))
        self.db = Database(f"sqlite+aiosqlite:///{folder / 'app.db'}", audit_key=b"k")
        slack = SlackClient(web_client(addresses["bot_token"], addresses["slack"]))
        self.engine = RecordedEngine()
        self.people = People(slack, people)
        renderer = Renderer(self.db, self.config, self._on_call)
        self.outbox = Outbox(self.db)
        self.sender = Sender(self.outbox, renderer.render, slack, default_channel="C0")
        self.db.on_messages.append(self.sender.wake)
        ctx = CommandContext(
            db=self.db,
            config=self.config,
            catalogue=Catalogue(),
            engine=self.engine,  # type: ignore[arg-type]
            clock=utc_now,
            verbs=discover(["bot.commands"], Command),
            approvals=None,
            usergroup=self.people.usergroup,
            read_access=ReadAccess(self.db, self.people.channel_access, self.people.members),
        )
        answers = Answers(slack, hosts=allowed_hosts(self.config))
        router = CommandRouter(ctx, self.people, Interactions(self.db), answers, soon=PATIENCE)
        self.edge = SlackEdge(slack.web, router, app_token=addresses["app_token"], signing_secret=addresses["signing_secret"])
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "SlackWorkspace":
        async with self.db.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        await self.control.post("/limits", json=PATIENT)
        await self.edge.start()
        self._task = asyncio.create_task(self.sender.run())
        await self.until(self.edge.connected)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.edge.stop()
        await self.sender.stop(within=1)
        assert self._task is not None
        await self._task
        await self.control.aclose()
        await self.db.close()

    async def _on_call(self, service: str) -> tuple[str, ...]:
        return ("alice",)

    async def _on_call_now(self, service: str) -> OnCallNow:
        return OnCallNow(await self._on_call(service))

    # ------------------------------------------------------------ what people do and see

    async def act(self, who: str, **act: Any) -> Json:
        """Act as one person; the sandbox's answer, which holds how long the acknowledgement took."""
        answer = await self.control.post("/act", json={"as": who, **act})
        found: Json = answer.json()
        assert answer.status_code == 200, found
        return found

    async def faults(self, **faults: Any) -> None:
        await self.control.post("/faults", json=faults)

    async def messages(self, contains: str) -> list[Json]:
        found: list[Json] = (await self.control.get("/messages", params={"contains": contains})).json()["messages"]
        return found

    async def private(self, user: str, contains: str, after: str = "") -> list[Json]:
        params = {"user": user, "contains": contains, "after": after}
        found: list[Json] = (await self.control.get("/ephemerals", params=params)).json()["ephemerals"]
        return found

    async def views(self, user: str) -> list[Json]:
        found: list[Json] = (await self.control.get("/views", params={"user": user})).json()["views"]
        return found

    async def until(self, look: Any) -> Any:
        """Look until there is something."""
        return await wait_until(look, every=0.03)

    # ------------------------------------------------------------ what happens

    async def group(self, title: str, **values: Any) -> str:
        """An alert group with one firing episode and a card that is wanted; its reference."""
        now = utc_now()
        fields = {"service": "checkout", "severity": "SEV2", "state": "FIRING", "channel": "C0", **values}
        async with self.db.write() as session:
            # The rooms of one test run share a workspace: their keys must differ as those of one database do.
            row = GroupRow(
                id=next(_NUMBERS), key=title, title=title, opened_at=now, last_alert_at=now, alerts=1, firing=1, **fields
            )
            session.add(row)
            await session.flush()
            session.add(
                EpisodeRow(
                    source="prod",
                    fingerprint=title,
                    starts_at=now - timedelta(minutes=1),
                    status="firing",
                    name=title,
                    service="checkout",
                    severity="SEV2",
                    labels={},
                    annotations={"summary": "<!channel> 5xx ratio is 7.4 %", "runbook_url": "https://runbooks.example/x"},
                    group_id=row.id,
                    first_seen_at=now,
                    last_seen_at=now,
                )
            )
            await touch_card(self.db, session, row)
            return f"AL-{row.id}"

    async def answer(self, number: int) -> None:
        """Answer one question, as its workflow does."""
        steps = QuestionSteps(Questions(self.db), Triages(self.db), self.config, on_call=self._on_call_now)
        await steps.answer_by_code(number, "", final=True)

    async def card(self, title: str) -> Json:
        """The card of a group, once it stands in Slack."""
        found: list[Json] = await self.until(lambda: self.messages(title))
        return found[0]
