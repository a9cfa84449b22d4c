"""`python -m tests.bench.graph`: processor time and size of one graph, as an answer and a card show it."""

import time

import numpy as np

from bot.core.metrics.graph import SignalGraph
from bot.core.metrics.series import Series
from bot.monitoring.metrics.graph import draw
from tests.evaluation.world import moment

ROUNDS, SAMPLES, STEP = 20, 240, 15


def main() -> None:
    """Print milliseconds of processor time for a graph, the mean of all rounds but the first, and its bytes."""
    graph = _graph()
    size = len(draw(graph))
    began = time.process_time()
    for _ in range(ROUNDS):
        draw(graph)
    took = (time.process_time() - began) / ROUNDS
    print(f"a graph of {SAMPLES} samples, two changes and a threshold: {took * 1000:.0f} ms, {size / 1000:.1f} kB")


def _graph() -> SignalGraph:
    began = 1_800_000_000.0
    values = np.abs(np.random.default_rng(1).normal(0.1, 0.02, SAMPLES))
    series = Series({}, began + STEP * np.arange(float(SAMPLES)), values)
    marks = [(moment(began + 1_800), "deploy 3.5.0"), (moment(began + 2_000), "config edit")]
    return SignalGraph("checkout errors", "ratio", [series], moment(began + 2_400), marks, threshold=0.3)


if __name__ == "__main__":
    main()
