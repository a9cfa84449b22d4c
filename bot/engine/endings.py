"""How a story ends badly: logged with its id, and people are told."""

import asyncio
import contextvars
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from pydantic import JsonValue

from bot.core.errors import JournalMismatch
from bot.engine.journal_format import ResultFormat, WorkflowFailed
from bot.ports import Run, Workflow

log = structlog.get_logger(__name__)

Told = Callable[[str, str, str], Coroutine[Any, Any, None]]
"""`async def told(workflow, id, why)`: runs without a journal and may run twice, so it must be idempotent."""


async def _nobody(_workflow: str, _id: str, _why: str) -> None:
    return None


class Endings:
    """Watches a story to its end."""

    def __init__(self, on_misfit: Told | None = None, on_failure: Told | None = None) -> None:
        self._on_misfit = on_misfit or _nobody
        self._on_failure = on_failure or _nobody

    async def watch(self, name: str, id: str, workflow: Workflow, run: Run, *args: JsonValue) -> JsonValue:
        """Run a workflow; its result as plain JSON.

        Whatever it raises is reported and raised again; a JournalMismatch becomes WorkflowFailed.
        """
        try:
            return ResultFormat(workflow).to_json(await workflow(run, *args))
        except JournalMismatch as misfit:
            log.error("journal misfit", workflow=name, id=id, why=str(misfit))
            await self._tell(self._on_misfit, name, id, str(misfit))
            raise WorkflowFailed(f"JournalMismatch: {misfit}") from misfit
        except Exception as error:
            log.exception("story failed", workflow=name, id=id, error_id=secrets.token_hex(4))
            await self._tell(self._on_failure, name, id, f"{type(error).__name__}: {error}")
            raise

    async def _tell(self, told: Told, workflow: str, id: str, why: str) -> None:
        # A fresh context: inside the story's own, what is told would count as a step of the story. Caught whatever it is,
        # because the story must end with its own error, not with that of telling.
        try:
            await asyncio.create_task(told(workflow, id, why), context=contextvars.Context())
        except Exception:
            log.exception("nobody could be told of a failed story", workflow=workflow, id=id, error_id=secrets.token_hex(4))
