"""A graph as data: what to draw, and the text for people who read it aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.loading.arrays import Floats, np
from bot.core.metrics.series import Series
from bot.core.text.figures import figure
from bot.core.text.moments import clock_to_the_minute


@dataclass(frozen=True)
class SignalGraph:
    """What to draw. `marks` are moments with a short label; `threshold` a dashed line.

    `levels`: before and after the onset as the message beside it has them, `0.3 % → 46.7 %`; "" where it has none.
    """

    title: str
    unit: str
    series: Sequence[Series]
    onset: datetime | None = None
    marks: Sequence[tuple[datetime, str]] = ()
    threshold: float | None = None
    levels: str = ""
    level: float | None = None
    """The second of them, in `unit`."""

    def moments(self) -> list[tuple[datetime, str, bool]]:
        """Onset and marks in order of time: when, what, and whether it is the onset.

        The onset to the minute: causes are ranked later and may date it some seconds apart, and that is what the message tells.
        Read aloud the marks are as exact, and in this order: beside 15:55 a change at 15:55:45 would seem to come after it.
        """
        onset = [(self.onset, f"onset {self.onset:%H:%M}", True)] if self.onset else []
        return sorted([*onset, *((at, label, False) for at, label in self.marks)], key=lambda moment: moment[0])


def alternative_text(graph: SignalGraph) -> str:
    """What the picture shows, for people who read it aloud."""
    values = np.concatenate([s.values for s in graph.series]) if graph.series else np.empty(0)
    samples = values[~np.isnan(values)]
    if not len(samples):
        return f"{graph.title}: no samples."
    text = f"{graph.title}: {_course(graph, samples)}{_peak(graph, samples)}."
    for at, label, is_onset in graph.moments():
        what = "It left its normal range" if is_onset else label[:1].upper() + label[1:]
        text += f" {what} at {clock_to_the_minute(at)}."
    return text[:1900]


def _peak(graph: SignalGraph, samples: Floats) -> str:
    """The highest sample; not beside a level above it: the picture has fewer samples than the level was measured on."""
    highest = float(samples.max())
    return "" if graph.level is not None and highest <= graph.level else f", highest {figure(highest, graph.unit)}"


def _course(graph: SignalGraph, samples: Floats) -> str:
    """From where to where it moved: single samples at the ends say something else than the levels, so only one is told."""
    if graph.levels:
        return "from " + graph.levels.replace(" → ", " to ")
    first, last = (figure(float(samples[index]), graph.unit) for index in (0, -1))
    return f"from {first} to {last}" if first != last else f"{first} at both ends"
