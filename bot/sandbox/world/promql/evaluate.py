"""Evaluates a syntax tree for all steps of a query at once."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from bot.sandbox.world.history import Grid
from bot.sandbox.world.promql import functions, windows
from bot.sandbox.world.promql.aggregate import aggregate
from bot.sandbox.world.promql.binary import binary
from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Negative,
    Number,
    Range,
    Selector,
    String,
    Subquery,
)
from bot.sandbox.world.promql.values import Bools, Floats, Value, Vector, nameless, stack
from bot.sandbox.world.promql.windows import Windows
from bot.sandbox.world.tables import Samples

LOOKBACK_SECONDS = 300.0
SUBQUERY_STEP = 60.0


class Storage(Protocol):
    """Where samples come from."""

    def select(self, selector: Selector) -> list[Samples]:
        """The matching series, one block a metric name."""
        ...


_MAPS: Mapping[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "sgn": np.sign,
}

_OVER_TIME: Mapping[str, windows.Reduce] = {
    "avg_over_time": windows.mean,
    "min_over_time": windows.least,
    "max_over_time": windows.greatest,
    "sum_over_time": windows.total,
    "count_over_time": windows.count,
    "stddev_over_time": windows.deviation,
    "stdvar_over_time": windows.variance,
    "present_over_time": windows.present,
    "last_over_time": windows.last,
    "changes": windows.changes,
    "resets": windows.resets,
}

_RATES: Mapping[str, Callable[[Windows], tuple[Floats, Bools]]] = {
    "rate": lambda w: windows.extrapolated(w, counter=True, per_second=True),
    "increase": lambda w: windows.extrapolated(w, counter=True, per_second=False),
    "delta": lambda w: windows.extrapolated(w, counter=False, per_second=False),
    "irate": lambda w: windows.instant_change(w, counter=True),
    "idelta": lambda w: windows.instant_change(w, counter=False),
    "deriv": lambda w: windows.slope(w)[1:],
}


class Evaluator:
    """Evaluates at `times` (Unix seconds, ascending, shape (n,))."""

    def __init__(self, storage: Storage, times: Floats) -> None:
        self.storage, self.times = storage, times

    @property
    def steps(self) -> int:
        """Number of moments."""
        return len(self.times)

    def value(self, expr: Expr) -> Value:
        """Vector, scalar (n,) or string; a bare range vector is refused (the API answers it by itself)."""
        match expr:
            case Number(number):
                return np.full(self.steps, number)
            case String(text):
                return text
            case Selector():
                return self._instant(expr)
            case Aggregate():
                param = self._scalar(expr.param) if expr.param is not None else None
                return aggregate(expr, self._vector(expr.expr), param, self.steps)
            case Binary():
                return binary(expr, self.value(expr.left), self.value(expr.right), self.steps)
            case Negative(inner):
                value = self.value(inner)
                return value.map(np.negative) if isinstance(value, Vector) else -np.asarray(value, dtype=np.float64)
            case Call():
                return self._call(expr)
        raise ExecutionError("a range vector cannot be evaluated here")

    def _vector(self, expr: Expr) -> Vector:
        value = self.value(expr)
        assert isinstance(value, Vector)
        return value

    def _scalar(self, expr: Expr) -> Floats:
        value = self.value(expr)
        assert isinstance(value, np.ndarray)
        return value

    def _instant(self, selector: Selector) -> Vector:
        return stack(
            [self._latest(samples, self.times - selector.offset)[0] for samples in self.storage.select(selector)], self.steps
        )

    def _latest(self, samples: Samples, moments: Floats) -> tuple[Vector, Floats]:
        """The newest sample at each moment, and its time; a series that ended is gone at once, as after a stale marker."""
        grid = samples.grid
        steps = np.floor((moments - grid.start) / grid.step + 1e-6).astype(np.int64)[None, :]
        column = np.minimum(steps, samples.newest)
        stamps = np.broadcast_to(grid.start + grid.step * column, (len(samples.labels), self.steps))
        living = (column >= samples.first[:, None]) & (column <= samples.last[:, None])
        # Prometheus counts in milliseconds.
        present = living & (np.round(moments[None, :] - stamps, 3) <= LOOKBACK_SECONDS)
        return Vector(samples.labels, samples.take(np.clip(column, 0, max(samples.newest, 0))), present), stamps

    def _call(self, call: Call) -> Value:
        name, args = call.function, call.args
        if name in _RATES or name in _OVER_TIME:
            return self._windowed(call, args[0])
        if name in _MAPS:
            return self._vector(args[0]).map(_MAPS[name])
        match name:
            case "time":
                return self.times
            case "vector":
                scalar = self._scalar(args[0])
                return Vector([{}], scalar[None, :], np.ones((1, self.steps), dtype=bool))
            case "scalar":
                return functions.to_scalar(self._vector(args[0]))
            case "absent":
                return functions.absent(self._vector(args[0]), args[0])
            case "absent_over_time":
                return functions.absent(self._windowed(Call("count_over_time", args), args[0]), args[0])
            case "sort" | "sort_desc":
                return functions.sort(self._vector(args[0]), descending=name == "sort_desc")
            case "timestamp":
                return self._timestamp(args[0])
            case "label_replace":
                texts = [arg.value for arg in args[1:] if isinstance(arg, String)]
                return functions.label_replace(self._vector(args[0]), texts[0], texts[1], texts[2], texts[3])
            case "histogram_quantile":
                return functions.histogram_quantile(self._scalar(args[0]), self._vector(args[1]), self.steps)
        return self._with_scalars(call)

    def _with_scalars(self, call: Call) -> Value:
        name, args = call.function, call.args
        match name:
            case "quantile_over_time":
                q = self._scalar(args[0])
                return self._windows(args[1], lambda w: windows.over_time(w, windows.quantile, q))
            case "predict_linear":
                ahead = self._scalar(args[1])[None, :]
                return self._windows(args[0], lambda w: windows.predicted(w, ahead))
            case "round":
                nearest = self._scalar(args[1])[None, :] if len(args) > 1 else 1.0
                return self._vector(args[0]).map(lambda v: np.floor(v / nearest + 0.5) * nearest)
            case "clamp":
                low, high = self._scalar(args[1]), self._scalar(args[2])
                vector = self._vector(args[0])
                return vector.map(lambda v: _larger(low, _smaller(high, v))).where(
                    np.tile(~(high < low), (len(vector.labels), 1))
                )
            case "clamp_min":
                low = self._scalar(args[1])[None, :]
                return self._vector(args[0]).map(lambda v: _larger(low, v))
            case "clamp_max":
                high = self._scalar(args[1])[None, :]
                return self._vector(args[0]).map(lambda v: _smaller(high, v))
        raise ExecutionError(f"function {name} is not available")

    def _timestamp(self, expr: Expr) -> Vector:
        if not isinstance(expr, Selector):
            return self._vector(expr).map(lambda v: np.broadcast_to(self.times, v.shape))
        vectors = []
        for samples in self.storage.select(expr):
            vector, stamps = self._latest(samples, self.times - expr.offset)
            vectors.append(
                Vector([nameless(item) for item in vector.labels], np.asarray(stamps, dtype=np.float64), vector.present)
            )
        return stack(vectors, self.steps)

    def _windowed(self, call: Call, source: Expr) -> Vector:
        if rate := _RATES.get(call.function):
            return self._windows(source, rate)
        reduce = _OVER_TIME[call.function]
        return self._windows(source, lambda w: windows.over_time(w, reduce), keep_name=call.function == "last_over_time")

    def _windows(self, source: Expr, fn: Callable[[Windows], tuple[Floats, Bools]], *, keep_name: bool = False) -> Vector:
        assert isinstance(source, Range | Subquery)
        if isinstance(source, Subquery):
            ranges, offset = [self._subquery(source)], source.offset
        else:
            ranges, offset = self.storage.select(source.selector), source.selector.offset
        vectors = []
        with np.errstate(all="ignore"):
            for samples in ranges:
                values, present = fn(Windows(samples, self.times, offset, source.seconds))
                labels = samples.labels if keep_name else [nameless(item) for item in samples.labels]
                vectors.append(Vector(labels, values, present))
        return stack(vectors, self.steps).checked()

    def _subquery(self, source: Subquery) -> Samples:
        """The inner expression as samples on a grid of its own, aligned to the step as Prometheus does."""
        step = source.step or SUBQUERY_STEP
        first = np.floor((self.times[0] - source.offset - source.seconds) / step)
        count = int(np.floor((self.times[-1] - source.offset) / step) - first) + 1
        if count > 50_000:
            raise ExecutionError("query processing would load too many samples into memory in query execution")
        grid = Grid(float(first * step), step)
        value = Evaluator(self.storage, grid.times(0, count)).value(source.expr)
        if not isinstance(value, Vector):
            value = Vector([{}], np.asarray(value, dtype=np.float64)[None, :], np.ones((1, count), dtype=bool))
        size = len(value.labels)
        ends = np.zeros(size, dtype=np.int64), np.full(size, count - 1, dtype=np.int64)
        return Samples(value.labels, value.values, np.arange(size), *ends, grid, count - 1, False, value.present)


def _larger(one: Floats, other: Floats) -> Floats:
    """Go's math.Max: infinity wins over NaN, NaN over the rest."""
    return np.where((one == np.inf) | (other == np.inf), np.inf, np.maximum(one, other))


def _smaller(one: Floats, other: Floats) -> Floats:
    """Go's math.Min."""
    return -_larger(-one, -other)
