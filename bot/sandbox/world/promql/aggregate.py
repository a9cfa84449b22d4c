"""Aggregations over series."""

import numpy as np

from bot.sandbox.world.promql.syntax import Aggregate
from bot.sandbox.world.promql.values import Bools, Floats, Key, Vector, empty, key_of, nameless
from bot.sandbox.world.tables import Labels


def group_rows(vector: Vector, labels: tuple[str, ...], without: bool) -> dict[Key, tuple[Labels, list[int]]]:
    """Rows by their grouping labels, in order of appearance."""
    groups: dict[Key, tuple[Labels, list[int]]] = {}
    for row, item in enumerate(vector.labels):
        if without:
            kept = {name: value for name, value in nameless(item).items() if name not in labels}
        else:
            kept = {name: item[name] for name in labels if item.get(name)}
        groups.setdefault(key_of(kept), (kept, []))[1].append(row)
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
    for kept, rows in groups.values():
        here = vector.present[rows]
        labels.append(kept)
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
    variance = np.where(here, (values - mean) ** 2, 0.0).sum(axis=0) / count
    return np.asarray(np.sqrt(variance) if op == "stddev" else variance)


def _quantile(values: Floats, here: Bools, param: Floats) -> Floats:
    result = np.full(values.shape[1], np.nan)
    for step in range(values.shape[1]):
        q, known = float(param[step]), values[here[:, step], step]
        if len(known):
            result[step] = np.inf if q > 1 else -np.inf if q < 0 else np.quantile(known, q)
    return result


def _ranked(vector: Vector, groups: dict[Key, tuple[Labels, list[int]]], param: Floats, *, largest: bool) -> Vector:
    kept = np.zeros_like(vector.present)
    rank = np.where(vector.present & ~np.isnan(vector.values), vector.values if largest else -vector.values, -np.inf)
    for _, rows in groups.values():
        order = np.argsort(-rank[rows], axis=0, kind="stable")
        for step in range(kept.shape[1]):
            chosen = order[: max(0, int(param[step])), step]
            kept[np.asarray(rows)[chosen], step] = True
    vector = vector.where(kept)
    if vector.values.shape[1] == 1:
        # An instant answer is sorted by value.
        order = np.argsort(-rank[:, 0], kind="stable")
        return Vector([vector.labels[i] for i in order], vector.values[order], vector.present[order])
    return vector
