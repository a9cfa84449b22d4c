"""Ticks: what they are, how often each comes, and those that close, renew and delete what is over.

A tick is a workflow of one step where several replicas share a database: the schedule gives each slot one id, so that it runs
once. On SQLite one process ticks, and nothing is left of a tick that a restart would have to finish: its next slot does.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.core.config import Config
from bot.ports import Engine, Run, Workflow
from bot.store.alerts import groups
from bot.store.answers.postmortems import Postmortems
from bot.store.db.database import Database
from bot.store.oversight.clock import follow_clock
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.retention.pruning import Pruning
from bot.store.triage.attempts import RetryDue
from bot.store.triage.changes_during_outage import ChangesDuringOutages
from bot.workflows.postmortem import start_due_drafts
from bot.workflows.rotas import Rotas

log = structlog.get_logger(__name__)

Tick = Callable[[], Awaitable[object]]
KEEP_TICKS = timedelta(hours=1)
"""Ticks make about 26,000 runs a day, and a slot that is over never comes again."""
TICK_PREFIX = "tick:"


def logged(name: str, tick: Tick) -> Tick:
    """The tick, whose errors are logged with an id: the next slot tries again."""

    async def once() -> None:
        try:
            await tick()
        except Exception:
            log.exception("tick failed", tick=name, error_id=secrets.token_hex(4))

    return once


def as_workflow(name: str, tick: Tick) -> Workflow:
    """A tick as a workflow of one step."""
    once = logged(name, tick)

    async def step() -> None:
        await once()

    async def workflow(run: Run) -> None:
        await run.step(name, step)

    return workflow


class Retries(Protocol):
    """Finds the groups whose causes should be ranked anew, for one reason."""

    async def due(self) -> Sequence[RetryDue]: ...


class HousekeepingTick:
    """Ends what is over, and starts the workflows that nobody requested."""

    def __init__(self, config: Config, postmortems: Postmortems, retries: Sequence[Retries], engine: Engine) -> None:
        """`retries`: what finds groups to attempt anew; of those for one group the first counts."""
        self.config = config
        self.postmortems = postmortems
        self.retries = retries
        self.engine = engine
        self.changes = ChangesDuringOutages(postmortems.db)

    async def __call__(self) -> None:
        db = self.postmortems.db
        unfinished = await groups.any_unfinished(db)
        if unfinished:
            await close_quiet_groups(db, self.config.close_after)
            await groups.end_storms(db, self.config)
            await groups.end_flapping(db)
        await start_due_drafts(self.postmortems, self.engine)
        if unfinished:
            await self.changes.record()
            await self._retry_triages()

    async def _retry_triages(self) -> None:
        """Start every new attempt that is due."""
        started: set[str] = set()
        for retries in self.retries:
            for due in [retry for retry in await retries.due() if retry.group not in started]:
                # The id is that of the attempt, so a second start is harmless.
                id = f"triage:{due.group}:{due.attempt}"
                await self.engine.start("triage", id, due.group, due.attempt, due.question, due.requester, list(due.changes))
                started.add(due.group)


class RotaTick:
    """Renews the copies of rotas: on a quiet day nothing else reads them."""

    def __init__(self, rotas: Rotas) -> None:
        self.rotas = rotas

    async def __call__(self) -> None:
        await self.rotas.roster()


class ClockTick:
    """Follows a machine's clock that was set forward, while no proposal waits."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def __call__(self) -> None:
        await follow_clock(self.db)


class RetentionTick:
    """Deletes what is over for good: rows, and the journals of workflows that ended."""

    def __init__(self, pruning: Pruning, forget: Callable[[datetime, str], Awaitable[object]]) -> None:
        """`forget` drops the journals of workflows that ended before a moment and whose id begins so."""
        self.pruning = pruning
        self.forget = forget

    async def __call__(self) -> None:
        now = self.pruning.db.clock()
        await self.forget(now - KEEP_TICKS, TICK_PREFIX)
        await self.forget(now - self.pruning.retention.journal, "")
        await self.pruning()


EVERY = {
    "quiet": timedelta(seconds=5),
    "pager": timedelta(seconds=10),
    "heartbeat": timedelta(seconds=60),
    "clock": timedelta(minutes=1),
    "policy": timedelta(minutes=1),
    "rotas": timedelta(hours=1),
    "tidy": timedelta(minutes=10),
    "learning": timedelta(minutes=1),
    "stale": timedelta(minutes=1),
    "ends": timedelta(seconds=10),
    "measured": timedelta(seconds=15),
    "resolved": timedelta(minutes=1),
    "topology": timedelta(minutes=30),
    "heads": timedelta(minutes=5),
    "reviews": timedelta(minutes=30),
    "standing": timedelta(seconds=10),
}
"""How often each tick comes."""
