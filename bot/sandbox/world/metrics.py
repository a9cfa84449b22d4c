"""The store of metrics that queries read: picks series by matchers, extends tables on demand."""

from collections.abc import Mapping

import numpy as np

from bot.sandbox.world.history import History
from bot.sandbox.world.promql.syntax import Matcher, Selector
from bot.sandbox.world.tables import Family, Labels, Samples, Table


class Metrics:
    """Tables over one history; whoever asks sees everything up to the history's end."""

    def __init__(self, history: History, families: Mapping[str, Family]) -> None:
        self.history = history
        self.tables = {name: Table(family) for name, family in families.items()}

    def select(self, selector: Selector) -> list[Samples]:
        """The matching series, one `Samples` a metric name."""
        blocks = []
        for name in self._names(selector.matchers):
            table = self.table(name)
            rest = [m for m in selector.matchers if m.label != "__name__"]
            rows = [row for row, labels in enumerate(table.labels) if all(m.accepts(labels.get(m.label, "")) for m in rest)]
            if rows:
                blocks.append(table.samples(rows, self.history.grid))
        return blocks

    def series(self, selector: Selector, start: float, end: float) -> list[Labels]:
        """Label sets of the matching series that have a sample in [start, end] (Unix seconds)."""
        grid = self.history.grid
        first, last = int(np.ceil((start - grid.start) / grid.step)), grid.index(end)
        matching: list[Labels] = []
        for samples in self.select(selector):
            alive = (samples.first <= last) & (samples.last >= first)
            matching += [labels for labels, lives in zip(samples.labels, alive, strict=True) if lives]
        return matching

    def table(self, name: str) -> Table:
        """One table, filled up to now."""
        table = self.tables[name]
        table.extend(self.history.length)
        return table

    def _names(self, matchers: tuple[Matcher, ...]) -> list[str]:
        of_name = [m for m in matchers if m.label == "__name__"]
        return [name for name in self.tables if all(m.accepts(name) for m in of_name)]
