"""Draws one graph: the signal that shows the incident, its onset and the changes before it."""

import io
from datetime import UTC, datetime

from bot.core.graph import Graph


def draw(graph: Graph) -> bytes:
    """The graph as PNG (900 x 360). Takes a few tenths of a second: call it in a thread."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import DateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for series in graph.series:
        moments = [datetime.fromtimestamp(t, UTC) for t in series.times]
        axes.plot(moments, series.values, color="#1d6fb8", linewidth=1.8)  # type: ignore[arg-type]
    if graph.threshold is not None:
        axes.axhline(graph.threshold, color="#666", linestyle="--", linewidth=1, label=f"bad above {graph.threshold:g}")
    if graph.onset:
        axes.axvline(graph.onset, color="#c0392b", linewidth=1.5, label="onset")  # type: ignore[arg-type]
    for index, (at, label) in enumerate(graph.marks):
        axes.axvline(at, color=("#8e6bb0", "#3a8f5c", "#b07d2b")[index % 3], linestyle=":", linewidth=1.5, label=label)  # type: ignore[arg-type]
    axes.set_title(graph.title, loc="left", fontsize=11)
    axes.set_ylabel(graph.unit)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", fontsize=8, frameon=False)
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)  # type: ignore[no-untyped-call]
    return out.getvalue()
