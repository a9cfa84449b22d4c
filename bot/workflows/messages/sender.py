"""The sender: makes Slack show the newest state of every message, one task per channel, within Slack's limits."""

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.core.lasting_failures import FailureTracker
from bot.core.messages.content import MessageKind
from bot.store.db.database import UNAVAILABLE
from bot.store.slack.outbox import UNBUDGETED, DueMessage, Outbox
from bot.store.tables import MessageRow
from bot.workflows.messages.delivery import (
    AccessRefused,
    DeliveryLimits,
    LeaseExpired,
    RateLimited,
    Render,
    Rendering,
    SlackPort,
)
from bot.workflows.messages.delivery_health import FailureLog, SlackFailureLog
from bot.workflows.messages.fallback import Fallback, MayFallBack, nothing_may
from bot.workflows.messages.posting import Count, Poster, back_off
from bot.workflows.messages.rate_limit import TokenBucket

log = structlog.get_logger(__name__)

MENTIONING = (MessageKind.CARD, MessageKind.STORM)
"""Kinds whose first post mentions the on-call, where it deserves that when it is rendered."""
_PARENT_LOST = 20
"""Failures of the parent message after which a thread message is posted in the channel."""


class Sender:
    """One task a channel. `run()` until `stop()`; `wake()` after a commit that touched a message."""

    def __init__(
        self,
        outbox: Outbox,
        render: Render,
        slack: SlackPort,
        *,
        default_channel: str = "",
        may_fall_back: MayFallBack = nothing_may,
        limits: DeliveryLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        count: Count = lambda channel, kind, edit: None,
        lease_until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.limits = limits or DeliveryLimits()
        self.outbox, self.render = outbox, render
        self.failures = SlackFailureLog(FailureLog(log, monotonic))
        self.fallback = Fallback(outbox, default_channel, may_fall_back)
        self.poster = Poster(
            outbox,
            slack,
            fallback=self.fallback,
            limits=self.limits,
            monotonic=monotonic,
            sleep=sleep,
            count=count,
            failures=self.failures,
            lease_until=lease_until,
        )
        self._monotonic, self._sleep = monotonic, sleep
        self._outages = FailureTracker()
        self._buckets: dict[str, TokenBucket] = {}
        self._edit_bucket = TokenBucket(self.limits.edits_per_second, self.limits.edit_burst, monotonic)
        self._every_call = TokenBucket(1000, 1000, monotonic)
        self._deferred: dict[str, tuple[int, float]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._commits = 0
        """How often something was committed since the start."""
        self._stopping = False
        self._pause = self.limits.poll
        self._last_round_at = monotonic()

    def wake(self) -> None:
        """Something was committed: check now instead of at the next poll."""
        self._commits += 1
        self._wake.set()

    def age(self) -> float:
        """Seconds since the last round of the loop, for liveness."""
        return self._monotonic() - self._last_round_at

    async def run(self) -> None:
        """Serve until `stop`. Other replicas' commits are seen by polling."""
        while not self._stopping:
            self._wake.clear()
            await self._round()
            self._last_round_at = self._monotonic()
            try:
                async with asyncio.timeout(self._pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def stop(self, *, within: float) -> None:
        """Send what is due for at most `within` seconds, then stop. What is left is sent after a restart."""
        try:
            async with asyncio.timeout(within):
                while await self._round() or self._workers:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            log.info("unsent messages are left for the next start")
        self._stopping = True
        self.wake()
        for worker in list(self._workers.values()):
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def drain(self) -> None:
        """Send everything that is due now, and return: for tests and the command line."""
        while await self._round():
            await asyncio.gather(*self._workers.values())

    async def _round(self) -> bool:
        """Give each channel with something to send a task of its own; True if one was started."""
        started = False
        try:
            edits = self._edit_bucket.whole()
            # In a storm hundreds of messages wait for their channel or for an edit: they are not even read.
            due = await self.outbox.due(without=list(self._workers), edits=edits > 0)
            self._pause = self._pause_after(due, edits)
            for waiting in due:
                if waiting.channel in self._workers or not self._may_be_sent(waiting):
                    continue
                if waiting.ts and waiting.kind not in UNBUDGETED:
                    # Not more channels than edits are left: the others need not even render theirs.
                    if edits < 1:
                        continue
                    edits -= 1
                self._start_worker(waiting.channel)
                started = True
            self._database_answers()
        except UNAVAILABLE as error:
            self._database_is_away(error)
            await self._sleep(1.0)
        except Exception:
            log.exception("the sender's round failed", error_id=secrets.token_hex(4))
            await self._sleep(1.0)
        return started

    def _database_is_away(self, error: Exception) -> None:
        """One line a minute while it is, and no traceback: the state of every message waits there unharmed."""
        if (figures := self._outages.record("database", "", self._monotonic())) is not None:
            log.warning("the sender waits for the database", why=type(error).__name__, **figures)

    def _database_answers(self) -> None:
        if (figures := self._outages.recovered("database", self._monotonic())) is not None:
            log.info("the sender goes on", **figures)

    def _pause_after(self, due: Sequence[DueMessage], edits: int) -> float:
        """Seconds until the next poll, if no commit comes before; `edits` that may be made now."""
        if due or self._workers or not self.outbox.db.sqlite:
            return self.limits.poll
        return self.limits.idle_poll if self.outbox.retries or edits < 1 else self.limits.rest_poll

    def _start_worker(self, channel: str) -> None:
        worker = asyncio.create_task(self._send_all_of(channel), name=f"sender:{channel}")
        self._workers[channel] = worker
        worker.add_done_callback(lambda _: self._workers.pop(channel, None))

    async def _send_all_of(self, channel: str) -> None:
        """Send one channel's messages, the most urgent first, until nothing is due or the database is away."""
        try:
            await self._send_due(channel)
        except UNAVAILABLE as error:
            self._database_is_away(error)

    async def _send_due(self, channel: str) -> None:
        bucket = self._bucket(channel)
        while not self._stopping:
            if (pause := self._every_call.wait()) > 0:
                await self._sleep(pause)
            commits = self._commits
            ready = [waiting for waiting in await self.outbox.due(channel) if self._may_be_sent(waiting)]
            if await self._send_first(ready, bucket, commits):
                continue
            if (pause := bucket.wait()) == 0:
                return
            # Not longer: an edit may come while posts wait for as long as Slack asks.
            await self._sleep(min(pause, 1.0))

    async def _send_first(self, ready: Sequence[DueMessage], bucket: TokenBucket, commits: int) -> bool:
        """Send the first that Slack would take now; False if there is none. A post that has to wait keeps no edit back.

        True also where the list is to be read anew: in a storm most of it turns out to be shown already, one after the
        other, and a critical card that came meanwhile would wait for all of them. `commits`: how many it was read after.
        """
        read_at = self._monotonic()
        for waiting in ready:
            if waiting.ts == "" and bucket.wait() > 0:
                continue
            if await self._send(*await self.outbox.with_parent(waiting.key), bucket):
                return True
            if self._commits != commits or self._monotonic() - read_at >= self.limits.poll:
                return True
        return False

    def _bucket(self, channel: str) -> TokenBucket:
        if channel not in self._buckets:
            if len(self._buckets) > 2000:
                self._buckets = {name: bucket for name, bucket in self._buckets.items() if not bucket.idle}
            self._buckets[channel] = TokenBucket(1 / self.limits.per_channel, self.limits.burst, self._monotonic)
        return self._buckets[channel]

    def _may_be_sent(self, waiting: DueMessage) -> bool:
        """Whether it may be sent now: the parent message is posted, and its edit was not put off at this very revision."""
        if waiting.parent_ts == "" and not waiting.follows_withheld and (waiting.parent_failures or 0) < _PARENT_LOST:
            return False
        if waiting.ts and waiting.kind not in UNBUDGETED and self._edit_bucket.wait() > 0:
            return False
        rev, until = self._deferred.get(waiting.key, (0, 0.0))
        if rev == waiting.wanted_rev and self._monotonic() < until:
            return False
        self._deferred.pop(waiting.key, None)
        return True

    async def _send(self, row: MessageRow, parent: MessageRow | None, bucket: TokenBucket) -> bool:
        """Bring one message up to date; True if Slack was called. An error of one message never stops the channel."""
        try:
            return await self._post_or_edit(row, parent, bucket)
        except RateLimited as error:
            (self._edit_bucket if row.ts else bucket).block(error.seconds)
            self.failures.record(error, channel=row.channel, key=row.key, doing="edit" if row.ts else "post")
        except LeaseExpired as error:
            self._every_call.block(0.5)
            self.failures.record(error, channel=row.channel, key=row.key, doing="send")
        except AccessRefused as error:
            self._every_call.block(10.0)
            self.failures.record(error, channel=row.channel, key=row.key, doing="send")
        except Exception:
            log.exception("a message was not sent", key=row.key, error_id=secrets.token_hex(4))
            await self.outbox.retry_unconfirmed(row.key, retry_in=back_off(row.failures))
        return True

    async def _post_or_edit(self, row: MessageRow, parent: MessageRow | None, bucket: TokenBucket) -> bool:
        if await self.fallback.withheld_with_card(row, parent) or await self.fallback.withdrawn(row, parent):
            return True
        noted = not row.ts and row.attempted_at is None and row.kind in MENTIONING
        if noted:
            # Before it is rendered: what deserves a mention from now on gets a line of its own, what did before stands in it.
            await self.poster.note_attempt(row)
        rendering = await self.render(row)
        if rendering is None or (row.ts and self.poster.is_unchanged(row, rendering)):
            await self.outbox.unchanged(row.key, row.wanted_rev, attempted=not noted)
            return False
        if not row.ts:
            try:
                await self.poster.post(row, parent if parent and parent.ts else None, rendering)
            finally:
                # Slack counts when it gets a post: after one that was long on its way the next ones would come too soon.
                bucket.take()
            return True
        if (seconds := self._edit_delay(row, rendering)) > 0:
            self._deferred[row.key] = (row.wanted_rev, self._monotonic() + seconds)
            return False
        # Slack counts edits over the whole workspace, and posts in each channel: neither takes the other's place.
        self._edit_bucket.take()
        await self.poster.edit(row, rendering)
        return True

    def _edit_delay(self, row: MessageRow, rendering: Rendering) -> float:
        """Seconds this edit has to wait: counts are refreshed less and less often, and edits share one budget."""
        budget = 0.0 if row.kind in UNBUDGETED else self._edit_bucket.wait()
        if row.sent_at is None:
            return budget
        since = (self.outbox.db.clock() - row.sent_at).total_seconds()
        return max(budget, self._edit_gap(row, rendering) - since)

    def _edit_gap(self, row: MessageRow, rendering: Rendering) -> float:
        """Seconds to leave after the edit before; longer while few are left, so that every cause gets one soon."""
        limits, scarce = self.limits, self._edit_bucket.whole() < self.limits.edit_burst / 2
        gap = 0.0
        if row.kind == MessageKind.TRIAGE:
            gap = limits.scarce_gap if scarce else limits.triage_gap
        if self.poster.is_minor(row, rendering):
            gap = max(gap, limits.gap(row.edits), limits.scarce_counts_gap if scarce else 0.0)
        return gap
