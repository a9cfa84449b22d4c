"""Run on DBOS: each step is recorded once and read back on replay."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import ParamSpec, TypeVar

from dbos import DBOS, error
from pydantic import JsonValue

from bot.core.errors import JournalMismatch
from bot.engine.journal_format import ResultFormat
from bot.engine.steps import Steps

Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")

WAIT, TIMER, WAIT_NAME = "DBOS.recv", "DBOS.sleep", "wait_for"
"""How DBOS records a wait: two rows. `journal()` shows one, under our name."""


class Waiting:
    """How many runs of this process wait; `changed` gets the number at each change."""

    def __init__(self, changed: Callable[[int], None]) -> None:
        self._count = 0
        self._changed = changed

    @contextmanager
    def counted(self) -> Iterator[None]:
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        self._count += number
        self._changed(self._count)


@contextmanager
def _mismatches() -> Iterator[None]:
    try:
        yield
    except (error.DBOSUnexpectedStepError, error.DBOSStepNondeterminismError) as unexpected:
        raise JournalMismatch(unexpected.message) from unexpected


class DurableRun:
    """One run of a workflow, inside that of DBOS. `workflow` is its name."""

    def __init__(self, id: str, workflow: str, *, clock: Clock, steps: Steps, waiting: Waiting) -> None:
        self._id = id
        self.workflow = workflow
        self._clock = clock
        self._steps = steps
        self._waiting = waiting

    @property
    def id(self) -> str:
        return self._id

    async def step(self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The recorded result of the step. An error is recorded too and raised; on replay it is a WorkflowFailed."""
        if self._steps.closing:
            await self._steps.suspend()
        results = ResultFormat(function)

        async def body() -> JsonValue:
            return results.to_json(await function(*args, **kwargs))

        async def once() -> JsonValue:
            return await self._steps.call(name, body)

        # DBOS numbers steps in the order of its calls: nothing may be awaited between our call and its.
        with self._steps.running(name), _mismatches():
            return results.from_json(name, await DBOS.run_step_async({"name": name}, once))

    async def wait_for(self, topic: str, *, until: str) -> bool:
        # Only the first time do these seconds count: DBOS records the deadline and keeps to it on replay.
        seconds = (datetime.fromisoformat(until) - self._clock()).total_seconds()
        with self._waiting.counted(), _mismatches():
            return await DBOS.recv_async(topic, timeout_seconds=max(0.0, seconds)) is not None

    async def now(self) -> datetime:
        async def moment() -> str:
            return self._clock().isoformat()

        return datetime.fromisoformat(await self.step("now", moment))
