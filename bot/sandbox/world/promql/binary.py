"""Binary operators: arithmetic, comparison and sets, with the matching of series."""

from collections.abc import Callable, Mapping

import numpy as np

from bot.sandbox.world.promql.errors import ExecutionError
from bot.sandbox.world.promql.syntax import COMPARISONS, SET_OPERATORS, Binary, Matching
from bot.sandbox.world.promql.values import Bools, Floats, Key, Value, Vector, empty, key_of, nameless, stack
from bot.sandbox.world.tables import Labels

OPERATIONS: Mapping[str, Callable[[Floats, Floats], Floats | Bools]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def binary(node: Binary, left: Value, right: Value, steps: int) -> Value:
    """The value of an operation on two evaluated sides; raises ExecutionError if series do not match one to one."""
    assert not isinstance(left, str) and not isinstance(right, str)
    with np.errstate(all="ignore"):
        if isinstance(left, Vector) and isinstance(right, Vector):
            if node.op in SET_OPERATORS:
                return _sets(node, left, right, steps)
            return _vectors(node, left, right, steps)
        if isinstance(left, Vector) and not isinstance(right, Vector):
            return _with_scalar(node, left, right[None, :], left.values)
        if isinstance(right, Vector) and not isinstance(left, Vector):
            return _with_scalar(node, right, left[None, :], right.values, swapped=True)
        assert not isinstance(left, Vector) and not isinstance(right, Vector)
        return np.asarray(OPERATIONS[node.op](left, right), dtype=np.float64)


def _with_scalar(node: Binary, vector: Vector, scalar: Floats, values: Floats, *, swapped: bool = False) -> Vector:
    result = OPERATIONS[node.op](scalar, values) if swapped else OPERATIONS[node.op](values, scalar)
    if node.op in COMPARISONS and not node.as_bool:
        return vector.where(np.asarray(result, dtype=bool))
    return Vector([nameless(item) for item in vector.labels], np.asarray(result, dtype=np.float64), vector.present).checked()


def _match_key(labels: Labels, matching: Matching) -> Key:
    if matching.on:
        return key_of({name: labels.get(name, "") for name in matching.labels})
    return key_of({name: value for name, value in nameless(labels).items() if name not in matching.labels})


def _rows_by_key(vector: Vector, matching: Matching) -> dict[Key, list[int]]:
    rows: dict[Key, list[int]] = {}
    for row, labels in enumerate(vector.labels):
        rows.setdefault(_match_key(labels, matching), []).append(row)
    return rows


def _single(vector: Vector, rows: list[int], side: str, key: Key, needed: Bools) -> tuple[Floats, Bools]:
    """The one series of the "one" side; several are fine while they never stand at the same step of those in `needed`."""
    here = vector.present[rows]
    if len(rows) > 1 and ((here.sum(axis=0) > 1) & needed).any():
        shown = ", ".join(f'{name}="{value}"' for name, value in key)
        raise ExecutionError(
            f"found duplicate series for the match group {{{shown}}} on the {side} hand-side of the operation;"
            "many-to-many matching not allowed: matching labels must be unique on one side"
        )
    if len(rows) == 1:
        return vector.values[rows[0]], here[0]
    first = here.argmax(axis=0)
    return vector.values[rows][first, np.arange(here.shape[1])], np.asarray(here.any(axis=0))


def _vectors(node: Binary, left: Vector, right: Vector, steps: int) -> Vector:
    swapped = node.matching.group == "right"
    many, one = (right, left) if swapped else (left, right)
    # At a step where the other side is empty Prometheus answers before it reads this one.
    needed = np.asarray(many.present.any(axis=0))
    one_rows = _rows_by_key(one, node.matching)
    side = "left" if swapped else "right"
    singles = {key: _single(one, rows, side, key, needed) for key, rows in one_rows.items()}
    groups = []
    for key, rows in _rows_by_key(many, node.matching).items():
        if key in singles:
            partner = one.labels[one_rows[key][0]]
            groups.append(_group(node, many, rows, singles[key], partner, swapped=swapped))
    return stack(groups, steps).checked()


def _group(
    node: Binary, many: Vector, rows: list[int], single: tuple[Floats, Bools], partner: Labels, *, swapped: bool
) -> Vector:
    """The results of one match group; raises ExecutionError if two of them have the same labels."""
    other, other_here = single
    here = many.present[rows] & other_here
    values = many.values[rows]
    others = np.broadcast_to(other, values.shape)
    sides = (others, values) if swapped else (values, others)
    result = OPERATIONS[node.op](*sides)
    if node.op in COMPARISONS and not node.as_bool:
        here, result = here & np.asarray(result, dtype=bool), sides[0]
    if not node.matching.group and (here.sum(axis=0) > 1).any():
        raise ExecutionError("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
    labels = [_result_labels(node, many.labels[row], partner) for row in rows]
    return Vector(labels, np.asarray(result, dtype=np.float64), here).checked(
        "multiple matches for labels: grouping labels must ensure unique matches"
    )


def _result_labels(node: Binary, many: Labels, one: Labels) -> Labels:
    filters = node.op in COMPARISONS and not node.as_bool
    if node.matching.group:
        labels = dict(many) if filters else nameless(many)
        labels |= {name: one.get(name, "") for name in node.matching.include}
        return {name: value for name, value in labels.items() if value}
    labels = dict(many) if filters else nameless(many)
    if node.matching.on:
        return {name: value for name, value in labels.items() if name in node.matching.labels}
    return {name: value for name, value in labels.items() if name not in node.matching.labels}


def _sets(node: Binary, left: Vector, right: Vector, steps: int) -> Vector:
    if node.op == "or":
        covered = _cover(left, right, node.matching)
        both = Vector(
            left.labels + right.labels,
            np.vstack([left.values, right.values]),
            np.vstack([left.present, right.present & ~covered]),
        )
        return both.checked() if both.labels else empty(steps)
    covered = _cover(right, left, node.matching)
    return left.where(covered if node.op == "and" else ~covered)


def _cover(by: Vector, of: Vector, matching: Matching) -> Bools:
    """Where series of `of` have a partner in `by`; shape of `of.present`."""
    rows = _rows_by_key(by, matching)
    covered = np.zeros_like(of.present)
    for row, labels in enumerate(of.labels):
        if partners := rows.get(_match_key(labels, matching)):
            covered[row] = by.present[partners].any(axis=0)
    return covered
