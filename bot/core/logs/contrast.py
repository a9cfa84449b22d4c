"""What sets failing lines apart: a field whose one value nearly all of them hold, and few of the other lines."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.logs.fields import fields_of
from bot.core.logs.line import LogLine

_FEWEST, _FEWEST_OTHERS = 5, 8
"""Lines that hold the field, of each kind: fewer agree by chance."""
_NEARLY_ALL = 0.9
"""Share of the failing lines that must hold the field, and of these the value."""
_BY_CHANCE = 0.01
"""Probability below which so many lines do not agree by chance, at the share that the value has among the others."""
_READ = 2_000
"""Lines of each kind that are read."""
_DESCRIBES = re.compile(
    r"(^|[._])(level|severity(_text)?|lvl|msg|message|log|logger|text|body|event|err|error|exception|stack\w*|status(_?code)?|"
    r"code|reason|cause|detail|hint|time|timestamp|ts|at|date|trace_?id|span_?id|request_?id|correlation_?id|id|uuid|pid|"
    r"thread|caller|line|duration|elapsed|took|latency|attempts?|retr(y|ies)|result|outcome|service)([._]|$)|_(ms|s|us|ns|at)$",
    re.I,
)
"""Fields that say how a line failed, when, or which one it is: they set every failure apart."""
_POD = re.compile(r"(^|[._])pod(_?name)?$|(^|[._])pod[._]name$", re.I)


@dataclass(frozen=True)
class Contrast:
    """One value that `failing` of `of` failing lines hold, and `others` of `others_of` other ones."""

    field: str
    value: str
    failing: int
    of: int
    others: int
    others_of: int
    pods: int = 1
    """Pods that wrote the failing lines, as far as these name them."""


def contrasts(failing: Sequence[LogLine], others: Sequence[LogLine]) -> list[Contrast]:
    """The values that set `failing` apart from `others`, the most telling first.

    Lines without the field say nothing; a field of which the others hold one value alone tells no two places apart.
    Some 10 us a line: call it in a thread.
    """
    of_failing, of_others = _values(failing), _values(others)
    pods = max((len(values) for field, values in of_failing.items() if _POD.search(field)), default=1)
    apart = (
        replace(contrast, pods=pods)
        for field, values in of_failing.items()
        if values.total() >= _NEARLY_ALL * min(len(failing), _READ) and (contrast := _contrast(field, values, of_others))
    )
    return sorted(apart, key=lambda one: (one.others / one.others_of, -one.failing, one.field))


def _values(lines: Sequence[LogLine]) -> Mapping[str, Counter[str]]:
    values: dict[str, Counter[str]] = {}
    for name, value in _pairs(lines[:_READ]):
        values.setdefault(name, Counter())[value] += 1
    return values


def _pairs(lines: Iterable[LogLine]) -> Iterable[tuple[str, str]]:
    return ((name, value) for line in lines for name, value in fields_of(line).items() if not _DESCRIBES.search(name))


def _contrast(field: str, values: Counter[str], of_others: Mapping[str, Counter[str]]) -> Contrast | None:
    others = of_others.get(field, Counter())
    (value, count), total = values.most_common(1)[0], values.total()
    if count < max(_FEWEST, _NEARLY_ALL * total) or others.total() < _FEWEST_OTHERS or len(others) < 2:
        return None
    share = (others[value] + 1) / (others.total() + 2)
    if share**count > _BY_CHANCE:
        return None
    return Contrast(field, value, count, total, others[value], others.total())
