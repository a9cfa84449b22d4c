"""Draws one graph: the signal that shows the incident, its onset and the changes before it."""

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.core.loading.arrays import np
from bot.core.metrics.graph import SignalGraph
from bot.core.text.figures import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = 64
_WIDTH, _HEIGHT, _DPI = 900, 400, 100
_MARGIN, _RIGHT, _LETTER = 20, 28, 10.5
"""Pixels beside the axes, half an hour's label among them, and of a letter of their labels."""
_ROW = 0.075
"""Height of one row of labels, as a share of the picture's: each mark has a row of its own above the curve."""
_ONSET, _LINE, _THRESHOLD = "#c0392b", "#1d6fb8", "#8a6d1f"
_MARKS = ("#6d4a94", "#2c7a4b", "#9a6230", "#4b5563")


def draw(graph: SignalGraph) -> bytes:
    """The graph as PNG (900 x 400), legible at the width of a Slack thread. A tenth of a second: call it in a thread."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI)
    axes = picture.add_subplot()
    for series in graph.series:
        axes.plot([_moment(t) for t in series.times], series.values, color=_LINE, linewidth=2.4)  # type: ignore[arg-type]
    rows = len(graph.moments())
    _frame(axes, graph, headroom=1 / (1 - _ROW * (rows + 0.5)))
    if graph.threshold is not None:
        _draw_threshold(axes, graph.threshold, graph.unit)
    start, end = (_moment(t) for t in _span(graph))
    for row, (at, label, is_onset) in enumerate(graph.moments()):
        color = _ONSET if is_onset else _MARKS[row % len(_MARKS)]
        _mark(axes, at, label, color, row=row, late=(at - start) > (end - start) / 2, solid=is_onset)
    return _as_png(picture)


def _as_png(picture: "Figure") -> bytes:
    """With a palette of its few colours and their edges: a quarter of the size, for the database and for Slack."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(picture)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels).convert("RGB")
    out = io.BytesIO()
    image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


def _frame(axes: "Axes", graph: SignalGraph, *, headroom: float) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter
    from matplotlib.ticker import MaxNLocator

    tops = [float(v) for series in graph.series for v in series.values if v == v]
    highest = max([*tops, graph.threshold or 0.0], default=0.0) or 1.0
    axes.set_ylim(min([0.0, *tops]), highest * 1.05 * headroom)
    axes.set_title(f"{graph.title} (UTC)", loc="left", fontsize=15, fontweight="bold", parse_math=False)
    # No tick among the labels above the curve: it would name values that nothing reached.
    ticks = [tick for tick in MaxNLocator(4).tick_values(0.0, highest) if tick <= highest * 1.05]
    axes.set_yticks(ticks)
    labels = [figure(round(tick, 12), graph.unit) for tick in ticks]
    axes.set_yticklabels(labels)
    # Measured by letters: to try out where everything fits takes longer than to draw it.
    left = min(0.5, (_MARGIN + _LETTER * max(map(_letters, labels), default=0)) / _WIDTH)
    axes.figure.subplots_adjust(left=left, right=1 - _RIGHT / _WIDTH, bottom=0.1, top=0.9)
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=7))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    axes.margins(x=0.01)
    axes.tick_params(labelsize=13)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _letters(label: str) -> float:
    """How many usual letters a label is wide: capitals are wider."""
    return sum(1.4 if letter.isupper() else 1.0 for letter in label)


def _draw_threshold(axes: "Axes", threshold: float, unit: str) -> None:
    axes.axhline(threshold, color=_THRESHOLD, linestyle="--", linewidth=1.4)
    label = f"threshold {figure(threshold, unit)}"
    across = axes.get_yaxis_transform()
    axes.text(0.008, threshold, label, transform=across, color=_THRESHOLD, fontsize=13, va="bottom", parse_math=False)


def _mark(axes: "Axes", at: datetime, label: str, color: str, *, row: int, late: bool, solid: bool) -> None:
    """A vertical line and its label beside it, on the side that has room."""
    from matplotlib.dates import date2num  # mixed coordinates take no datetime

    axes.axvline(at, color=color, linestyle="-" if solid else "--", linewidth=1.8)  # type: ignore[arg-type]
    axes.annotate(
        label,
        (date2num(at), 1 - _ROW * row),  # type: ignore[no-untyped-call]
        xycoords=axes.get_xaxis_transform(),
        xytext=(-6 if late else 6, -1),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        color=color,
        fontsize=13,
        # What others wrote between two $ is no formula: it would look like nothing they wrote, or draw no picture at all.
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
    )


def _span(graph: SignalGraph) -> tuple[float, float]:
    times = [float(t) for series in graph.series for t in (series.times[:1].tolist() + series.times[-1:].tolist())]
    return (min(times), max(times)) if times else (0.0, 1.0)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
