"""Run and Engine without a journal: for tests, replay and evaluation.

Everything lives in this process's memory and ends with it; apart from that the
contract is the durable one (tests/contracts/test_run.py runs both).
"""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ParamSpec, TypeVar

from pydantic import JsonValue

from bot.engine.failures import FailureCallback, FailureReporter
from bot.engine.journal_format import ResultFormat, plain_json
from bot.engine.steps import Steps
from bot.ports import Run, Workflow

Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")


class SignalBox:
    """The signals to one run, by topic. One that comes before the wait is kept; a repeated key is one signal."""

    def __init__(self) -> None:
        self._pending: dict[str, int] = defaultdict(int)
        self._keys: set[tuple[str, str]] = set()
        self._waits: dict[str, tuple[asyncio.Event, datetime]] = {}

    def send(self, topic: str, key: str) -> None:
        if (topic, key) in self._keys:
            return
        self._keys.add((topic, key))
        self._pending[topic] += 1
        if topic in self._waits:
            self._waits[topic][0].set()

    def expire(self, moment: datetime) -> None:
        """End the waits whose `until` is not after `moment`."""
        for ended, until in self._waits.values():
            if until <= moment:
                ended.set()

    @property
    def awaited(self) -> bool:
        """Whether the run waits, and nothing has ended the wait yet."""
        return any(not ended.is_set() for ended, _ in self._waits.values())

    async def wait(self, topic: str, until: datetime, seconds: float) -> bool:
        """True when there was a signal, False once the time has come."""
        if not self._pending[topic] and seconds > 0:
            ended = asyncio.Event()
            self._waits[topic] = ended, until
            try:
                async with asyncio.timeout(seconds):
                    await ended.wait()
            except TimeoutError:
                pass
            finally:
                del self._waits[topic]
        received = self._pending[topic] > 0
        self._pending[topic] -= received
        return received


class DirectRun:
    """A run without a journal; `clock` gives `now()`. Useful alone where a function wants a Run."""

    def __init__(self, id: str, *, clock: Clock, workflow: str = "", steps: Steps | None = None) -> None:
        self._id = id
        self.workflow = workflow
        self.journal: list[str] = []
        self.signals = SignalBox()
        self._clock = clock
        self._steps = steps or Steps()

    @property
    def id(self) -> str:
        return self._id

    async def step(self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._steps.closing:
            await self._steps.suspend()
        results = ResultFormat(function)

        async def once() -> JsonValue:
            return results.to_json(await function(*args, **kwargs))

        with self._steps.running(name):
            self.journal.append(name)
            return results.from_json(name, await self._steps.call(name, once))

    async def wait_for(self, topic: str, *, until: str) -> bool:
        self.journal.append("wait_for")
        moment = datetime.fromisoformat(until)
        return await self.signals.wait(topic, moment, (moment - self._clock()).total_seconds())

    async def now(self) -> datetime:
        async def moment() -> str:
            return self._clock().isoformat()

        return datetime.fromisoformat(await self.step("now", moment))


@dataclass
class _Started:
    run: DirectRun
    task: "asyncio.Task[JsonValue]"
    ended_at: list[datetime] = field(default_factory=list)


class DirectEngine:
    """An engine without a journal: one process, one leader, nothing survives."""

    def __init__(
        self,
        *,
        clock: Clock,
        wrap_run: Callable[[Run], Run] = lambda run: run,
        on_mismatch: FailureCallback | None = None,
        on_failure: FailureCallback | None = None,
    ) -> None:
        self._clock = clock
        self._wrap_run = wrap_run
        self._failures = FailureReporter(on_mismatch, on_failure)
        self._steps = Steps()
        self._workflows: dict[str, Workflow] = {}
        self._runs: dict[str, _Started] = {}

    def register(self, name: str, workflow: Workflow) -> None:
        self._workflows[name] = workflow

    async def launch(self) -> None:
        return None

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        if id in self._runs:
            return
        function, arguments = self._workflows[workflow], [plain_json(argument) for argument in args]
        run = DirectRun(id, clock=self._clock, workflow=workflow, steps=self._steps)
        body = self._failures.run(workflow, id, function, self._wrap_run(run), *arguments)
        task = asyncio.create_task(body, context=contextvars.Context())
        self._runs[id] = _Started(run, task)
        task.add_done_callback(lambda _: self._end(id))

    def _end(self, id: str) -> None:
        started = self._runs[id]
        started.ended_at.append(self._clock())
        if not started.task.cancelled():
            started.task.exception()  # Reported and logged already; read here, or asyncio would warn that it never was.

    async def wake(self, id: str, topic: str, *, key: str) -> None:
        if id in self._runs:
            self._runs[id].run.signals.send(topic, key)

    def expire(self, moment: datetime) -> None:
        """End every wait whose `until` is not after `moment`, as if it had come: for tests with a fixed clock."""
        for started in self._runs.values():
            started.run.signals.expire(moment)

    def is_idle(self) -> bool:
        """Whether every run that has not ended waits: then only time, or a signal, brings anything about."""
        return all(started.task.done() or started.run.signals.awaited for started in self._runs.values())

    async def result(self, id: str) -> JsonValue:
        """Wait for a run to finish: its result, or what it raised."""
        return await asyncio.shield(self._runs[id].task)

    async def journal(self, id: str) -> list[str]:
        """The steps of a run in their order; a wait is `wait_for`."""
        return list(self._runs[id].run.journal) if id in self._runs else []

    async def pending(self) -> list[str]:
        """The ids of the runs that have not finished."""
        return [id for id, started in self._runs.items() if not started.task.done()]

    async def finished(self, id: str) -> bool:
        """Whether the run has ended, well or badly; an unknown one has not."""
        return id in self._runs and self._runs[id].task.done()

    async def forget(self, before: datetime, prefix: str = "") -> int:
        """Drop the runs that ended before a moment and whose id begins so; returns how many."""
        ended = {id: run.ended_at[0] for id, run in self._runs.items() if run.ended_at and id.startswith(prefix)}
        old = [id for id, at in ended.items() if at < before]
        for id in old:
            del self._runs[id]
        return len(old)

    def is_leader(self) -> bool:
        return True

    def lead(self, callback: Callable[[], None]) -> None:
        """Call back at once: this is the only process."""
        callback()

    async def stop(self, *, within: float) -> None:
        await self._steps.drain(within)
        tasks = [started.task for started in self._runs.values() if not started.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
