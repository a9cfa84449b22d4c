"""The tick that pages: unacknowledged alerts, refused messages, silent heartbeats, unknown outcomes, alarms of the auditor."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.core.alerts.heartbeat import HeartbeatKey, is_missed
from bot.core.config import Config
from bot.core.errors import PagerFailed
from bot.core.messages.withheld import refusal_text
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock_of_day
from bot.ports import Pager
from bot.store.oversight.auditor import alarms
from bot.store.oversight.pages import Pages
from bot.store.oversight.paging import PagingQueries
from bot.store.tables import HeartbeatRow
from bot.workflows.messages.delivery_health import FailureLog
from bot.workflows.reminders import Reminders

log = structlog.get_logger(__name__)
AUDIT_AFTER = timedelta(seconds=60)
"""A stored alert has everything it should have by then."""
PAGE_REFUSED_FOR = timedelta(hours=1)
"""How long a message that Slack refuses is worth a page: later, people have long found another way."""


class PagerTick:
    """Decides which pages should be open, and sends them; what nobody acknowledges is reminded of in Slack too."""

    def __init__(self, pages: Pages, watch: PagingQueries, pager: Pager | None, config: Config, reminders: Reminders) -> None:
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
            why = refusal_text(row.undelivered.partition(";")[0])
            summary = (
                f"{row.subject} is not in Slack: it refuses channel {row.channel or '(none configured)'}, because {why}; "
                "check it and default_channel; `tocsin incidents` shows what is open"
            )
            await self.pages.open(key, summary, "SEV2")
        for key in open_pages:
            if key not in refused:
                await self.pages.clear(key)

    async def _heartbeats(self, open_pages: Sequence[str]) -> None:
        # Without a rule that always fires nothing is missed, and this is looked at every ten seconds.
        stored = await self.watch.heartbeats() if self.config.heartbeats else ()
        rows = {HeartbeatKey.parse(row.key): row for row in stored}
        last_seen_at, now = {key: row.last_seen_at for key, row in rows.items()}, self.watch.db.clock()
        forgotten = {f"heartbeat:{key.stored}" for key in rows if key.is_forgotten(last_seen_at, now)}
        watched = {f"heartbeat:{key.stored}": (key, row) for key, row in rows.items() if self._is_watched(key)}
        silent = {name: (key, row) for name, (key, row) in watched.items() if self._missed(row, is_open=name in open_pages)}
        missed = {name: one for name, one in silent.items() if name not in forgotten}
        for name, (key, row) in missed.items():
            summary = f"{row.key} is silent since {clock_of_day(row.last_seen_at, now)}: its monitoring may be down"
            await self.pages.open(name, summary, "SEV3")
            await self.reminders.silent(name, key, row.last_seen_at)
        for name in open_pages:
            if name not in missed:
                resumed_at = watched[name][1].last_seen_at if name in watched and name not in silent else None
                await self.reminders.silence_over(name, HeartbeatKey.parse(name.removeprefix("heartbeat:")), resumed_at)
                await self.pages.clear(name)

    def _is_watched(self, key: HeartbeatKey) -> bool:
        """Whether its rule and its source are still configured."""
        return key.rule in self.config.heartbeats and key.source in self.config.sources

    def _missed(self, row: HeartbeatRow, *, is_open: bool) -> bool:
        """Whether its source ended it, or it is silent for too long.

        `is_open`: its page is, so that it is over only once it comes again: a restart of this process is no sign.
        """
        silence = self.watch.db.clock() - (row.last_seen_at if is_open else max(row.last_seen_at, self.since))
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
        missing = await alarms(self.watch.db, AUDIT_AFTER)
        if missing:
            self._failures.record("auditor", "auditor alarm", kind="", level="error", alarms=missing)
            await self.pages.open("auditor", "Tocsin's own check failed: " + "; ".join(missing), "SEV2")
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
