"""Behaviour: whether a service does its usual mix of things, judged by how often each kind of line came a minute."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.loading.arrays import Floats, np
from bot.core.logs.line import LogLine
from bot.core.logs.masking import masked
from bot.core.logs.parsing import message_of
from bot.core.metrics.deviation import MAX_DOUBLINGS

MINUTE = 60.0
_Z0 = 3.0
_USUAL = 0.75
"""Share of the past that is usual: of few windows some are of incidents before."""
_PRIOR_COUNT = 0.5
"""Prior count of each kind: a new kind is a surprise, but a finite one."""


@dataclass(frozen=True)
class Unusual:
    """One kind whose share of all changed: `doublings` beyond what is usual, shares 0 to 1, and the count now."""

    kind: str
    doublings: float
    before: float
    after: float
    count: int


@dataclass(frozen=True)
class Mix:
    """Counts of each kind a minute: `history` (kinds, minutes), `present` likewise."""

    kinds: Sequence[str]
    history: Floats
    present: Floats


def mix_of(lines: Iterable[LogLine], *, since: datetime) -> Mix:
    """Kinds of lines by minute; minutes without a line (not recorded, or nothing to do) are left out."""
    began = since.timestamp()
    counts: dict[float, Counter[str]] = {}
    for line in lines:
        minute = math.floor((line.at.timestamp() - began) / MINUTE)
        counts.setdefault(minute, Counter())[masked(message_of(line.text))] += 1
    kinds = sorted({kind for minute in counts.values() for kind in minute})
    table = np.array([[counts[minute][kind] for minute in sorted(counts)] for kind in kinds], dtype=np.float64)
    table = table.reshape(len(kinds), len(counts))
    past = sum(minute < 0 for minute in counts)
    return Mix(kinds, table[:, :past], table[:, past:])


def unusual(mix: Mix) -> list[Unusual]:
    """What of the present mix is unusual, the most unusual first; empty if one side is missing.

    The count of each kind in the present minutes is compared with its usual share of all counts there, so that load
    cancels out: z is the signed root of twice the Poisson deviance of the count. The limit is the larger of the 75 %
    quantile of the largest |z| over all equally long stretches of the past and 3 (1 + 3/sqrt minutes).
    doublings = log2(|z| / limit).
    """
    minutes, length = mix.history.shape[1], mix.present.shape[1]
    if not minutes or not length or not mix.present.sum():
        return []
    share = (mix.history.sum(axis=1) + _PRIOR_COUNT) / (mix.history.sum() + _PRIOR_COUNT * len(mix.kinds))
    windows = np.lib.stride_tricks.sliding_window_view(mix.history, min(length, minutes), axis=1).sum(axis=-1)
    past = np.abs(_surprise(windows, share)).max(axis=0)
    limit = max(_Z0 * (1 + 3 / math.sqrt(minutes)), float(np.quantile(past, _USUAL)))
    now = mix.present.sum(axis=1)
    z = _surprise(now[:, None], share)[:, 0]
    order = np.argsort(-np.abs(z), kind="stable")
    return [
        Unusual(mix.kinds[i], _doublings(abs(float(z[i])), limit), float(share[i]), float(now[i] / now.sum()), int(now[i]))
        for i in order
    ]


def _doublings(z: float, limit: float) -> float:
    return float(np.clip(math.log2(max(z, limit / 64) / limit), -MAX_DOUBLINGS, MAX_DOUBLINGS))


def _surprise(counts: Floats, share: Floats) -> Floats:
    """Signed root of twice the deviance of Poisson counts (kinds, windows) from their usual share of each window."""
    expected = share[:, None] * counts.sum(axis=0, keepdims=True)
    expected = np.maximum(expected, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts > 0, counts * np.log(counts / expected), 0.0)
    return np.asarray(np.sign(counts - expected) * np.sqrt(np.maximum(0.0, 2 * (logs - (counts - expected)))))
