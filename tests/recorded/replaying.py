"""Starts the present bot on what an older version left behind: the same moment, the same shop, a new Slack workspace."""

import gzip
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import App
from bot.plugins import Http, HttpAnswer
from bot.sandbox.app import MountedWorld, build
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.world.app import world_routes
from bot.sandbox.world.jobs import SIGNATURE_HEADER, sign
from bot.sandbox.world.life import Life
from bot.sandbox.world.model import World
from bot.settings import Secrets, load_config
from bot.store.migrate import ready
from bot.workflows.messages.delivery import DeliveryLimits
from tests.contracts.agent_fixture import serving as serving_model
from tests.contracts.slack_places import Sandbox, free_port, serving
from tests.real import PATIENCE, wait_until
from tests.real.scripted_model import Script
from tests.real.slack import key_of

Json = dict[str, Any]
API_TOKEN = "api-token-of-tests"
CAUSE = {
    "cause": "recommendations itself fails",
    "service": "recommendations",
    "kind": "resource",
    "confidence": "possible",
    "claims": [{"text": "its errors were looked at", "evidence": ["E:service_health"]}],
}


class Recording:
    """What was kept of one version: `making` writes it."""

    def __init__(self, version: str) -> None:
        self.folder = Path(__file__).parent / f"at_{version}"
        self.facts: Json = json.loads((self.folder / "facts.json").read_text())

    def restore(self, folder: Path) -> None:
        """Write both databases into a data folder."""
        for name in ("app", "durable"):
            with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
                connection.executescript(gzip.decompress((self.folder / f"{name}.sql.gz").read_bytes()).decode())

    def configure(self, path: Path, base_url: str) -> None:
        """Write tocsin.yaml as it was, with the monitoring at another address. Proposals hold the actions as they were."""
        config = yaml.safe_load((self.folder / "tocsin.yaml").read_text())
        for part in ("prometheus", "alertmanager", "logs"):
            config[part] = {k: v.replace(self.base_url, base_url) for k, v in config[part].items()}
        path.write_text(yaml.safe_dump(config, sort_keys=False))

    @property
    def base_url(self) -> str:
        """The sandbox's address then."""
        config = yaml.safe_load((self.folder / "tocsin.yaml").read_text())
        return str(config["prometheus"]["url"]).removesuffix("/world/prometheus")


class Clock:
    """Set to a moment, from which it goes on when `run` is called. Unix seconds."""

    def __init__(self, at: float) -> None:
        self.at = at
        self._since: float | None = None

    def run(self) -> None:
        self._since = time.monotonic()

    def seconds(self) -> float:
        return self.at + (0.0 if self._since is None else time.monotonic() - self._since)

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


class Readdressed:
    """An action's HTTP that reaches the sandbox where it stands now. The address itself is part of what people approved."""

    def __init__(self, http: Http, then: str, now: str) -> None:
        self._http, self._then, self._now = http, then, now

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        return await self._http.check(url.replace(self._then, self._now), allow_private=allow_private)

    async def send(self, method: str, url: str, **more: Any) -> HttpAnswer:
        return await self._http.send(method, url.replace(self._then, self._now), **more)


class Model(Script):
    """Answers a question with a claim, and an investigation with a cause after one round of tool calls."""

    def next(self, body: Json) -> tuple[int, Json]:
        number, turn = super().next(body)
        if "Reply" in [tool["function"]["name"] for tool in body["tools"]]:
            turn = {"call": [["Reply", {"claims": [{"text": "yes, a deploy of checkout", "evidence": ["E1"]}]}]]}
        return number, turn


class Revived:
    """The present bot over old data, and what can be seen of it."""

    def __init__(self, app: App, slack: Sandbox, world: World, model: Script) -> None:
        self.app, self.slack, self.world, self.model = app, slack, world, model
        transport = httpx.ASGITransport(app=app.asgi)
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        self._api = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)

    async def get(self, path: str) -> Any:
        """`/api/<path>` as JSON or text."""
        answer = await self._api.get(f"/api/{path}")
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def unfinished(self) -> set[str]:
        """Workflows that still run, without ticks."""
        return {id for id in await self.app.engine.pending() if not id.startswith("tick:")}

    async def messages(self) -> dict[str, Json]:
        """The bot's messages by key."""
        shown = (await self.slack.control.get("/_sandbox/messages")).json()["messages"]
        return {key_of(message): message for message in shown if key_of(message)}

    async def message(self, key: str, *words: str) -> Json:
        """A message, once it stands and holds these words."""

        async def look() -> Json | None:
            found = (await self.messages()).get(key)
            return found if found and all(word in found["words"] for word in words) else None

        shown: Json = await wait_until(look)
        return shown

    async def press(self, person: str, key: str, action: str, **values: str) -> None:
        """Press a button of a message and send the dialog that opens."""
        message = await self.message(key)
        await self.slack.act(person, press={"channel": message["channel"], "ts": message["ts"], "action_id": action})

        async def dialog() -> Json | None:
            views = (await self.slack.control.get("/_sandbox/views", params={"user": person})).json()["views"]
            return views[-1] if views and views[-1].get("submit") else None

        view = await wait_until(dialog)
        await self.slack.act(person, submit={"view": view["id"], "values": values})


@asynccontextmanager
async def revived(recording: Recording, folder: Path) -> AsyncIterator[Revived]:
    """The bot runs on a restored data folder; its clock goes on from the moment at which the old one was killed."""
    clock = Clock(recording.facts["killed_at"])
    model = Model(
        [{"call": [["service_health", {"service": "checkout"}]]}, {"answer": {"hypotheses": [CAUSE]}}], by_history=True
    )
    with free_port() as listener:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ws = Workspace(base_url, bot_token="xoxb-test", app_token="xapp-test", signing_secret="shh")
        ws.ack_s = ws.triggers.lifetime_s = PATIENCE
        ws.rates.enabled = False
        world = _world(recording, clock, base_url)
        life = Life(world)
        sandbox = build(ws, world=MountedWorld(world_routes(world, life), life.stop, {}))
        async with (
            serving(sandbox, listener),
            httpx.AsyncClient(base_url=base_url, timeout=PATIENCE) as control,
            serving_model(model) as model_url,
        ):
            world.write_configuration(folder, base_url)
            recording.configure(folder / "tocsin.yaml", base_url)
            secrets = _secrets(recording, folder, ws, model_url)
            ready(f"sqlite:///{folder / 'app.db'}")
            app = App(secrets, load_config(secrets.config), clock=clock.moment)
            app.sender.limits = DeliveryLimits(per_channel=0.01)
            executor = app.approvals.executor
            executor.http = Readdressed(executor.http, recording.base_url, base_url)
            client = AsyncWebClient(token=ws.bot_token, base_url=f"{base_url}/api/")
            clock.run()
            await app.start()
            try:
                await wait_until(app.slack.connected)
                yield Revived(app, Sandbox(ws, client, control), world, model)
            finally:
                await app.stop()
                await app.db.close()
                await app.client.aclose()


def _world(recording: Recording, clock: Clock, base_url: str) -> World:
    """The shop as the old bot saw it: the same fault, and the same jobs at the same moments."""
    drawn, killed_at = recording.facts["world"], clock.at
    clock.at = drawn["began_at"]
    place = {"fault": drawn["fault"], "service": drawn["service"], "onset_ago": drawn["onset_ago"]}
    world = World(drawn["seed"], **place, clock=clock.seconds, base_url=base_url)
    for job in recording.facts["jobs"]:
        clock.at = datetime.fromisoformat(job["at"]).timestamp()
        body = json.dumps(job["body"]).encode()
        world.jobs.run(job["action"], body, {SIGNATURE_HEADER: sign(world.secret, body), "idempotency-key": job["key"]})
    clock.at = killed_at
    return world


def _secrets(recording: Recording, folder: Path, ws: Workspace, model_url: str) -> Secrets:
    return Secrets(
        config=folder / "tocsin.yaml",
        data_dir=folder,
        slack_bot_token=SecretStr(ws.bot_token),
        slack_app_token=SecretStr(ws.app_token),
        slack_signing_secret=SecretStr(ws.signing_secret),
        slack_api_url=f"{ws.base_url}/api/",
        webhook_secret=SecretStr("shop-webhook-secret"),
        audit_key=SecretStr(recording.facts["audit_key"]),
        token_api=SecretStr(API_TOKEN),
        model="scripted",
    ).model_copy(update={"openai_base_url": model_url, "openai_api_key": SecretStr("k")})


# ---------------------------------------------------------------- what is changed in the old data


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def into_a_new_workspace(folder: Path) -> None:
    """Let everything be said again: the new Slack holds nothing, so every view is rendered from what is stored."""
    with _writing(folder / "app.db") as app:
        app.execute("UPDATE messages SET ts = '', posted_channel = '', sent_rev = 0, attempted_at = NULL, retry_at = NULL")
        app.execute("UPDATE pictures SET slack_file = ''")


def take_the_last_steps_back(folder: Path) -> list[str]:
    """As if the bot had died before the end of every workflow that had ended; their ids."""
    with _writing(folder / "durable.db") as journal:
        ended = "SELECT workflow_uuid FROM workflow_status WHERE status = 'SUCCESS' AND name NOT LIKE 'tick:%'"
        ids = [id for (id,) in journal.execute(ended)]
        for id in ids:
            last = "SELECT max(function_id) FROM operation_outputs WHERE workflow_uuid = ?"
            journal.execute(f"DELETE FROM operation_outputs WHERE workflow_uuid = ? AND function_id = ({last})", (id, id))
            journal.execute("DELETE FROM workflow_output WHERE workflow_uuid = ?", (id,))
            journal.execute("UPDATE workflow_status SET status = 'PENDING', completed_at = NULL WHERE workflow_uuid = ?", (id,))
    return ids


def endings(folder: Path) -> dict[str, str]:
    """How each workflow ended, or its error; without ticks."""
    with closing(sqlite3.connect(folder / "durable.db")) as journal:
        rows = journal.execute(
            "SELECT s.workflow_uuid, s.status, coalesce(o.error, s.error) FROM workflow_status s "
            "LEFT JOIN workflow_output o USING (workflow_uuid) WHERE s.name NOT LIKE 'tick:%'"
        ).fetchall()
    return {id: f"{status}: {error}" if error else status for id, status, error in rows}


def count(folder: Path, rows: str) -> int:
    """How many rows of the bot's database these are."""
    with closing(sqlite3.connect(folder / "app.db")) as app:
        return int(app.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])
