"""Engine on DBOS: stories that go on after kill -9, on SQLite (alone) or PostgreSQL (several replicas).

DBOS is one per process, so there is one DurableEngine per process at a time.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from dbos import DBOS, SetWorkflowID, error
from pydantic import JsonValue

from bot.engine import records
from bot.engine.alone import Alone
from bot.engine.dbos_setup import JsonSerializer, quieten
from bot.engine.endings import Endings, Told
from bot.engine.journal_format import plain_json
from bot.engine.journaled import Clock, DurableRun, Waiting
from bot.engine.placement import JournalOwner, Leading
from bot.engine.steps import Steps
from bot.engine.takeover import Replica, exit_now
from bot.ports import Run, Workflow

log = structlog.get_logger(__name__)

VERSION = "1"
"""DBOS resumes only runs of its own version; by default that is a hash of the sources, and a deploy would strand every run."""
THREADS = 16
LOOK_OUT_SECONDS = 0.05
LOOK_OUT_SECONDS_PER_RUN = 0.002
"""On SQLite DBOS asks once for each waiting run at each look-out; 300 waiting runs would keep it busy for good."""

T = TypeVar("T")


async def _nothing() -> None:
    return None


class DurableEngine:
    """The durable port. `database_url` of PostgreSQL, or empty: `durable.db` in `data_dir`.

    `on_misfit` and `on_failure` are told of runs that ended badly; `on_takeover`
    is called when the runs of a dead replica were put up again (wake what may
    have missed its signal); `on_lost` ends a replica that was replaced. A step that raises one of `again` is
    tried again: the store says with it that the database is away.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str = "",
        *,
        clock: Clock,
        wrap_run: Callable[[Run], Run] = lambda run: run,
        on_misfit: Told | None = None,
        on_failure: Told | None = None,
        on_takeover: Callable[[], Awaitable[None]] = _nothing,
        on_lost: Callable[[str], None] = exit_now,
        again: tuple[type[Exception], ...] = (),
    ) -> None:
        postgres = database_url.startswith("postgres")
        self._place: JournalOwner = Replica(database_url, on_lost=on_lost) if postgres else Alone(data_dir)
        self._clock = clock
        self._wrap_run = wrap_run
        self._on_takeover = on_takeover
        self._endings = Endings(on_misfit, on_failure)
        self._steps = Steps(self._place.permit, again)
        self._waiting = Waiting(self._pace)
        self._leading = Leading()
        self._stories: dict[str, Workflow] = {}
        self._workflows: dict[str, Callable[..., Coroutine[Any, Any, JsonValue]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def session_name(self) -> str:
        """What all connections of this process to PostgreSQL are to be called: whoever replaces it ends them."""
        return self._place.session_name

    def register(self, name: str, workflow: Workflow) -> None:
        """Make a story known under `name`; before launch."""
        self._stories[name] = workflow

    async def launch(self) -> None:
        """Open the journal in this loop and go on with what was interrupted.

        Raises ConfigurationError when another process owns the data folder.
        """
        await self._place.take(self._take_over, self._leading)
        # Nothing is awaited from here on: a takeover must find DBOS launched.
        quieten()
        self._dbos = DBOS(
            config={
                "name": "tocsin",
                "executor_id": self._place.executor,
                "application_version": VERSION,
                "serializer": JsonSerializer(),
                "log_level": "WARNING",
                "max_executor_threads": THREADS,
                "notification_listener_polling_interval_sec": LOOK_OUT_SECONDS,
                **self._place.journal_settings(),  # type: ignore[typeddict-item]
            }
        )
        self._workflows = {name: self._as_workflow(name, story) for name, story in self._stories.items()}
        # Inside the running loop: else DBOS would run stories on a loop of its own, with our clients on another.
        DBOS.launch()

    def _as_workflow(self, name: str, story: Workflow) -> Callable[..., Coroutine[Any, Any, JsonValue]]:
        # None: a run that waited through a hundred restarts is not a broken one.
        @DBOS.workflow(name=name, max_recovery_attempts=None)
        async def workflow(*args: JsonValue) -> JsonValue:
            id = DBOS.workflow_id or ""
            self._keep(asyncio.current_task())
            run = DurableRun(id, name, clock=self._clock, steps=self._steps, waiting=self._waiting)
            return await self._endings.watch(name, id, story, self._wrap_run(run), *args)

        return workflow

    def _keep(self, task: "asyncio.Task[Any] | None") -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        """Start a story; a second start with the same id attaches to the first and runs nothing."""
        story, arguments = self._workflows[workflow], [plain_json(argument) for argument in args]
        # A process that was replaced would leave a run that nobody takes over.
        await self._place.permit()

        async def begin() -> None:
            with SetWorkflowID(id):
                await DBOS.start_workflow_async(story, *arguments)

        await _outside(begin())

    async def wake(self, id: str, topic: str, *, key: str) -> None:
        """Wake a waiting story; before it waits, the wake is kept for it."""
        try:
            await _outside(DBOS.send_async(id, True, topic, idempotency_key=f"{topic}:{key}"))
        except error.DBOSNonExistentWorkflowError:
            log.debug("nobody to wake", id=id, topic=topic)

    async def result(self, id: str) -> Any:
        """Wait for a run to finish: its result, or WorkflowFailed."""

        async def wait() -> Any:
            handle: Any = await DBOS.retrieve_workflow_async(id)
            return await handle.get_result(polling_interval_sec=LOOK_OUT_SECONDS)

        return await _outside(wait())

    async def journal(self, id: str) -> list[str]:
        """The recorded steps of a run in their order; a wait is `wait_for`."""
        return await _outside(records.journal(id))

    async def pending(self) -> list[str]:
        """The ids of the runs that have not finished, on any replica."""
        return await _outside(records.pending())

    async def finished(self, id: str) -> bool:
        """Whether the run has ended, well or badly; an unknown one has not."""
        return await _outside(records.finished(id))

    async def forget(self, before: datetime) -> int:
        """Delete the runs that ended before a moment; returns how many."""
        return await _outside(records.forget(before))

    def is_leader(self) -> bool:
        """Whether this process sends and ticks; always, on SQLite."""
        return self._leading.is_leader

    def lead(self, callback: Callable[[], None]) -> None:
        """Call back once, when this process has become the leader. It stays leader until it ends."""
        self._leading.when(callback)

    async def permit(self) -> None:
        """Return when this process may begin an effect outside; never, once it was replaced."""
        await self._place.permit()

    def acts_until(self) -> float:
        """The `time.monotonic()` until which an effect outside may still begin; later, another replica may have taken over."""
        return self._place.acts_until()

    async def stop(self, *, within: float) -> None:
        """Let running steps finish for at most `within` seconds, then stop; unfinished stories go on after a restart."""
        if not await self._steps.drain(within):
            log.warning("steps were cut off; they run again after the restart")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # DBOS made its threads the loop's own and ends them now; whoever still needs a thread gets a new one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        await self._place.give_back()

    async def _take_over(self, executor: str) -> None:
        runs = await _outside(records.resume(executor))
        log.info("runs taken over", executor=executor, runs=len(runs))
        await self._on_takeover()

    def _pace(self, waiting: int) -> None:
        if self._place.sqlite:
            # DBOS has no public setting for this once launched; if the field is gone, the look-out stays as it was.
            journal: Any = getattr(self._dbos, "_sys_db", None)
            if hasattr(journal, "_notification_listener_polling_interval_sec"):
                seconds = max(LOOK_OUT_SECONDS, waiting * LOOK_OUT_SECONDS_PER_RUN)
                journal._notification_listener_polling_interval_sec = seconds


async def _outside(call: Coroutine[Any, Any, T]) -> T:
    """Run in a fresh context: called from inside a story or a step, DBOS would make it a part of that story."""
    return await asyncio.create_task(call, context=contextvars.Context())
