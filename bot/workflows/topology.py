"""The topology tick: asks metrics and traces who calls whom, and stores what they show."""

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from bot.core.alerts.ties.topology import CallSource, resolved_calls
from bot.core.errors import QueryFailed
from bot.core.metrics.call_graphs import CALL_GRAPHS
from bot.core.service import Catalogue
from bot.core.traces.spans import neighbours
from bot.ports import Metrics, Traces
from bot.store.alerts.ties.learned import MAX_CALLS, LearnedTopology

WINDOW = timedelta(hours=1)
TRACES_OF_SERVICE = 20
MAX_SERVICES = 50
"""Services whose traces are read in one round; with more of them the rounds take turns."""

Pairs = Collection[tuple[str, str]]
"""(caller, callee), as the source names them."""


class TopologyTick:
    """`await tick()` is one round. A source that cannot be read is noted as such; what it showed before stands."""

    def __init__(self, learned: LearnedTopology, catalogue: Catalogue, metrics: Metrics | None, traces: Traces | None) -> None:
        self.learned, self.catalogue = learned, catalogue
        self.metrics, self.traces = metrics, traces
        self._next = 0

    async def __call__(self) -> None:
        if self.metrics is not None:
            await self._note(CallSource.METRICS, self._in_metrics)
        if self.traces is not None:
            await self._note(CallSource.TRACES, self._in_traces)

    async def _note(self, source: CallSource, read: Callable[[], Awaitable[Pairs]]) -> None:
        try:
            pairs = await read()
        except QueryFailed as error:
            await self.learned.note_failure(source, str(error))
        else:
            await self.learned.note_calls(source, resolved_calls(pairs, self.catalogue, MAX_CALLS))

    async def _in_metrics(self) -> Pairs:
        assert self.metrics is not None
        pairs: set[tuple[str, str]] = set()
        for metric, caller, callee in CALL_GRAPHS:
            series = await self.metrics.instant(f"count by ({caller}, {callee}) ({metric})")
            pairs |= {(line.labels.get(caller, ""), line.labels.get(callee, "")) for line in series}
        return pairs

    async def _in_traces(self) -> Pairs:
        """What the traces of some services show. Raises QueryFailed if those of one cannot be read."""
        assert self.traces is not None
        names, end = sorted(self.catalogue.services), self.learned.db.clock()
        turn = [names[(self._next + index) % len(names)] for index in range(min(MAX_SERVICES, len(names)))]
        self._next += len(turn)
        pairs: set[tuple[str, str]] = set()
        for service in turn:
            sample = await self.traces.spans(service, start=end - WINDOW, end=end, traces=TRACES_OF_SERVICE)
            called, calling = neighbours(sample.rows, service)
            pairs |= {(service, other) for other in called} | {(other, service) for other in calling}
        return pairs
