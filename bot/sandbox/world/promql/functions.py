"""Functions of instant vectors that read labels or several series at once."""

import re
from functools import partial

import numpy as np

from bot.sandbox.world.promql.aggregate import group_rows
from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.promql.syntax import Expr, Range, Selector
from bot.sandbox.world.promql.values import Floats, Vector, empty, nameless, ordered
from bot.sandbox.world.tables import Labels


def histogram_quantile(q: Floats, vector: Vector, steps: int) -> Vector:
    """The q-quantile from cumulative buckets, linear inside a bucket (promql/quantile.go, bucketQuantile)."""
    rows = [row for row, item in enumerate(vector.labels) if _upper_limit(item) is not None]
    if not rows:
        return empty(steps)
    buckets = Vector([vector.labels[row] for row in rows], vector.values[rows], vector.present[rows])
    labels, values, present = [], [], []
    for grouping, members in group_rows(buckets, ("le",), True).values():
        members = sorted(members, key=lambda row: _upper_limit(buckets.labels[row]) or 0.0)
        bounds = np.asarray([_upper_limit(buckets.labels[row]) for row in members], dtype=np.float64)
        here = buckets.present[members].any(axis=0)
        counts = np.where(buckets.present[members], buckets.values[members], 0.0)
        labels.append(nameless(grouping))
        values.append(_quantile_of_buckets(q, bounds, np.maximum.accumulate(counts, axis=0)))
        present.append(here)
    return Vector(labels, np.vstack(values), np.vstack(present))


def _upper_limit(labels: Labels) -> float | None:
    try:
        return float(labels.get("le", "").replace("+Inf", "inf"))
    except ValueError:
        return None


def _quantile_of_buckets(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """`counts` of shape (buckets, n), cumulative; answers of shape (n,)."""
    total = counts[-1]
    if len(bounds) < 2 or not np.isinf(bounds[-1]):
        return np.full(len(total), np.nan)
    rank = q * total
    bucket = np.minimum((counts < rank).sum(axis=0), len(bounds) - 1)
    columns = np.arange(len(total))
    below = np.where(bucket > 0, counts[np.maximum(bucket - 1, 0), columns], 0.0)
    start = np.where(bucket > 0, bounds[np.maximum(bucket - 1, 0)], 0.0)
    inside = counts[bucket, columns] - below
    with np.errstate(all="ignore"):
        answer = start + (bounds[bucket] - start) * (rank - below) / inside
    answer = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], answer)
    answer = np.where(bucket == len(bounds) - 1, bounds[-2], answer)
    answer = np.where((total == 0) | np.isnan(total), np.nan, answer)
    return np.where(q < 0, -np.inf, np.where(q > 1, np.inf, answer))


def label_replace(vector: Vector, target: str, replacement: str, source: str, pattern: str) -> Vector:
    """Write `replacement` (with $1, ${name}) into `target` where `source` matches the whole pattern."""
    try:
        compiled = re.compile(f"(?s:{pattern})")
    except re.error as error:
        raise ExecutionError(f"invalid regular expression in label_replace(): {pattern}: {error}") from error
    if not _LABEL.fullmatch(target):
        raise ExecutionError(f"invalid destination label name in label_replace(): {target}")
    labels = []
    for item in vector.labels:
        match = compiled.fullmatch(item.get(source, ""))
        changed = dict(item)
        if match:
            changed[target] = _REFERENCE.sub(partial(_referred, match), replacement)
            if not changed[target]:
                del changed[target]
        labels.append(changed)
    return Vector(labels, vector.values, vector.present).checked()


_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)
"""As Go's Regexp.Expand reads a template: `$$`, `$1`, `${1}`; a name is as long as it can be."""


def _referred(match: re.Match[str], reference: re.Match[str]) -> str:
    """What stands in the place of a reference; nothing for a group that the pattern does not have."""
    if reference[1]:
        return "$"
    name = reference[2] or reference[3]
    if name.isdigit():
        return match[int(name)] or "" if int(name) <= match.re.groups else ""
    return match[name] or "" if name in match.re.groupindex else ""


def absent(vector: Vector, source: Expr) -> Vector:
    """1 where no series has a sample; labels from the equality matchers of a plain selector."""
    selector = source.selector if isinstance(source, Range) else source
    labels: Labels = {}
    if isinstance(selector, Selector):
        names = [m.label for m in selector.matchers]
        labels = {
            m.label: m.value
            for m in selector.matchers
            if m.op == "=" and m.value and m.label != "__name__" and names.count(m.label) == 1
        }
    missing = np.asarray(~vector.present.any(axis=0))
    return Vector([labels], np.ones((1, len(missing))), missing[None, :])


def to_scalar(vector: Vector) -> Floats:
    """The value of the only series at each step, NaN if there are none or several."""
    count = vector.present.sum(axis=0)
    total = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return np.where(count == 1, total, np.nan)


def sort(vector: Vector, *, descending: bool) -> Vector:
    """Series in order of their value (instant queries only; a range answer has no order)."""
    if vector.values.shape[1] != 1:
        return vector
    order = ordered(np.nonzero(vector.present[:, 0])[0].tolist(), vector.values[:, 0], descending=descending)
    return Vector([vector.labels[row] for row in order], vector.values[order], vector.present[order])
