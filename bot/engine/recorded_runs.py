"""What DBOS has recorded: which runs go on, which have ended, and their steps."""

import asyncio
from datetime import datetime

from dbos import DBOS

from bot.engine.durable_run import TIMER, WAIT, WAIT_NAME

UNFINISHED = ["PENDING", "ENQUEUED", "DELAYED"]
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
BATCH = 200
"""Runs deleted in one transaction; SQLite allows no other writer meanwhile."""
PAUSE_SECONDS = 0.02
"""Between two of them: the steps of other workflows are written in it."""


async def journal(id: str) -> list[str]:
    """The recorded steps of a run in their order; a wait is `wait_for`."""
    steps = await DBOS.list_workflow_steps_async(id, load_output=False)
    names = [step["function_name"] for step in sorted(steps, key=lambda step: step["function_id"])]
    return [WAIT_NAME if name == WAIT else name for name in names if name != TIMER]


async def pending() -> list[str]:
    """The ids of the runs that have not finished, oldest first."""
    runs = await DBOS.list_workflows_async(status=UNFINISHED, load_input=False, load_output=False)
    return [run.workflow_id for run in runs]


async def finished(id: str) -> bool:
    """Whether the run has ended, well or badly; an unknown one has not."""
    status = await DBOS.get_workflow_status_async(id)
    return status is not None and status.status in ENDED


async def forget(before: datetime, prefix: str = "") -> int:
    """Delete the runs that ended before a moment, journal and wakes included; returns how many."""
    count = 0
    while True:
        old = await DBOS.list_workflows_async(
            status=ENDED,
            completed_before=before.isoformat(),
            workflow_id_prefix=prefix or None,
            limit=BATCH,
            load_input=False,
            load_output=False,
        )
        if old:
            await DBOS.delete_workflows_async([run.workflow_id for run in old])
            count += len(old)
        if len(old) < BATCH:
            return count
        await asyncio.sleep(PAUSE_SECONDS)


async def resume(executor: str) -> list[str]:
    """Put the unfinished runs of a dead process up for whoever is alive; returns their ids."""
    runs = await DBOS.list_workflows_async(status="PENDING", executor_id=executor, load_input=False, load_output=False)
    for run in runs:
        await DBOS.resume_workflow_async(run.workflow_id)
    return [run.workflow_id for run in runs]
