"""The tick that asks whether alerts end because all is well, or because nobody evaluates them any more."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.incident import READABLE_FOR
from bot.core.text.untrusted import one_line
from bot.ports import Metrics
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds, WatchedGroup

UNREADABLE_FOR = timedelta(seconds=30)
"""So long Prometheus must not have answered before groups that fire say so: it may only be restarted."""
LATELY = timedelta(minutes=2)
"""Without an answer since the start of this process, an end so fresh is doubted: Alertmanager ends what fires minutes late."""


class EndsTick:
    """`await tick()` is one round. Without metrics there is nobody to ask, and what a source says stands."""

    def __init__(self, ends: UnconfirmedEnds, metrics: Metrics | None) -> None:
        self.ends = ends
        self.metrics = metrics
        self._readable_since: datetime | None = None
        self._unreadable_since: datetime | None = None
        self._answered_at: datetime | None = None
        """What had ended by then has ended: it was confirmed."""

    async def __call__(self) -> None:
        watched = await self.ends.watched() if self.metrics else []
        if self.metrics is None or not watched:
            self._readable_since = self._unreadable_since = self._answered_at = None
            return
        now = self.ends.db.clock()
        if why := await self._problem(self.metrics):
            self._readable_since, self._unreadable_since = None, self._unreadable_since or now
            await self._unreadable(watched, self._unreadable_since, now, why)
        else:
            self._readable_since, self._unreadable_since, self._answered_at = self._readable_since or now, None, now
            await self._readable(
                [group for group in watched if group.unconfirmed_at and not group.unmeasured], self._readable_since, now
            )

    async def _unreadable(self, watched: Sequence[WatchedGroup], since: datetime, now: datetime, why: str) -> None:
        confirmed_until = self._answered_at or now - LATELY
        for group in watched:
            if group.monitoring and not group.unconfirmed_at and group.cleared_at and group.cleared_at > confirmed_until:
                await self.ends.mark(group.number, why)
        firing = [one.number for one in watched if not one.monitoring and not one.unconfirmed_at]
        again = [one.number for one in watched if one.readable_at]
        if (firing or again) and now - since >= UNREADABLE_FOR:
            await self.ends.mark_unreadable([*firing, *again], since)

    async def _readable(self, marked: Sequence[WatchedGroup], since: datetime, now: datetime) -> None:
        """Silence means that nothing fires only after a while."""
        if fresh := [group for group in marked if not group.readable_at]:
            await self.ends.answers_again(fresh, since)
        if not marked or now - since < READABLE_FOR:
            return
        for group in marked:
            if group.monitoring:
                await self.ends.confirm(group.number, since)
        await self.ends.unmark_firing([group.number for group in marked if not group.monitoring])

    @staticmethod
    async def _problem(metrics: Metrics) -> str:
        """Why Prometheus cannot be read; "" if it can."""
        try:
            await metrics.instant("vector(1)")
        except QueryFailed as error:
            return one_line(str(error), 160)
        return ""
