"""The syntax tree of a query."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Type = Literal["scalar", "vector", "matrix", "string"]


@dataclass(frozen=True)
class Matcher:
    """One condition on a label; an absent label counts as empty."""

    label: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(f"(?s:{self.value})")

    def accepts(self, value: str) -> bool:
        """True if the condition holds. Patterns are anchored at both ends."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        return (self._pattern.fullmatch(value) is not None) == (self.op == "=~")


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class String:
    value: str


@dataclass(frozen=True)
class Selector:
    """An instant vector selector; `offset` in seconds."""

    matchers: tuple[Matcher, ...]
    offset: float = 0.0


@dataclass(frozen=True)
class Range:
    """A selector with a window of `seconds`."""

    selector: Selector
    seconds: float


@dataclass(frozen=True)
class Subquery:
    """Any vector expression evaluated every `step` seconds over a window; `step` 0: the default."""

    expr: "Expr"
    seconds: float
    step: float
    offset: float = 0.0


@dataclass(frozen=True)
class Call:
    function: str
    args: tuple["Expr", ...]


@dataclass(frozen=True)
class Aggregate:
    op: str
    expr: "Expr"
    param: "Expr | None" = None
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True)
class Matching:
    """How the sides of a binary operation find each other."""

    on: bool = False
    labels: tuple[str, ...] = ()
    group: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    op: str
    left: "Expr"
    right: "Expr"
    as_bool: bool = False
    matching: Matching = field(default_factory=Matching)


@dataclass(frozen=True)
class Negative:
    expr: "Expr"


Expr = Number | String | Selector | Range | Subquery | Call | Aggregate | Binary | Negative

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile"})
WITH_PARAMETER = frozenset({"topk", "bottomk", "quantile"})

Signature = tuple[tuple[Type, ...], int, Type]
SIGNATURES: dict[str, Signature] = {
    # name: (argument types, how many of the last may be left out, result)
    **dict.fromkeys(
        (
            "rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
            "max_over_time", "sum_over_time", "count_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time",
            "present_over_time", "absent_over_time",
        ),
        (("matrix",), 0, "vector"),
    ),
    **dict.fromkeys(
        (
            "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "absent", "timestamp", "sort", "sort_desc",
        ),
        (("vector",), 0, "vector"),
    ),
    "quantile_over_time": (("scalar", "matrix"), 0, "vector"),
    "predict_linear": (("matrix", "scalar"), 0, "vector"),
    "round": (("vector", "scalar"), 1, "vector"),
    "clamp": (("vector", "scalar", "scalar"), 0, "vector"),
    "clamp_min": (("vector", "scalar"), 0, "vector"),
    "clamp_max": (("vector", "scalar"), 0, "vector"),
    "histogram_quantile": (("scalar", "vector"), 0, "vector"),
    "label_replace": (("vector", "string", "string", "string", "string"), 0, "vector"),
    "scalar": (("vector",), 0, "scalar"),
    "vector": (("scalar",), 0, "vector"),
    "time": ((), 0, "scalar"),
}  # fmt: skip

TYPE_NAMES: dict[Type, str] = {"scalar": "scalar", "vector": "instant vector", "matrix": "range vector", "string": "string"}


def type_of(expr: Expr) -> Type:
    """The type of a well-formed expression."""
    if isinstance(expr, Number):
        return "scalar"
    if isinstance(expr, String):
        return "string"
    if isinstance(expr, Range | Subquery):
        return "matrix"
    if isinstance(expr, Call):
        return SIGNATURES[expr.function][2]
    if isinstance(expr, Negative):
        return type_of(expr.expr)
    if isinstance(expr, Binary):
        return "scalar" if type_of(expr.left) == type_of(expr.right) == "scalar" else "vector"
    return "vector"
