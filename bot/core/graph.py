"""A graph as data: what to draw, and the text for people who read it aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.core.series import Series


@dataclass(frozen=True)
class Graph:
    """What to draw. `marks` are moments with a short label; `threshold` a dashed line."""

    title: str
    unit: str
    series: Sequence[Series]
    onset: datetime | None = None
    marks: Sequence[tuple[datetime, str]] = ()
    threshold: float | None = None


def alternative_text(graph: Graph) -> str:
    """What the picture shows, for people who read it aloud."""
    values = np.concatenate([s.values for s in graph.series]) if graph.series else np.empty(0)
    known = values[~np.isnan(values)]
    if not len(known):
        return f"{graph.title}: no samples."
    text = f"{graph.title}: from {known[0]:.3g} to {known[-1]:.3g} {graph.unit}, highest {known.max():.3g}".rstrip() + "."
    if graph.onset:
        text += f" It leaves its normal range at {graph.onset:%H:%M:%S} UTC."
    for at, label in graph.marks:
        text += f" {label} at {at:%H:%M:%S} UTC."
    return text[:1900]
