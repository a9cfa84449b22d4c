"""The tick that asks whether alerts ended because all is well, or because their service is no longer measured."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product

from bot.core.errors import QueryFailed
from bot.core.incident import READABLE_FOR
from bot.core.metrics.promql import Matcher, selector
from bot.core.metrics.signals import service_matchers
from bot.core.service import Catalogue
from bot.parallel import answers_or_failures
from bot.ports import Metrics
from bot.store.oversight.unmeasured_ends import ClearedGroup, EndedAlert, UnmeasuredEnds

LATELY = timedelta(minutes=10)
"""An end is looked at for so long, in case Prometheus does not answer at once."""
SCRAPED_WITHIN = timedelta(minutes=2)
"""A Prometheus that is started anew has no series before its first scrapes."""
MAX_GROUPS = 50
"""Groups that cleared of which one round asks; the next ones ask of the others."""
_AT_ONCE = 6
_OF_SERVICE = Matcher("__name__", "up|scrape_.*|ALERTS.*", "!~")
"""Without what Prometheus itself writes about a target, which stays when its process is gone."""
_OF_TARGET = Matcher("__name__", "up")
"""All that is left of a target that could not be scraped when its alert fired."""


class UnmeasuredEndsTick:
    """`await tick()` is one round. Without metrics there is nobody to ask, and what a source says stands."""

    def __init__(self, ends: UnmeasuredEnds, catalogue: Catalogue, metrics: Metrics | None) -> None:
        self.ends, self.catalogue, self.metrics = ends, catalogue, metrics
        self._seen: dict[int, datetime] = {}
        """Of which end an answer was had, by group."""
        self._measured_since: dict[int, datetime] = {}
        """Since when the services of a marked group are measured again."""

    async def __call__(self) -> None:
        if self.metrics is None:
            return
        now = self.ends.db.clock()
        lately = await self.ends.lately_cleared(now - LATELY, readable_since=now - SCRAPED_WITHIN)
        fresh = [group for group in lately if self._seen.get(group.number) != group.cleared_at][:MAX_GROUPS]
        self._seen = {number: at for number, at in self._seen.items() if at >= now - LATELY}
        for group, unmeasured in await self._read(self.metrics, fresh):
            if unmeasured:
                await self.ends.mark(group, unmeasured[0])
            self._seen[group.number] = group.cleared_at
        marked = await self.ends.marked()
        numbers = {group.number for group in marked}
        self._measured_since = {number: at for number, at in self._measured_since.items() if number in numbers}
        for group, unmeasured in await self._read(self.metrics, marked):
            await self._look_again(group, now, unmeasured)

    async def _look_again(self, group: ClearedGroup, now: datetime, unmeasured: Sequence[str]) -> None:
        """Rules wait before they fire: that nothing does counts only after a while."""
        if unmeasured:
            self._measured_since.pop(group.number, None)
            if group.unmeasured not in unmeasured:
                await self.ends.mark(group, unmeasured[0])
        elif now - self._measured_since.setdefault(group.number, now) >= READABLE_FOR:
            await self.ends.confirm(group, self._measured_since[group.number])

    async def _read(self, metrics: Metrics, cleared: Sequence[ClearedGroup]) -> list[tuple[ClearedGroup, list[str]]]:
        """Each with its services that are not measured; without those where that could not be asked of every service."""
        ended = await self.ends.ended(cleared)
        ends = [end for group in cleared for end in ended[group.number]]
        answers = await answers_or_failures(lambda end: self._is_measured(metrics, end), ends, at_once=_AT_ONCE)
        unmeasured: dict[int, list[str]] = {group.number: [] for group in cleared}
        for end, measured in zip(ends, answers, strict=True):
            if isinstance(measured, QueryFailed):
                unmeasured.pop(end.group, None)
            elif not measured and end.group in unmeasured:
                unmeasured[end.group].append(end.service)
        return [(group, unmeasured[group.number]) for group in cleared if group.number in unmeasured]

    async def _is_measured(self, metrics: Metrics, end: EndedAlert) -> bool:
        """Whether any series of the service is left; one that had none when the alert fired is not told by its labels."""
        by_labels = service_matchers(end.service, end.labels, self.catalogue.get(end.service))
        for name, matchers in product((_OF_SERVICE, _OF_TARGET), by_labels):
            promql = f"count({selector('', (*matchers, name))})"
            if await metrics.instant(promql):
                return True
            if await metrics.instant(promql, at=end.fired_at):
                return False
        return True
