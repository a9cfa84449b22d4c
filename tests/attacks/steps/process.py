"""One replica: the real `tocsin serve`, whose clock, points and answers the player holds by strings.

The player speaks to it over a Unix socket, one JSON object a line each way. What must hold from the first moment on (held
points, the moved clock) stands in `strings.json` beside it.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from sqlalchemy import event
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.app import App
from bot.core.errors import TocsinError
from bot.ports import Run
from bot.serving import run
from bot.settings import load_secrets
from bot.workflows.remediation.approvals import workflow_id
from tests.attacks.steps.names import WORKFLOW
from tests.real.forks import ForkedProcess

P = ParamSpec("P")
T = TypeVar("T")
Json = dict[str, Any]
LOADED = "tests.attacks.steps.loaded"
STORED_SECONDS = 10.0
_real_time, _real_monotonic = time.time, time.monotonic


class Strings:
    """What the player holds: points where whatever comes waits, the clock, and whether somebody is busy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = json.loads((folder / "strings.json").read_text())
        self.wall, self.monotonic = float(settings["wall_s"]), float(settings["monotonic_s"])
        self.held: set[str] = set(settings["held"])
        self.opened = asyncio.Event()
        self.waiting: Counter[tuple[str, str]] = Counter()
        self.busy = 0
        self.decided = 0
        self.status = 0
        """What Slack gets for the next delivery instead of the bot's answer; 0: the bot's answer."""
        self.read_only = bool(settings["read_only"])

    def now(self) -> datetime:
        """The host's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.wall)

    async def passing(self, point: str, ref: str) -> None:
        """Wait here as long as this point is held."""
        while point in self.held:
            self.waiting[(point, ref)] += 1
            try:
                await self.opened.wait()
            finally:
                self.waiting[(point, ref)] -= 1

    def release(self, point: str) -> None:
        self.held.discard(point)
        opened, self.opened = self.opened, asyncio.Event()
        opened.set()

    @contextmanager
    def working(self) -> Any:
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    def standing(self) -> list[list[str]]:
        """The points at which somebody waits, with the proposal's reference."""
        return [list(key) for key, number in self.waiting.items() if number]


class HeldRun:
    """A Run that waits before held steps, and is counted while it works."""

    def __init__(self, inner: Run, strings: Strings) -> None:
        self._run, self._strings = inner, strings

    @property
    def id(self) -> str:
        return self._run.id

    async def step(self, name: str, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self.id.startswith(WORKFLOW):
            await self._strings.passing(name, self.id.removeprefix(WORKFLOW))
        with self._strings.working():
            return await self._run.step(name, fn, *args, **kwargs)

    async def wait_for(self, topic: str, *, until: str) -> bool:
        return await self._run.wait_for(topic, until=until)

    async def now(self) -> datetime:
        return await self._run.now()


class HeldApp(App):
    """The app with strings on its decisions, its wake-ups, its remote call, its outcome and its answers to Slack."""

    def __init__(self, *args: Any, strings: Strings, **more: Any) -> None:
        super().__init__(*args, clock=strings.now, **more)
        self.strings = strings
        self._wake = self.engine.wake
        approvals = self.approvals
        _before(approvals.decisions, "decide", strings, "decide", lambda press, *_: press.ref)
        _after_decision(approvals.decisions, strings)
        _before(self.engine, "wake", strings, "wake", lambda id, *_: id.removeprefix(WORKFLOW))
        _before(approvals.executor.http, "send", strings, "call", lambda *_, key="", **__: key.partition(":")[0])
        _before(approvals.claims, "attempt_finish", strings, "outcome", lambda ref, *_: ref)
        for handler in ("line", "press", "submit", "show_home"):
            _counted(self.router, handler, strings)
        event.listen(self.db.engine.sync_engine, "checkout", self._set_read_only)
        self.asgi = _Answering(self.asgi, strings)
        self._more_sockets: list[AsyncSocketModeHandler] = []

    def _set_read_only(self, connection: Any, *_: object) -> None:
        if self.db.sqlite:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA query_only={int(self.strings.read_only)}")
            cursor.close()

    async def start(self) -> None:
        await super().start()
        self._control = await asyncio.start_unix_server(self._converse, path=str(self.strings.folder / "strings.sock"))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(await self._answer(json.loads(line))).encode() + b"\n")
            await writer.drain()

    async def _answer(self, order: Json) -> Json:
        try:
            return {"ok": True, **(await getattr(self, f"_on_{order.pop('do')}")(**order) or {})}
        except (TocsinError, AttributeError, TypeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    # ------------------------------------------------------------ what the player may ask

    async def _on_status(self) -> Json:
        return {"busy": self.strings.busy, "standing": self.strings.standing()}

    async def _on_hold(self, point: str) -> None:
        self.strings.held.add(point)

    async def _on_release(self, point: str) -> None:
        self.strings.release(point)

    async def _on_clock(self, wall_s: float, monotonic_s: float) -> None:
        """Move the clock; what waits for a moment looks again, as a timer that is due would make it."""
        self.strings.wall, self.strings.monotonic = wall_s, monotonic_s
        for ref in await self.approvals.store.open_refs():
            for topic in ("decision", "watch"):
                await self._wake(workflow_id(ref), topic, key=f"clock:{topic}:{wall_s}:{monotonic_s}:{ref}")

    async def _on_respond(self, status: int) -> None:
        self.strings.status = status

    async def _on_read_only(self, on: bool) -> None:
        self.strings.read_only = on

    async def _on_propose(
        self, entry: str, service: str, arguments: Json, group: str, key: str, by_rules: bool = False
    ) -> Json:
        """As the triage puts an action to people; `by_rules`: found without a model. A refusal is an answer."""
        parameters = {"parameters": arguments} if arguments else {}
        try:
            made = await self.approvals.propose(
                entry,
                service,
                parameters,
                group_ref=group,
                requester="",
                because="errors left their range (E1)",
                key=key,
                by_rules=by_rules,
            )
        except TocsinError as error:
            return {"ref": "", "why": str(error)}
        return {"ref": made.ref}

    async def _on_more_sockets(self) -> None:
        handler = AsyncSocketModeHandler(self.slack.app, self.secrets.slack_app_token.get_secret_value())
        await handler.connect_async()  # type: ignore[no-untyped-call]
        self._more_sockets.append(handler)


class _Answering:
    """Gives Slack another status for one delivery, once its decision is stored."""

    def __init__(self, inner: ASGIApp, strings: Strings) -> None:
        self._inner, self._strings = inner, strings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._strings.status if scope["type"] == "http" and scope["path"] == "/slack/events" else 0
        if not status:
            await self._inner(scope, receive, send)
            return
        self._strings.status, before = 0, self._strings.decided

        async def dropped(_: Message) -> None:
            return None

        await self._inner(scope, receive, dropped)
        until = _real_monotonic() + STORED_SECONDS
        while self._strings.decided == before and _real_monotonic() < until:
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _before(target: Any, method: str, strings: Strings, point: str, ref: Callable[..., str]) -> None:
    inner = getattr(target, method)

    @wraps(inner)
    async def held(*args: Any, **more: Any) -> Any:
        if about := ref(*args, **more) if point == "call" else ref(*args):
            await strings.passing(point, about)
        return await inner(*args, **more)

    setattr(target, method, held)


def _after_decision(decisions: Any, strings: Strings) -> None:
    inner = decisions.decide

    async def noted(*args: Any, **more: Any) -> Any:
        result = await inner(*args, **more)
        strings.decided += 1
        return result

    decisions.decide = noted


def _counted(target: Any, method: str, strings: Strings) -> None:
    inner = getattr(target, method)

    @wraps(inner)
    async def counted(*args: Any, **more: Any) -> Any:
        with strings.working():
            return await inner(*args, **more)

    setattr(target, method, counted)


def main(folder: Path) -> None:
    """Serve as `tocsin serve` does, with the strings of this folder."""
    strings = Strings(folder)
    # The host's clocks, as everything in this process reads them.
    time.time = lambda: _real_time() + strings.wall
    time.monotonic = lambda: _real_monotonic() + strings.monotonic
    sys.path.insert(0, str(folder.parent))
    run(load_secrets(), wrap_run=lambda inner: HeldRun(inner, strings), build=partial(HeldApp, strings=strings))


def forked(name: str, folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
    """The same, forked from a process that has imported it."""
    return ForkedProcess(name, main, [folder], folder, environment, loaded=[LOADED])
