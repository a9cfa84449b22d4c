"""The tick that asks whether alerts ended because all is well, or because nobody evaluates them any more."""

from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.text.untrusted import one_line
from bot.ports import Metrics
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds

READABLE_FOR = timedelta(minutes=3)
"""So long Prometheus must have been readable before silence means that nothing fires: rules wait before they do."""


class EndsTick:
    """`await tick()` is one round. Without metrics there is nobody to ask, and what a source says stands."""

    def __init__(self, ends: UnconfirmedEnds, metrics: Metrics | None) -> None:
        self.ends = ends
        self.metrics = metrics
        self._readable_since: datetime | None = None

    async def __call__(self) -> None:
        if self.metrics is None:
            return
        fresh, marked = await self.ends.unchecked()
        if not (fresh or marked):
            return
        if why := await self._problem(self.metrics):
            self._readable_since = None
            for number in fresh:
                await self.ends.mark(number, why)
            return
        now = self.ends.db.clock()
        self._readable_since = self._readable_since or now
        if now - self._readable_since >= READABLE_FOR:
            for number in marked:
                await self.ends.confirm(number, self._readable_since)

    @staticmethod
    async def _problem(metrics: Metrics) -> str:
        """Why Prometheus cannot be read; "" if it can."""
        try:
            await metrics.instant("vector(1)")
        except QueryFailed as error:
            return one_line(str(error), 160)
        return ""
