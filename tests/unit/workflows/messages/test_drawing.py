"""A graph that cannot be made is no graph, and never an error of the workflow."""

import re
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.core.errors import QueryFailed
from bot.core.metrics.graph import SignalGraph, alternative_text
from bot.core.metrics.series import Series
from bot.core.service import Signal
from bot.monitoring.metrics.graph import draw
from bot.workflows.messages.drawing import Picture, picture
from tests.unit.builders import at


class Recorded:
    """Metrics of one signal that falls after ten minutes; dead with `fails`."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    async def range(self, promql: str, *, start: datetime, end: datetime, step: float) -> list[Series]:
        if self.fails:
            raise QueryFailed("prometheus is away")
        times = np.arange(start.timestamp(), end.timestamp(), step)
        return [Series(times=times, values=np.where(times < at(10).timestamp(), 0.2, 0.001))]


async def made(metrics: Any, drawing: Any = draw, levels: str = "", level: float | None = None) -> Picture | None:
    marks = [(at(8), "Recovered after AP-1"), (at(5), "AP-1 ran"), (at(90), "long after")]
    signal = Signal(promql="errors", unit="ratio", bad_above=0.05)
    span = {"start": at(0), "end": at(15)}
    told = {"levels": levels, "level": level, **span}
    return await picture(metrics, drawing, signal, "checkout errors", onset=at(1), marks=marks, **told)  # type: ignore[arg-type]


async def test_the_signal_is_drawn_with_the_marks_that_lie_in_it() -> None:
    drawn = await made(Recorded())

    assert drawn is not None and drawn[0].startswith(b"\x89PNG")
    assert drawn[1].startswith("checkout errors: from 20 % to 0.1 %, highest 20 %. It left its normal range at ")
    assert re.search("AP-1 ran at .* Recovered after AP-1 at", drawn[1]) and "long after" not in drawn[1].lower()


async def test_the_onset_of_a_picture_is_told_to_the_minute_as_ranking_the_causes_may_date_it_some_seconds_apart() -> None:
    graph = SignalGraph(title="checkout errors", unit="ratio", series=[], onset=at(1), marks=[(at(0), "deploy checkout")])
    drawn = await made(Recorded())

    assert [label for _, label, _ in graph.moments()] == ["deploy checkout", f"onset {at(1):%H:%M}"]
    assert drawn is not None and f"It left its normal range at {at(1):%H:%M} UTC." in drawn[1]


def test_a_change_seconds_before_the_onset_is_read_aloud_before_it() -> None:
    series = Series(times=np.array([at(0).timestamp(), at(15).timestamp()]), values=np.array([0.0, 0.2]))
    change, onset = at(1.75), at(1.95)
    graph = SignalGraph("checkout errors", "ratio", [series], onset=onset, marks=[(change, "deploy checkout 3.5.0")])

    spoken = f"Deploy checkout 3.5.0 at {change:%H:%M} UTC. It left its normal range at {onset:%H:%M} UTC."
    assert alternative_text(graph).endswith(spoken)


async def test_the_picture_is_read_aloud_with_the_levels_that_the_message_tells() -> None:
    drawn = await made(Recorded(), levels="0.46 % → 19.8 %")

    assert drawn is not None and drawn[1].startswith("checkout errors: from 0.46 % to 19.8 %, highest 20 %. ")


async def test_a_signal_that_ends_where_it_began_is_not_said_to_have_moved_from_there_to_there() -> None:
    times = np.arange(at(0).timestamp(), at(15).timestamp(), 60)
    values = np.where((times > at(3).timestamp()) & (times < at(9).timestamp()), 0.2, 0.004)
    graph = SignalGraph(title="checkout errors", unit="ratio", series=[Series(times=times, values=values)])

    assert alternative_text(graph) == "checkout errors: 0.4 % at both ends, highest 20 %."


async def test_no_peak_is_read_aloud_that_lies_below_the_level_that_the_message_tells() -> None:
    drawn = await made(Recorded(), levels="0 % → 25.7 %", level=0.257)

    assert drawn is not None and drawn[1].startswith("checkout errors: from 0 % to 25.7 %. It left its normal range at ")


def test_what_others_wrote_between_dollars_is_no_formula() -> None:
    def graph(label: str) -> SignalGraph:
        series = Series(times=np.array([at(0).timestamp(), at(15).timestamp()]), values=np.array([0.1, 0.2]))
        return SignalGraph(title=label, unit="ratio", series=[series], onset=at(1), marks=[(at(5), label)])

    assert draw(graph(r"deploy $\notaformula{$ by ci")).startswith(b"\x89PNG")
    assert draw(graph("$x^2$")) != draw(graph("x2"))


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "ratio"), (-5.0, ""), (3e9, "B"), (4e5, "MW"), (1.0, "w" * 90)])
def test_no_label_touches_the_edge_of_the_picture(scale: float, unit: str) -> None:
    times = np.array([at(minute).timestamp() for minute in range(60)])
    series = Series({}, times, scale * np.linspace(0.2, 1.0, 60))

    pixels = np.asarray(Image.open(BytesIO(draw(SignalGraph("load", unit, [series], at(30))))).convert("L"))

    assert pixels.shape == (400, 900)
    assert len(unit) > 80 or (pixels[:, :2].min() > 200 and pixels[:, -2:].min() > 200)


async def test_a_dead_prometheus_or_a_broken_drawing_is_no_graph() -> None:
    def broken(graph: SignalGraph) -> bytes:
        raise ValueError("no font")

    assert await made(Recorded(fails=True)) is None
    assert await made(Recorded(), broken) is None
