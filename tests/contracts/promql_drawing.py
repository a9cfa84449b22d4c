"""Draws PromQL expressions over all that the sandbox knows, and the series that they are about."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bot.sandbox.world.history import Grid
from bot.sandbox.world.promql.syntax import AGGREGATIONS, COMPARISONS, SET_OPERATORS, SIGNATURES, Selector
from bot.sandbox.world.tables import Labels, Samples
from tests.contracts.prometheus_storage import Sample

STEP, COUNT = 5.0, 161
"""Seconds between samples, and how many of them a series has that lives all the time."""
ARITHMETIC = ("+", "-", "*", "/", "%", "^")
RANGES = ("20s", "1m", "90s", "3m")
RANKING = ("topk", "bottomk")
OFFSETS = ("", "", "", " offset 30s", " offset 2m", " offset -25s")


@dataclass(frozen=True)
class Block:
    """The series of one metric name, as the sandbox's storage holds them: without holes on one grid."""

    labels: list[Labels]
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    first: list[int]
    last: list[int]
    monotone: bool


class Store:
    """A storage of the sandbox, and the same samples for Prometheus. `start` is the first sample's moment."""

    def __init__(self, start: float, seed: int = 1) -> None:
        self.grid = Grid(start, STEP)
        self.blocks = list(_blocks(random.Random(seed)))

    @property
    def end(self) -> float:
        """The newest sample's moment."""
        return self.grid.start + STEP * (COUNT - 1)

    def select(self, selector: Selector) -> list[Samples]:
        """As the world's metrics do it."""
        found = []
        for block in self.blocks:
            rows = [
                n for n, labels in enumerate(block.labels) if all(m.accepts(labels.get(m.label, "")) for m in selector.matchers)
            ]
            if rows:
                first, last = (np.asarray(ends, dtype=np.int64)[rows] for ends in (block.first, block.last))
                labels, chosen = [block.labels[n] for n in rows], np.asarray(rows, dtype=np.int64)
                found.append(Samples(labels, block.values, chosen, first, last, self.grid, COUNT - 1, block.monotone))
        return found

    def series(self) -> list[tuple[Labels, list[Sample]]]:
        """Each series with its samples; one that ends early ends with a stale marker, as a scraped one does."""
        return [(labels, self._samples(block, row)) for block in self.blocks for row, labels in enumerate(block.labels)]

    def _samples(self, block: Block, row: int) -> list[Sample]:
        columns = range(block.first[row], block.last[row] + 1)
        found: list[Sample] = [(self.grid.start + STEP * n, float(block.values[row, n])) for n in columns]
        ended = block.last[row] < COUNT - 1
        return [*found, (self.grid.start + STEP * (block.last[row] + 1), None)] if ended else found


def _blocks(rng: random.Random) -> Iterator[Block]:
    """Counters with and without resets, gauges below zero, a histogram; some series begin late or end early."""
    yield _block("steady_total", rng, [("a", "x", "200"), ("a", "y", "200"), ("a", "y", "500"), ("b", "z", "200")], _counter)
    yield _block("reset_total", rng, [("a", "x", "200"), ("b", "z", "200"), ("b", "z", "500")], _resetting, monotone=False)
    yield _block("level", rng, [("a", "x", ""), ("a", "y", ""), ("b", "z", ""), ("c", "w", "")], _gauge, monotone=False)
    yield _block("limit", rng, [("a", "", ""), ("b", "", ""), ("c", "", "")], _constant, monotone=False)
    yield _histogram(rng)


def _block(
    name: str,
    rng: random.Random,
    places: Sequence[tuple[str, str, str]],
    draw: Callable[[random.Random], list[float]],
    *,
    monotone: bool = True,
) -> Block:
    labels = []
    for service, pod, code in places:
        known = {"__name__": name, "service": service, "pod": pod, "code": code}
        labels.append({key: value for key, value in known.items() if value})
    values = np.asarray([draw(rng) for _ in places])
    first, last = [0] * len(places), [COUNT - 1] * len(places)
    # One pod goes, another comes.
    last[-1], first[1] = COUNT // 2, COUNT // 3
    if monotone:
        # Its counter begins where it does.
        values[1] -= values[1][first[1]] - 2
    return Block(labels, values, first, last, monotone)


def _counter(rng: random.Random) -> list[float]:
    steps = [float(rng.randrange(0, 6)) for _ in range(COUNT)]
    return [float(n) for n in np.cumsum(steps)]


def _resetting(rng: random.Random) -> list[float]:
    values, total = [], 50.0
    for _ in range(COUNT):
        total = 0.0 if rng.random() < 0.04 else total + rng.randrange(0, 6)
        values.append(total)
    return values


def _gauge(rng: random.Random) -> list[float]:
    return [rng.randrange(-16, 17) / 4 for _ in range(COUNT)]


def _constant(rng: random.Random) -> list[float]:
    return [float(rng.choice((0, 2, 8)))] * COUNT


def _histogram(rng: random.Random) -> Block:
    labels, values = [], []
    for service in ("a", "b"):
        total = np.zeros(COUNT)
        for bound in ("0.1", "0.5", "2", "+Inf"):
            total = total + np.cumsum([float(rng.randrange(0, 4)) for _ in range(COUNT)])
            labels.append({"__name__": "seconds_bucket", "service": service, "le": bound})
            values.append(total)
    size = len(labels)
    return Block(labels, np.asarray(values), [0] * size, [COUNT - 1] * size, True)


# ---------------------------------------------------------------- expressions


class Drawing:
    """Draws expressions of each type; `depth` is how many more may be nested."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def vector(self, depth: int) -> str:
        """An instant vector."""
        if depth <= 0:
            return self._selector() + self.rng.choice(OFFSETS)
        kinds = (self._call, self._call, self._aggregate, self._binary, self._binary, self._negative)
        return self.rng.choice(kinds)(depth)

    def about(self, name: str, depth: int) -> str:
        """A vector or scalar in which a function, an aggregation or an operator stands outermost."""
        if name in SIGNATURES:
            return self._call(depth, name)
        return self._aggregate(depth, name) if name in AGGREGATIONS else self._binary(depth, name)

    def scalar(self, depth: int) -> str:
        drawn = self.rng.choice(("number", "number", "number", "time", "scalar"))
        if drawn == "number" or depth <= 0:
            return self.rng.choice(("0", "1", "2", "-3", "0.5", "100", "1e3"))
        return "time()" if drawn == "time" else f"scalar({self.vector(depth - 1)})"

    def matrix(self, depth: int) -> str:
        if depth > 1 and self.rng.random() < 0.3:
            step = self.rng.choice(("", "10s", "15s", "7s"))
            return f"({self.vector(depth - 2)})[{self.rng.choice(RANGES)}:{step}]" + self.rng.choice(OFFSETS)
        return f"{self._selector()}[{self.rng.choice(RANGES)}]" + self.rng.choice(OFFSETS)

    def _selector(self) -> str:
        name = self.rng.choice(("steady_total", "reset_total", "level", "level", "limit", "seconds_bucket", "nothing"))
        matchers = ("", "", "", '{service="a"}', '{service!="b"}', '{pod=~"x|y"}', '{code!~"5.."}', '{code=""}')
        return name + self.rng.choice(matchers)

    def _call(self, depth: int, name: str = "") -> str:
        name = name or self.rng.choice(sorted(set(SIGNATURES) - {"time", "scalar"}))
        if name == "label_replace":
            how = self.rng.choice(('"to", "$1-x", "service", "(.*)"', '"pod", "", "pod", "x"', '"service", "q", "code", "5.*"'))
            return f"label_replace({self.vector(depth - 1)}, {how})"
        if name == "histogram_quantile" and self.rng.random() < 0.7:
            by = self.rng.choice(("seconds_bucket", "rate(seconds_bucket[1m])", "sum by (le) (rate(seconds_bucket[2m]))"))
            return f"histogram_quantile({self._share()}, {by})"
        if name == "quantile_over_time":
            return f"quantile_over_time({self._share()}, {self.matrix(depth)})"
        types, optional, _ = SIGNATURES[name]
        count = len(types) - (optional if self.rng.random() < 0.5 else 0)
        draw = {
            "vector": lambda: self.vector(depth - 1),
            "scalar": lambda: self.scalar(depth - 1),
            "matrix": lambda: self.matrix(depth),
        }
        return f"{name}({', '.join(draw[kind]() for kind in types[:count])})"

    def _share(self) -> str:
        return self.rng.choice(("0.5", "0.9", "0", "1", "0.99", "-1", "1.5"))

    def _aggregate(self, depth: int, name: str = "") -> str:
        name = name or self.rng.choice(sorted(AGGREGATIONS))
        by = self.rng.choice(
            ("", " by (service)", " by (service, code)", " without (pod)", " by (nothing)", " without (service, le)")
        )
        first = {"topk": "2, ", "bottomk": "2, ", "quantile": f"{self._share()}, "}.get(name, "")
        return f"{name}{by} ({first}{self._ranked() if name in RANKING else self.vector(depth - 1)})"

    def _ranked(self) -> str:
        # Among equals the order of the series decides, and only of stored ones Prometheus keeps it.
        name = self.rng.choice(("", "", "rate", "avg_over_time", "last_over_time"))
        return f"{name}({self._selector()}[{self.rng.choice(RANGES)}])" if name else self._selector() + self.rng.choice(OFFSETS)

    def _negative(self, depth: int) -> str:
        return f"-({self.vector(depth - 1)})"

    def _binary(self, depth: int, operator: str = "") -> str:
        operator = operator or self.rng.choice((*ARITHMETIC, *sorted(COMPARISONS), *sorted(SET_OPERATORS)))
        left, right = f"({self.vector(depth - 1)})", f"({self.vector(depth - 1)})"
        as_bool = " bool" if operator in COMPARISONS and self.rng.random() < 0.5 else ""
        if operator in SET_OPERATORS:
            return f"{left} {operator}{self.rng.choice(('', '', ' on (service)', ' ignoring (pod, code)'))} {right}"
        shape = self.rng.randrange(5)
        if shape == 0:
            return f"{left} {operator}{as_bool} {self.scalar(depth - 1)}"
        if shape == 1:
            return f"{self.scalar(depth - 1)} {operator}{as_bool} {right}"
        if shape == 2:
            side = self.rng.choice(("group_left", "group_left (code)"))
            return f"{left} {operator}{as_bool} on (service) {side} sum by (service, code) ({right})"
        if shape == 3:
            return f"sum by (service) ({left}) {operator}{as_bool} on (service) group_right {right}"
        return f"{left} {operator}{as_bool}{self.rng.choice(('', '', ' ignoring (code)', ' on (service, pod)'))} {right}"


def names() -> list[str]:
    """Every function, aggregation and operator that the sandbox knows."""
    return [*sorted(SIGNATURES), *sorted(AGGREGATIONS), *ARITHMETIC, *sorted(COMPARISONS), *sorted(SET_OPERATORS)]


def expressions(seed: int, *, each: int) -> list[str]:
    """`each` expressions about every one of them; some are refused, as Prometheus refuses them."""
    drawing = Drawing(seed)
    return [drawing.about(name, drawing.rng.choice((1, 1, 2, 3))) for name in names() for _ in range(each)]
