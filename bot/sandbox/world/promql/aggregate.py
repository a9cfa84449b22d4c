"""Aggregations over series."""

from collections.abc import Callable

import numpy as np

from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.promql.syntax import Aggregate
from bot.sandbox.world.promql.values import Bools, Floats, Key, Vector, empty, key_of, nameless, ordered, quantile_of
from bot.sandbox.world.tables import Labels


def group_rows(vector: Vector, labels: tuple[str, ...], without: bool) -> dict[Key, tuple[Labels, list[int]]]:
    """Rows by their grouping labels, in order of appearance."""
    groups: dict[Key, tuple[Labels, list[int]]] = {}
    for row, item in enumerate(vector.labels):
        if without:
            grouping = {name: value for name, value in nameless(item).items() if name not in labels}
        else:
            grouping = {name: item[name] for name in labels if item.get(name)}
        groups.setdefault(key_of(grouping), (grouping, []))[1].append(row)
    return groups


def aggregate(node: Aggregate, vector: Vector, param: Floats | None, steps: int) -> Vector:
    """One series a group; topk and bottomk keep the series themselves."""
    if not vector.labels:
        return empty(steps)
    groups = group_rows(vector, node.labels, node.without)
    if node.op in ("topk", "bottomk"):
        assert param is not None
        return _ranked(vector, groups, param, largest=node.op == "topk")
    labels, values, present = [], [], []
    for grouping, rows in groups.values():
        here = vector.present[rows]
        labels.append(grouping)
        present.append(here.any(axis=0))
        with np.errstate(all="ignore"):
            values.append(_reduce(node.op, vector.values[rows], here, param))
    return Vector(labels, np.vstack(values), np.vstack(present))


def _reduce(op: str, values: Floats, here: Bools, param: Floats | None) -> Floats:
    count = here.sum(axis=0)
    if op == "count":
        return np.asarray(count, dtype=np.float64)
    if op == "group":
        return np.ones(values.shape[1])
    if op == "min":
        return np.asarray(np.fmin.reduce(np.where(here, values, np.nan), axis=0))
    if op == "max":
        return np.asarray(np.fmax.reduce(np.where(here, values, np.nan), axis=0))
    if op == "quantile":
        assert param is not None
        return _quantile(values, here, param)
    total = np.where(here, values, 0.0).sum(axis=0)
    if op == "sum":
        return np.asarray(total)
    mean = total / count
    if op == "avg":
        return np.asarray(mean)
    # One value alone does not vary, even if it is no number.
    variance = np.where(count > 1, np.where(here, (values - mean) ** 2, 0.0).sum(axis=0) / count, 0.0)
    return np.asarray(np.sqrt(variance) if op == "stddev" else variance)


def _quantile(values: Floats, here: Bools, param: Floats) -> Floats:
    result = np.full(values.shape[1], np.nan)
    for step in range(values.shape[1]):
        result[step] = quantile_of(values[here[:, step], step], float(param[step]))
    return result


def _ranked(vector: Vector, groups: dict[Key, tuple[Labels, list[int]]], param: Floats, *, largest: bool) -> Vector:
    for number in param[~(np.abs(param) < 2.0**63)]:
        raise ExecutionError(f"Scalar value {number} overflows int64")
    keep = np.zeros_like(vector.present)
    order: list[int] = []
    for _, rows in groups.values():
        for step in range(keep.shape[1]):
            here = [row for row in rows if vector.present[row, step]]
            values = vector.values[:, step] if largest else -vector.values[:, step]
            order = [*order, *(best := _best(values, here, int(param[step])))]
            keep[best, step] = True
    vector = vector.where(keep)
    if vector.values.shape[1] == 1:
        # An instant answer is in order: group after group, the best of each first.
        return Vector([vector.labels[row] for row in order], vector.values[order], vector.present[order])
    return vector


def _best(values: Floats, rows: list[int], count: int) -> list[int]:
    """The rows of the largest values, which come first; among equals as Prometheus' heap leaves them. NaN is the least."""

    def less(one: int, other: int) -> bool:
        return bool(np.isnan(values[one]) or values[one] < values[other])

    heap: list[int] = []
    for row in rows:
        if len(heap) < count:
            heap.append(row)
            _up(heap, less)
        elif count > 0 and (values[heap[0]] < values[row] or (np.isnan(values[heap[0]]) and not np.isnan(values[row]))):
            heap[0] = row
            _down(heap, less)
    return ordered(heap, values, descending=True)


Less = Callable[[int, int], bool]


def _up(heap: list[int], less: Less) -> None:
    """Restore the heap after an append (Go's container/heap, up)."""
    index = len(heap) - 1
    while index and less(heap[index], heap[parent := (index - 1) // 2]):
        heap[index], heap[parent] = heap[parent], heap[index]
        index = parent


def _down(heap: list[int], less: Less) -> None:
    """Restore the heap after its first was replaced (Go's container/heap, down)."""
    index = 0
    while (child := 2 * index + 1) < len(heap):
        if child + 1 < len(heap) and less(heap[child + 1], heap[child]):
            child += 1
        if not less(heap[child], heap[index]):
            return
        heap[index], heap[child] = heap[child], heap[index]
        index = child
