"""Which value of a label carries a change: a version, a pod, a status code, a provider."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.core.loading.arrays import Floats, np
from bot.core.metrics.series import Series
from bot.core.metrics.signal_names import Harm
from bot.core.metrics.signals import CODE_LABELS, SERVICE_LABELS

INFORMATIVE_LABELS = (
    "version",
    "provider",
    "peer",
    "upstream",
    "destination",
    "target",
    "pod",
    "instance",
    "node",
    "zone",
    *CODE_LABELS,
)
"""Labels whose values most often point at a cause, in the order in which they are tried: one code usually holds all errors."""
IDENTITY_LABELS = frozenset({"version", "pod", "instance", "node"})
"""Labels of what serves the requests. Where one value serves all of them, the split says nothing about it."""
MAX_LABELS = 5
SERVING_WITHIN = timedelta(seconds=30)
"""A version whose newest sample is older than that of another by more serves no longer."""
_CLEAR_SHARE = 0.8
_EXCLUDED = frozenset({"__name__", "le", "quantile", "uid", "id", "container_id", "image_id", *SERVICE_LABELS})


@dataclass(frozen=True)
class BreakdownPart:
    """One value of the label: medians before and after the onset in the signal's unit, and its share of the change (0..1)."""

    value: str
    before: float
    after: float
    share: float
    until: float = 0.0
    """Unix seconds of its newest sample; 0 without one."""
    existed: bool = True
    """Whether it had samples before the onset: a new version has none, and `before` is 0."""
    present: bool = True
    """Whether it had samples after the onset; if not, `after` is 0."""


@dataclass(frozen=True)
class Breakdown:
    """A signal split by one label, the part with the largest share of the change first."""

    label: str
    parts: tuple[BreakdownPart, ...]
    present: int
    """Values that could have caused the change: of versions or pods, those with data after the onset."""

    @property
    def lead(self) -> float:
        """How much larger the first share is than an even one; 0 says nothing."""
        return self.parts[0].share - 1 / self.present if self.parts and self.present > 1 else 0.0


def candidate_labels(label_sets: Iterable[Mapping[str, str]]) -> list[str]:
    """Labels worth a try, the informative ones first, at most five: those with two values or more."""
    by_label: dict[str, set[str]] = {}
    for labels in label_sets:
        for name, value in labels.items():
            by_label.setdefault(name, set()).add(value)
    several = [name for name, values in by_label.items() if name not in _EXCLUDED and 2 <= len(values) <= 200]
    order = {name: index for index, name in enumerate(INFORMATIVE_LABELS)}
    return sorted(several, key=lambda name: (order.get(name, len(order)), name))[:MAX_LABELS]


def break_down(series: Sequence[Series], label: str, *, onset: datetime, harm: Harm, averaged: bool) -> Breakdown:
    """Compare each value of `label` before and after the onset; series of one value are summed, or averaged for ratios.

    A value without data counts as zero: the requests, or errors, were not there. Not so for averages: a share or a latency
    without data is unknown, so a value that is gone moved nothing, and a new one is compared with what all were before.
    Of averaged versions one that came later, while something else was wrong for long, is compared over its own time alone.
    """
    groups = _grouped(series, label)
    shared = _serving_together(groups.values(), onset) if averaged and "version" in label else onset
    medians = [(value, *_medians(group, onset, shared, averaged)) for value, group in groups.items()]
    usual = _combined([before for _, before, _ in medians], averaged=True) if averaged else 0.0
    moves = {
        value: 0.0 if averaged and np.isnan(after) else _move(usual if np.isnan(before) else before, after, harm)
        for value, before, after in medians
    }
    total = sum(moves.values())
    parts = [
        BreakdownPart(
            value,
            _zero_if_nan(before),
            _zero_if_nan(after),
            round(moves[value] / total, 3) if total > 0 else 0.0,
            _newest(groups[value]),
            not np.isnan(before),
            not np.isnan(after),
        )
        for value, before, after in medians
    ]
    present = [after for _, _, after in medians if label not in IDENTITY_LABELS or not np.isnan(after)]
    return Breakdown(label, tuple(sorted(parts, key=lambda part: (-part.share, -part.after, part.value))), len(present))


def most_informative(breakdowns: Iterable[Breakdown]) -> Breakdown | None:
    """The first breakdown, in the order tried, in which one value holds nearly all of the change; else the clearest one."""
    useful = [breakdown for breakdown in breakdowns if breakdown.lead > 0]
    clear = [breakdown for breakdown in useful if breakdown.parts[0].share >= _CLEAR_SHARE]
    return clear[0] if clear else max(useful, key=lambda breakdown: breakdown.lead, default=None)


def _grouped(series: Sequence[Series], label: str) -> dict[str, list[Series]]:
    groups: dict[str, list[Series]] = {}
    for line in series:
        groups.setdefault(line.labels.get(label, ""), []).append(line)
    return groups


def _serving_together(groups: Collection[Sequence[Series]], onset: datetime) -> datetime:
    """Since when all values serve that serve now; the onset where the last of them came no later than shortly after it."""
    newest = max(map(_newest, groups), default=0.0)
    serving = [group for group in groups if newest - _newest(group) <= SERVING_WITHIN.total_seconds()]
    last = datetime.fromtimestamp(max(map(_oldest, serving), default=0.0), UTC)
    return last if last > onset + SERVING_WITHIN else onset


def _medians(group: Sequence[Series], onset: datetime, since: datetime, averaged: bool) -> tuple[float, float]:
    """Of the values of a group, before the onset, and after it from a moment on, where anything was measured from then on."""
    before = [_median(line.values[line.times < onset.timestamp()]) for line in group]
    after = [_median(line.values[line.times >= since.timestamp()]) for line in group]
    if np.isnan(_combined(after, averaged)):
        after = [_median(line.values[line.times >= onset.timestamp()]) for line in group]
    return _combined(before, averaged), _combined(after, averaged)


def _oldest(group: Sequence[Series]) -> float:
    """The moment of the oldest sample of any of the series."""
    finite = [line.times[np.isfinite(line.values)] for line in group]
    return min((float(times[0]) for times in finite if len(times)), default=0.0)


def _newest(group: Sequence[Series]) -> float:
    """The moment of the newest sample of any of the series."""
    return max(
        (float(line.times[np.isfinite(line.values)][-1]) for line in group if np.isfinite(line.values).any()), default=0.0
    )


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _combined(values: Sequence[float], averaged: bool) -> float:
    finite = [value for value in values if not np.isnan(value)]
    if not finite:
        return float("nan")
    return sum(finite) / len(finite) if averaged else sum(finite)


def _move(before: float, after: float, harm: Harm) -> float:
    """How far it moved in the harmful direction; traffic may move either way."""
    shift = _zero_if_nan(after) - _zero_if_nan(before)
    return abs(shift) if harm == "either" else max(0.0, -shift if harm == "down" else shift)


def _zero_if_nan(value: float) -> float:
    return 0.0 if np.isnan(value) else value
