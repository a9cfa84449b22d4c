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
from typing import Any, ParamSpec, TypeVar

from pydantic import JsonValue

from bot.engine.endings import Endings, Told
from bot.engine.journal_format import ResultFormat, plain_json
from bot.engine.steps import Steps
from bot.ports import Run, Workflow

Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")


class SignalBox:
    """Wakes of one story by topic. A wake that comes before the wait is kept; a repeated key is one wake."""

    def __init__(self) -> None:
        self._unheard: dict[str, int] = defaultdict(int)
        self._keys: set[tuple[str, str]] = set()
        self._waiting: dict[str, tuple[asyncio.Event, datetime]] = {}

    def ring(self, topic: str, key: str) -> None:
        if (topic, key) in self._keys:
            return
        self._keys.add((topic, key))
        self._unheard[topic] += 1
        if topic in self._waiting:
            self._waiting[topic][0].set()

    def expire(self, moment: datetime) -> None:
        """End the waits whose `until` is not after `moment`."""
        for stirred, until in self._waiting.values():
            if until <= moment:
                stirred.set()

    @property
    def awaited(self) -> bool:
        """Whether the story waits, and nothing has ended the wait yet."""
        return any(not stirred.is_set() for stirred, _ in self._waiting.values())

    async def hear(self, topic: str, until: datetime, seconds: float) -> bool:
        """True when woken, False once the time has come."""
        if not self._unheard[topic] and seconds > 0:
            stirred = asyncio.Event()
            self._waiting[topic] = stirred, until
            try:
                async with asyncio.timeout(seconds):
                    await stirred.wait()
            except TimeoutError:
                pass
            finally:
                del self._waiting[topic]
        woken = self._unheard[topic] > 0
        self._unheard[topic] -= woken
        return woken


class DirectRun:
    """A run without a journal; `clock` gives `now()`. Useful alone where a function wants a Run."""

    def __init__(self, id: str, *, clock: Clock, workflow: str = "", steps: Steps | None = None) -> None:
        self._id = id
        self.workflow = workflow
        self.journal: list[str] = []
        self.bells = SignalBox()
        self._clock = clock
        self._steps = steps or Steps()

    @property
    def id(self) -> str:
        return self._id

    async def step(self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._steps.closing:
            await self._steps.hold()
        results = ResultFormat(function)

        async def once() -> JsonValue:
            return results.to_json(await function(*args, **kwargs))

        with self._steps.running(name):
            self.journal.append(name)
            return results.from_json(name, await self._steps.call(name, once))

    async def wait_for(self, topic: str, *, until: str) -> bool:
        self.journal.append("wait_for")
        moment = datetime.fromisoformat(until)
        return await self.bells.hear(topic, moment, (moment - self._clock()).total_seconds())

    async def now(self) -> datetime:
        async def moment() -> str:
            return self._clock().isoformat()

        return datetime.fromisoformat(await self.step("now", moment))


@dataclass
class _Story:
    run: DirectRun
    task: "asyncio.Task[Any]"
    ended_at: list[datetime] = field(default_factory=list)


class DirectEngine:
    """An engine without a journal: one process, one leader, nothing survives."""

    def __init__(
        self,
        *,
        clock: Clock,
        wrap_run: Callable[[Run], Run] = lambda run: run,
        on_misfit: Told | None = None,
        on_failure: Told | None = None,
    ) -> None:
        self._clock = clock
        self._wrap_run = wrap_run
        self._endings = Endings(on_misfit, on_failure)
        self._steps = Steps()
        self._workflows: dict[str, Workflow] = {}
        self._stories: dict[str, _Story] = {}

    def register(self, name: str, workflow: Workflow) -> None:
        self._workflows[name] = workflow

    async def launch(self) -> None:
        return None

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        if id in self._stories:
            return
        story, arguments = self._workflows[workflow], [plain_json(argument) for argument in args]
        run = DirectRun(id, clock=self._clock, workflow=workflow, steps=self._steps)
        body = self._endings.watch(workflow, id, story, self._wrap_run(run), *arguments)
        task = asyncio.create_task(body, context=contextvars.Context())
        self._stories[id] = _Story(run, task)
        task.add_done_callback(lambda _: self._end(id))

    def _end(self, id: str) -> None:
        story = self._stories[id]
        story.ended_at.append(self._clock())
        if not story.task.cancelled():
            story.task.exception()  # Told and logged already; asked for here, or asyncio would complain.

    async def wake(self, id: str, topic: str, *, key: str) -> None:
        if id in self._stories:
            self._stories[id].run.bells.ring(topic, key)

    def expire(self, moment: datetime) -> None:
        """End every wait whose `until` is not after `moment`, as if it had come: for tests with a fixed clock."""
        for story in self._stories.values():
            story.run.bells.expire(moment)

    def rests(self) -> bool:
        """Whether every story that has not ended waits: then only time, or a wake, brings anything about."""
        return all(story.task.done() or story.run.bells.awaited for story in self._stories.values())

    async def result(self, id: str) -> Any:
        """Wait for a story to finish: its result, or what it raised."""
        return await asyncio.shield(self._stories[id].task)

    async def journal(self, id: str) -> list[str]:
        """The steps of a story in their order; a wait is `wait_for`."""
        return list(self._stories[id].run.journal) if id in self._stories else []

    async def pending(self) -> list[str]:
        """The ids of the runs that have not finished."""
        return [id for id, story in self._stories.items() if not story.task.done()]

    async def finished(self, id: str) -> bool:
        """Whether the run has ended, well or badly; an unknown one has not."""
        return id in self._stories and self._stories[id].task.done()

    async def forget(self, before: datetime) -> int:
        """Drop the runs that ended before a moment; returns how many."""
        old = [id for id, story in self._stories.items() if story.ended_at and story.ended_at[0] < before]
        for id in old:
            del self._stories[id]
        return len(old)

    def is_leader(self) -> bool:
        return True

    def lead(self, callback: Callable[[], None]) -> None:
        """Call back at once, there being nobody else to lead."""
        callback()

    async def stop(self, *, within: float) -> None:
        await self._steps.drain(within)
        tasks = [story.task for story in self._stories.values() if not story.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
