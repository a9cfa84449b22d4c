"""The tick that asks whether alerts ended because all is well, or because their service is no longer measured."""

from datetime import datetime, timedelta

from bot.core.errors import QueryFailed
from bot.core.incident import READABLE_FOR
from bot.core.metrics.promql import Matcher, selector
from bot.core.metrics.signals import service_matchers
from bot.core.service import Catalogue
from bot.parallel import answers_or_failures
from bot.ports import Metrics
from bot.store.oversight.unmeasured_ends import EndedAlert, UnmeasuredEnds

LATELY = timedelta(minutes=10)
"""An end is looked at for so long, in case Prometheus does not answer at once."""
_AT_ONCE = 6
_OF_PROMETHEUS = Matcher("__name__", "up|scrape_.*|ALERTS.*", "!~")
"""What Prometheus itself writes about a target stays when the target is gone."""


class UnmeasuredEndsTick:
    """`await tick()` is one round. Without metrics there is nobody to ask, and what a source says stands."""

    def __init__(self, ends: UnmeasuredEnds, catalogue: Catalogue, metrics: Metrics | None) -> None:
        self.ends, self.catalogue, self.metrics = ends, catalogue, metrics
        self._seen: dict[tuple[int, str], datetime] = {}
        """Of which end an answer was had, by group and service."""
        self._measured_since: dict[int, datetime] = {}
        """Since when the service of a marked group is measured again."""

    async def __call__(self) -> None:
        if self.metrics is None:
            return
        now = self.ends.db.clock()
        lately = await self.ends.lately_ended(now - LATELY)
        fresh = [end for end in lately if self._seen.get((end.group, end.service)) != end.cleared_at]
        self._seen = {key: at for key, at in self._seen.items() if at >= now - LATELY}
        for end, measured in await self._read(self.metrics, fresh):
            self._seen[end.group, end.service] = end.cleared_at
            if not measured:
                await self.ends.mark(end)
        marked = await self.ends.marked()
        self._measured_since = {
            end.group: self._measured_since[end.group] for end in marked if end.group in self._measured_since
        }
        for end, measured in await self._read(self.metrics, marked):
            await self._look_again(end, now, measured=measured)

    async def _look_again(self, end: EndedAlert, now: datetime, *, measured: bool) -> None:
        """Rules wait before they fire: that nothing does counts only after a while."""
        if not measured:
            self._measured_since.pop(end.group, None)
        elif now - self._measured_since.setdefault(end.group, now) >= READABLE_FOR:
            await self.ends.confirm(end, self._measured_since[end.group])

    async def _read(self, metrics: Metrics, ended: list[EndedAlert]) -> list[tuple[EndedAlert, bool]]:
        """Each with whether its service is measured; without those of which that could not be asked."""
        answers = await answers_or_failures(lambda end: self._is_measured(metrics, end), ended, at_once=_AT_ONCE)
        pairs = zip(ended, answers, strict=True)
        return [(end, measured) for end, measured in pairs if not isinstance(measured, QueryFailed)]

    async def _is_measured(self, metrics: Metrics, end: EndedAlert) -> bool:
        """Whether any series of the service is left; one that had none when the alert fired is not told by its labels."""
        for matchers in service_matchers(end.service, end.labels, self.catalogue.get(end.service)):
            promql = f"count({selector('', (*matchers, _OF_PROMETHEUS))})"
            if await metrics.instant(promql):
                return True
            if await metrics.instant(promql, at=end.fired_at):
                return False
        return True
