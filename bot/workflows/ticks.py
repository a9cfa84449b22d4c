"""The ticks: quiet groups close, pages go out, heartbeats are watched, an auditor checks the rest.

A tick is a workflow of one step where several replicas share a database: the schedule gives each slot one id, so that it runs
once. On SQLite one process ticks, and nothing is left of a tick that a restart would have to finish: its next slot does.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.core.alerts.heartbeat import is_missed
from bot.core.config import Config
from bot.core.errors import PagerFailed
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock
from bot.ports import Engine, Pager, Run, Workflow
from bot.store.alerts import groups
from bot.store.answers.postmortems import Postmortems
from bot.store.db.database import Database
from bot.store.oversight.clock import follow_clock
from bot.store.oversight.pages import Pages
from bot.store.oversight.quiet_groups import close_quiet_groups
from bot.store.oversight.watch import OversightQueries
from bot.store.retention.pruning import Pruning
from bot.store.tables import HeartbeatRow
from bot.store.triage.attempts import RetryDue
from bot.store.triage.changes_during_outage import ChangesDuringOutages
from bot.workflows.messages.delivery_health import FailureLog
from bot.workflows.postmortem import start_due_drafts
from bot.workflows.reminders import Reminders
from bot.workflows.rotas import Rotas

log = structlog.get_logger(__name__)

Tick = Callable[[], Awaitable[object]]
AUDIT_AFTER = timedelta(seconds=60)
"""A stored alert has everything it should have by then."""
KEEP_TICKS = timedelta(hours=1)
"""Ticks make about 26,000 runs a day, and a slot that is over never comes again."""
TICK_PREFIX = "tick:"
PAGE_REFUSED_FOR = timedelta(hours=1)
"""How long a message that Slack refuses is worth a page: later, people have long found another way."""


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


class PagerTick:
    """Decides which pages should be open, and sends them; what nobody acknowledges is reminded of in Slack too."""

    def __init__(
        self, pages: Pages, watch: OversightQueries, pager: Pager | None, config: Config, reminders: Reminders
    ) -> None:
        self.pages = pages
        self.watch = watch
        self.pager = pager
        self.config = config
        self.reminders = reminders
        self.since = watch.db.clock()
        """What happened before the start of this process is not counted against anybody."""
        self._failures = FailureLog(log, lambda: watch.db.clock().timestamp())

    async def __call__(self) -> None:
        open_pages = await self.pages.open_keys()
        await self._unacknowledged(_beginning(open_pages, "ack:"))
        await self._slack(open_pages)
        await self._refused(_beginning(open_pages, "refused:"))
        await self._heartbeats(_beginning(open_pages, "heartbeat:"))
        await self._unknown(_beginning(open_pages, "unknown:"))
        await self._auditor(open_pages)
        await self.send()

    async def _unacknowledged(self, open_pages: Sequence[str]) -> None:
        unacknowledged = await self.watch.unacknowledged(self.config.pager.unacknowledged_after)
        for group in unacknowledged:
            waited = elapsed_text(self.config.pager.unacknowledged_after)
            summary = f"{group.severity} {group.service or 'unknown service'}: {group.title} — not acknowledged for {waited}"
            await self.pages.open(f"ack:{group.ref}", summary, group.severity, group=group.ref)
        await self.reminders.remind(unacknowledged)
        waiting = await self.watch.unacknowledged_keys() if open_pages else ()
        for key in open_pages:
            if key.removeprefix("ack:") not in waiting:
                await self.pages.clear(key)

    async def _slack(self, open_pages: Sequence[str]) -> None:
        oldest = await self.watch.oldest_undelivered()
        late = oldest is not None and self.watch.db.clock() - oldest > self.config.pager.slack_down_after
        if late:
            summary = "Slack does not take messages; incidents go on: see `tocsin incidents`"
            await self.pages.open("slack", summary, "SEV2")
        elif "slack" in open_pages:
            await self.pages.clear("slack")

    async def _refused(self, open_pages: Sequence[str]) -> None:
        """Messages that Slack refuses for good: one page for each channel, cleared when they are posted or old."""
        refused = {
            f"refused:{row.channel}": row
            for row in await self.watch.refused_messages(self.config.pager.slack_down_after, PAGE_REFUSED_FOR)
        }
        for key, row in refused.items():
            details = {"channel": row.channel, "subject": row.subject, "why": row.undelivered}
            self._failures.record(key, "Slack refuses a message", kind=row.undelivered, level="error", **details)
            summary = (
                f"{row.subject} is not in Slack: it refuses channel {row.channel or '(none configured)'} "
                f"({row.undelivered}); check it and default_channel; `tocsin incidents` shows what is open"
            )
            await self.pages.open(key, summary, "SEV2")
        for key in open_pages:
            if key not in refused:
                await self.pages.clear(key)

    async def _heartbeats(self, open_pages: Sequence[str]) -> None:
        # Without a rule that always fires nothing is missed, and this is looked at every ten seconds.
        rows = await self.watch.heartbeats() if self.config.heartbeats else ()
        missed = {f"heartbeat:{row.key}": row for row in rows if self._missed(row)}
        for key, row in missed.items():
            summary = f"{row.key} is silent since {clock(row.last_seen_at)}: its monitoring may be down"
            await self.pages.open(key, summary, "SEV3")
            await self.reminders.silent(key, row.key, row.last_seen_at)
        for key in open_pages:
            if key not in missed:
                await self.reminders.resumed(key, key.removeprefix("heartbeat:"))
                await self.pages.clear(key)

    def _missed(self, row: HeartbeatRow) -> bool:
        """Of a rule and a source that are still configured: its source ended it, or it is silent for too long."""
        source, _, rule = row.key.partition(":")
        if rule not in self.config.heartbeats or source not in self.config.sources:
            return False
        silence = self.watch.db.clock() - max(row.last_seen_at, self.since)
        return row.missed or is_missed(row.rhythm, silence, self.config.heartbeat_every)

    async def _unknown(self, open_pages: Sequence[str]) -> None:
        """The claim pages when an outcome is unknown, in its own transaction; here that ends."""
        for key in open_pages:
            if await self.watch.needs_no_check(key.removeprefix("unknown:")):
                await self.pages.clear(key)

    async def _auditor(self, open_pages: Sequence[str]) -> None:
        if self.watch.db.clock() - self.since < AUDIT_AFTER:
            # What a restart interrupted is being caught up with.
            return
        alarms = await self.watch.alarms(AUDIT_AFTER)
        if alarms:
            self._failures.record("auditor", "auditor alarm", kind="", level="error", alarms=alarms)
            await self.pages.open("auditor", "Tocsin's own check failed: " + "; ".join(alarms), "SEV2")
        else:
            self._failures.recovered("auditor", "the auditor finds nothing any more")
            if "auditor" in open_pages:
                await self.pages.clear("auditor")

    async def send(self) -> None:
        """Send what is due; a page that is not taken stays."""
        for row in await self.pages.due():
            if self.pager is None:
                if row.wanted == "open":
                    log.error("page without a pager", key=row.key, summary=row.summary)
                else:
                    log.info("a page without a pager is over", key=row.key, summary=row.summary)
                await self.pages.sent(row.key, row.wanted)
                continue
            try:
                if row.wanted == "open":
                    await self.pager.page(key=row.key, summary=row.summary, severity=row.severity, details=row.details)
                else:
                    await self.pager.clear(key=row.key)
            except PagerFailed as error:
                log.error("page not taken", key=row.key, why=str(error))
                await self.pages.failed(row.key)
            else:
                await self.pages.sent(row.key, row.wanted)


def _beginning(keys: Sequence[str], prefix: str) -> Sequence[str]:
    return [key for key in keys if key.startswith(prefix)]


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
    "topology": timedelta(minutes=30),
    "heads": timedelta(minutes=5),
    "reviews": timedelta(minutes=30),
    "standing": timedelta(seconds=10),
}
"""How often each tick comes."""
