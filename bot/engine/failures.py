"""How a workflow ends badly: it is logged with an id, and people are informed."""

import asyncio
import contextvars
import secrets
from collections.abc import Awaitable, Callable

import structlog
from pydantic import JsonValue

from bot.core.errors import JournalMismatch
from bot.engine.journal_format import ResultFormat, WorkflowFailed
from bot.ports import Run, Workflow

log = structlog.get_logger(__name__)

FailureCallback = Callable[[str, str, str], Awaitable[None]]
"""`await callback(workflow, id, why)`: runs without a journal and may run twice, so it must be idempotent."""


async def _ignore(_workflow: str, _id: str, _why: str) -> None:
    return None


class FailureReporter:
    """Runs workflows and reports those that fail."""

    def __init__(self, on_mismatch: FailureCallback | None = None, on_failure: FailureCallback | None = None) -> None:
        self._on_mismatch = on_mismatch or _ignore
        self._on_failure = on_failure or _ignore

    async def run(self, name: str, id: str, workflow: Workflow, run: Run, *args: JsonValue) -> JsonValue:
        """Run a workflow; its result as plain JSON.

        Whatever it raises is reported and raised again; a JournalMismatch becomes WorkflowFailed.
        """
        try:
            return ResultFormat(workflow).to_json(await workflow(run, *args))
        except JournalMismatch as mismatch:
            log.error("the journal does not fit the workflow", workflow=name, id=id, why=str(mismatch))
            await self._report(self._on_mismatch, name, id, str(mismatch))
            raise WorkflowFailed(f"JournalMismatch: {mismatch}") from mismatch
        except Exception as error:
            log.exception("workflow failed", workflow=name, id=id, error_id=secrets.token_hex(4))
            await self._report(self._on_failure, name, id, f"{type(error).__name__}: {error}")
            raise

    async def _report(self, callback: FailureCallback, name: str, id: str, why: str) -> None:
        # A fresh context: inside the workflow's own, what the callback does would count as a step of it. Everything is
        # caught, because the workflow must end with its own error, not with that of the report.
        async def report() -> None:
            await callback(name, id, why)

        try:
            await asyncio.create_task(report(), context=contextvars.Context())
        except Exception:
            log.exception("a failed workflow could not be reported", workflow=name, id=id, error_id=secrets.token_hex(4))
