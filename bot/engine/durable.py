"""Engine on DBOS: workflows that go on after kill -9, on SQLite (alone) or PostgreSQL (several replicas).

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

from bot.engine import recorded_runs
from bot.engine.data_folder import DataFolder
from bot.engine.dbos_setup import JsonSerializer, quieten, slow_down
from bot.engine.durable_run import Clock, DurableRun, Waiting
from bot.engine.failures import FailureCallback, FailureReporter
from bot.engine.journal_format import plain_json
from bot.engine.journal_owner import JournalOwner, Leadership
from bot.engine.replica import Replica, exit_now
from bot.engine.steps import Steps
from bot.ports import Run, Workflow

log = structlog.get_logger(__name__)

VERSION = "1"
"""DBOS resumes only runs of its own version; by default that is a hash of the sources, and a deploy would strand every run."""
THREADS = 16
POLL_SECONDS = 0.05
POLL_SECONDS_PER_RUN = 0.002
"""On SQLite DBOS makes one query for each waiting run at each poll; 300 waiting runs would keep it busy all the time."""

T = TypeVar("T")


async def _nothing() -> None:
    return None


class DurableEngine:
    """The durable port. `database_url` of PostgreSQL, or empty: `durable.db` in `data_dir`.

    `on_mismatch` and `on_failure` are called for runs that ended badly; `on_takeover`
    when the runs of a dead replica were resumed (to wake what may have missed its
    signal); `on_lost` ends a replica that was replaced. A step that raises an error in
    `retry_on` is run again: the store raises it while the database is away.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str = "",
        *,
        clock: Clock,
        wrap_run: Callable[[Run], Run] = lambda run: run,
        on_mismatch: FailureCallback | None = None,
        on_failure: FailureCallback | None = None,
        on_takeover: Callable[[], Awaitable[None]] = _nothing,
        on_lost: Callable[[str], None] = exit_now,
        retry_on: tuple[type[Exception], ...] = (),
    ) -> None:
        postgres = database_url.startswith("postgres")
        self._owner: JournalOwner = Replica(database_url, on_lost=on_lost) if postgres else DataFolder(data_dir)
        self._clock = clock
        self._wrap_run = wrap_run
        self._on_takeover = on_takeover
        self._failures = FailureReporter(on_mismatch, on_failure)
        self._steps = Steps(self._owner.permit, retry_on)
        self._waiting = Waiting(self._slow_down_polling)
        self._leadership = Leadership()
        self._workflows: dict[str, Workflow] = {}
        self._dbos_workflows: dict[str, Callable[..., Coroutine[Any, Any, JsonValue]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def session_name(self) -> str:
        """The name of all connections of this process to PostgreSQL: a process that replaces it ends them by this name."""
        return self._owner.session_name

    def register(self, name: str, workflow: Workflow) -> None:
        """Make a workflow known under `name`; before launch."""
        self._workflows[name] = workflow

    async def launch(self) -> None:
        """Open the journal in this loop and go on with what was interrupted.

        Raises ConfigurationError when another process owns the data folder.
        """
        await self._owner.acquire(self._take_over, self._leadership)
        # Nothing is awaited from here on: a takeover must find DBOS launched.
        quieten()
        self._dbos = DBOS(
            config={
                "name": "tocsin",
                "executor_id": self._owner.executor,
                "application_version": VERSION,
                "serializer": JsonSerializer(),
                "log_level": "WARNING",
                "max_executor_threads": THREADS,
                "notification_listener_polling_interval_sec": POLL_SECONDS,
                **self._owner.journal_settings(),  # type: ignore[typeddict-item]
            }
        )
        self._dbos_workflows = {name: self._as_dbos(name, workflow) for name, workflow in self._workflows.items()}
        if self._owner.sqlite:
            slow_down(self._dbos)
        # Inside the running loop: else DBOS would run workflows on a loop of its own, with our clients on another.
        DBOS.launch()

    def _as_dbos(self, name: str, function: Workflow) -> Callable[..., Coroutine[object, object, JsonValue]]:
        # None: a run that waited through a hundred restarts is not broken.
        @DBOS.workflow(name=name, max_recovery_attempts=None)
        async def workflow(*args: JsonValue) -> JsonValue:
            id = DBOS.workflow_id or ""
            self._keep(asyncio.current_task())
            run = DurableRun(id, name, clock=self._clock, steps=self._steps, waiting=self._waiting)
            return await self._failures.run(name, id, function, self._wrap_run(run), *args)

        return workflow

    def _keep(self, task: "asyncio.Task[Any] | None") -> None:
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def start(self, workflow: str, id: str, *args: JsonValue) -> None:
        """Start a workflow; a second start with the same id attaches to the first and runs nothing."""
        function, arguments = self._dbos_workflows[workflow], [plain_json(argument) for argument in args]
        # A run that was started by a process that is replaced already would be taken over by nobody.
        await self._owner.permit()

        async def begin() -> None:
            with SetWorkflowID(id):
                await DBOS.start_workflow_async(function, *arguments)

        await _outside(begin())

    async def wake(self, id: str, topic: str, *, key: str) -> None:
        """Wake a waiting run; a signal that comes before the wait is kept for it."""
        try:
            await _outside(DBOS.send_async(id, True, topic, idempotency_key=f"{topic}:{key}"))
        except error.DBOSNonExistentWorkflowError:
            log.debug("no such run to wake", id=id, topic=topic)

    async def result(self, id: str) -> object:
        """Wait for a run to finish: its result, or WorkflowFailed."""

        async def wait() -> object:
            handle: Any = await DBOS.retrieve_workflow_async(id)
            return await handle.get_result(polling_interval_sec=POLL_SECONDS)

        return await _outside(wait())

    async def journal(self, id: str) -> list[str]:
        """The recorded steps of a run in their order; a wait is `wait_for`."""
        return await _outside(recorded_runs.journal(id))

    async def pending(self) -> list[str]:
        """The ids of the runs that have not finished, on any replica."""
        return await _outside(recorded_runs.pending())

    async def finished(self, id: str) -> bool:
        """Whether the run has ended, well or badly; an unknown one has not."""
        return await _outside(recorded_runs.finished(id))

    async def forget(self, before: datetime, prefix: str = "") -> int:
        """Delete the runs that ended before a moment and whose id begins so; returns how many."""
        return await _outside(recorded_runs.forget(before, prefix))

    def is_leader(self) -> bool:
        """Whether this process sends and ticks; always, on SQLite."""
        return self._leadership.is_leader

    def lead(self, callback: Callable[[], None]) -> None:
        """Call back once, when this process has become the leader. It stays leader until it ends."""
        self._leadership.on_acquired(callback)

    async def permit(self) -> None:
        """Return when this process may begin an effect on the outside world; never, once it was replaced."""
        await self._owner.permit()

    def lease_until(self) -> float:
        """The `time.monotonic()` until which an effect may still begin; later, another replica may have taken over."""
        return self._owner.lease_until()

    async def stop(self, *, within: float) -> None:
        """Let running steps finish for at most `within` seconds, then stop; unfinished workflows go on after a restart."""
        if not await self._steps.drain(within):
            log.warning("running steps were interrupted; they run again after the restart")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # DBOS made its threads the loop's default executor and ends them now; others still need one.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        await self._owner.release()

    async def _take_over(self, executor: str) -> None:
        runs = await _outside(recorded_runs.resume(executor))
        log.info("runs taken over", executor=executor, runs=len(runs))
        await self._on_takeover()

    def _slow_down_polling(self, waiting: int) -> None:
        if self._owner.sqlite:
            # DBOS has no public setting for this once launched; if the field is gone, polling stays as it was.
            journal: Any = getattr(self._dbos, "_sys_db", None)
            if hasattr(journal, "_notification_listener_polling_interval_sec"):
                seconds = max(POLL_SECONDS, waiting * POLL_SECONDS_PER_RUN)
                journal._notification_listener_polling_interval_sec = seconds


async def _outside(call: Coroutine[object, object, T]) -> T:
    """Run in a fresh context: called from inside a workflow or a step, DBOS would make it a part of that workflow."""
    return await asyncio.create_task(call, context=contextvars.Context())
