"""How far a signal is from its own normal, in doublings, so that signals of different kinds can be compared."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.metrics.series import Direction, Series, between, find_onset, known_samples, median_and_scale, time_after_alert
from bot.core.text.moments import iso_utc

Family = Literal["errors", "latency", "traffic", "saturation", "external", "client", "network", "behaviour"]
Harm = Literal["up", "down", "either"]

MAX_DOUBLINGS = 6.0
"""Scores are cut here: sixty-four times the normal reach is not more telling than a thousand times."""
_ENOUGH_SAMPLES = 8
_FEW = 8
_COARSE, _FEWEST_MINUTES = 30.0, 3
"""Of samples so many seconds apart three already say something: an incident early in a history must not fall silent."""
_Z0 = 3.0
_USUAL, _USUAL_WITHOUT_ONSET = 0.9, 0.98
"""Share of the past that is usual: an incident that took six minutes of the hour before is not. What stands without a
beginning may be a spike like others before, so there nearly all of the past counts as usual."""
FULL_SHARE = {"%": 100.0, "percent": 100.0, "ratio": 1.0, "share": 1.0}
"""100 % in each unit that a share is given in."""
_LEAST_RATIO = 0.002
"""Spread below which an error ratio's movement is nobody's incident (0.2 %)."""

_LEAST_WAIT = 0.002
"""Spread in seconds below which waiting on the wire is nobody's incident."""
_LEAST_CALLS = 0.02
"""Spread of calls per request that nobody counts: one rare call more is no other behaviour."""

_WORDS: tuple[tuple[Family, str], ...] = (
    ("client", r"client.*(latenc|duration|p\d\d)|at callers$"),
    ("network", r"on the wire$"),
    ("external", r"external|provider|third.?party|outbound|egress"),
    ("errors", r"errors?|err_|fail|bad_|lost|dropp|5xx|4xx|exception|success|availab|abort|reject|timeout"),
    ("saturation", r"cpu|mem|rss|heap|connection|pool|queue|backlog|disk|thread|restart|oom|lag|saturat|throttl|ready|replica"),
    ("latency", r"latenc|duration|seconds|response.?time|p9\d|p50|slow|wait"),
    ("traffic", r"traffic|request|rps|qps|rate|throughput|load|calls|volume"),
)  # fmt: skip
_GOOD_WHEN_HIGH = re.compile(r"success|availab|ready|free|idle|hit.?rat|replica|uptime", re.I)


@dataclass(frozen=True)
class Deviation:
    """One signal of one service against its own normal.

    `doublings` is log2 of how far it moved over its own normal reach: 0 is the edge of normal, 1 twice that, at most 6;
    negative is normal. `before` is the past's median, `after` what it is since then, in `unit`.
    """

    service: str
    signal: str
    family: Family
    doublings: float
    before: float
    after: float
    unit: str = ""
    onset: datetime | None = None
    direction: Direction = "up"
    step: float = 0.0
    """Seconds between its samples: an onset is no more exact than that. 0 if not known."""
    peer: str = ""
    """The other service it is about, for calls to it."""

    @property
    def shift(self) -> float:
        """How much it moved, in `unit`."""
        return self.after - self.before

    def as_fact(self) -> dict[str, Any]:
        """Plain JSON: what stands in `Evidence.facts["deviations"]`."""
        return {
            "service": self.service,
            "signal": self.signal,
            "family": self.family,
            "score": round(self.doublings, 2),
            "before": _rounded(self.before),
            "after": _rounded(self.after),
            "unit": self.unit,
            "onset": iso_utc(self.onset) if self.onset else None,
            "direction": self.direction,
            "step": round(self.step, 1),
            "peer": self.peer,
        }

    @classmethod
    def of_fact(cls, fact: Mapping[str, Any]) -> "Deviation":
        """Back from `as_fact`; missing numbers are NaN, an unknown family is derived from the signal's name."""
        onset = fact.get("onset")
        signal = str(fact.get("signal", ""))
        return cls(
            service=str(fact.get("service", "")),
            signal=signal,
            family=fact.get("family") or family_of(signal),
            doublings=_number(fact.get("score"), 0.0),
            before=_number(fact.get("before"), math.nan),
            after=_number(fact.get("after"), math.nan),
            unit=str(fact.get("unit") or ""),
            onset=datetime.fromisoformat(onset) if onset else None,
            direction="down" if fact.get("direction") == "down" else "up",
            step=_number(fact.get("step"), 0.0),
            peer=str(fact.get("peer") or ""),
        )


def family_of(signal: str) -> Family:
    """The family a signal's name speaks of; "saturation" when it says nothing known."""
    for family, words in _WORDS:
        if re.search(words, signal, re.I):
            return family
    return "saturation"


def harm_of(signal: str, family: Family) -> Harm:
    """Which way is bad: more traffic and less traffic both are; errors, latency and use of a resource only upwards."""
    if _GOOD_WHEN_HIGH.search(signal):
        return "down"
    return "either" if family == "traffic" else "up"


def measure_deviation(
    series: Series,
    *,
    service: str,
    signal: str,
    alert_at: datetime,
    family: Family | None = None,
    unit: str = "",
    harm: Harm | None = None,
    before: timedelta = timedelta(hours=1),
    reference: Series | None = None,
    peer: str = "",
) -> Deviation | None:
    """Compare what stood at `alert_at` with the signal's own past; None if too few samples are known to say.

    The past is what came before the onset (or before the last five minutes, if nothing deviates), and where that is
    short `reference`, an earlier period of the same signal. With z = (value - median) / scale, harmful side up, the
    statistic of a window is the mean of the worse half of its z. Its limit is the larger of the 90 % quantile of the
    same statistic over all windows of the past (98 % where no onset is seen) and 3 (1 + 2/sqrt n).
    doublings = log2(statistic / limit), at most 6.
    A resource that climbs in a line through the whole window deviates too, with its onset not known.
    """
    family = family or family_of(signal)
    harm = harm or harm_of(signal, family)
    if harm == "down" and (full := FULL_SHARE.get(unit)) and family == "errors":
        fixed: dict[str, Any] = {"service": service, "signal": signal, "family": family, "unit": unit}
        return _of_the_lost(series, reference, full, alert_at=alert_at, before=before, **fixed)
    series, reference = (_with_calls(s, family) if s is not None else None for s in (series, reference))  # type: ignore[assignment]
    least = _least(family, unit)
    onset = find_onset(series, alert_at=alert_at, before=before, direction=None if harm == "either" else harm, least=least)
    window = known_samples(between(series, alert_at - before, alert_at + time_after_alert(series)))
    past, present = _compared(window, onset, alert_at, reference)
    if len(past) < (_FEWEST_MINUTES if _step_of(window) >= _COARSE else _ENOUGH_SAMPLES) or not len(present):
        return None
    side = _side(past, present, harm)
    if family == "saturation" and (climb := _climb(window, side)):
        return Deviation(service, signal, family, climb[0], climb[1], climb[2], unit, None, "up" if side > 0 else "down")
    return Deviation(
        step=_step_of(window),
        peer=peer,
        service=service,
        signal=signal,
        family=family,
        doublings=_doublings(past, present, side, least, _USUAL if onset else _USUAL_WITHOUT_ONSET),
        before=float(np.median(past)),
        after=_level_while_bad(present, side),
        unit=unit,
        onset=onset,
        direction="up" if side > 0 else "down",
    )


def _of_the_lost(series: Series, reference: Series | None, full: float, **fixed: Any) -> Deviation | None:
    """What is lost is what varies: 100 % +- 5 % of its level is no noise that anybody sees."""
    earlier = _lost(reference, full) if reference is not None else None
    found = measure_deviation(_lost(series, full), reference=earlier, harm="up", **fixed)
    return found and replace(found, before=full - found.before, after=full - found.after, direction="down")


def _compared(
    window: Series, onset: datetime | None, alert_at: datetime, reference: Series | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Samples of the past, an earlier period included, and of now."""
    past, present = _past_and_present(window, onset, alert_at)
    if reference is not None:
        past = np.concatenate([known_samples(reference).values, past])
    if len(past) < _ENOUGH_SAMPLES and onset is None and _step_of(window) >= _COARSE:
        return _split_at_alert(window, alert_at)
    return past, present


def _past_and_present(
    window: Series, onset: datetime | None, alert_at: datetime
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if onset is not None:
        return window.values[window.times < onset.timestamp()], window.values[window.times >= onset.timestamp()]
    # Without an onset only what stands now counts: minutes ago there may have been an incident that is over.
    before, now = (alert_at - timedelta(minutes=5)).timestamp(), (alert_at - timedelta(seconds=90)).timestamp()
    recent = window.values[window.times >= now]
    return window.values[window.times < before], recent if len(recent) >= 3 else window.values[-3:]


def _split_at_alert(window: Series, alert_at: datetime) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """With a history of minutes only, all of it before the alert has to do."""
    before = window.times <= alert_at.timestamp()
    return window.values[before], window.values[~before]


def _doublings(past: NDArray[np.float64], present: NDArray[np.float64], side: float, least: float, usual: float) -> float:
    median, scale = median_and_scale(past, least=least)
    past_z, present_z = side * (past - median) / scale, side * (present - median) / scale
    length = max(1, min(len(present), len(past) // 2, 20))
    floor = _Z0 * (1 + 2 / math.sqrt(len(past)))
    windows = np.lib.stride_tricks.sliding_window_view(past_z, length)
    limit = max(floor, float(np.quantile(_worse_half(windows), usual)))
    statistic = float(_worse_half(present_z[None, :])[0])
    return float(np.clip(math.log2(max(statistic, limit / 64) / limit), -MAX_DOUBLINGS, MAX_DOUBLINGS))


def _climb(window: Series, side: float) -> tuple[float, float, float] | None:
    """Score and both ends of a line that runs one way through the whole window (a leak); None if there is none.

    Such a signal has no normal part to compare with. It counts if the line explains nine tenths of the movement and
    this passes a tenth of where it began: doublings = log2(movement / that tenth), its onset lies before the window.
    """
    if len(window.times) < 2 * _ENOUGH_SAMPLES:
        return None
    hours = (window.times - window.times[0]) / 3600
    slope, start = np.polyfit(hours, window.values, 1)
    explained = np.corrcoef(hours, window.values)[0, 1] ** 2 if np.ptp(window.values) > 0 else 0.0
    movement, tenth = side * slope * hours[-1], 0.1 * abs(start)
    if explained < 0.9 or movement <= tenth:
        return None
    return float(min(MAX_DOUBLINGS, math.log2(movement / max(tenth, 1e-12)))), float(start), float(start + slope * hours[-1])


def _worse_half(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the larger half of each row: a fault that comes and goes still counts. Shape (n, length) to (n,)."""
    half = (windows.shape[1] + 1) // 2
    return np.asarray(np.sort(windows, axis=1)[:, -half:].mean(axis=1))


def _level_while_bad(present: NDArray[np.float64], side: float) -> float:
    """The median; of few samples that of the worse half, for some of them may lie before the fault."""
    if len(present) > _FEW:
        return float(np.median(present))
    return float(side * np.median(np.sort(side * present)[-((len(present) + 1) // 2) :]))


def _side(past: NDArray[np.float64], present: NDArray[np.float64], harm: Harm) -> float:
    if harm == "either":
        return 1.0 if np.median(present) >= np.median(past) else -1.0
    return 1.0 if harm == "up" else -1.0


def _with_calls(series: Series, family: Family) -> Series:
    """Zero latency means that nobody called, not that it was fast."""
    if family != "latency":
        return series
    return Series(labels=series.labels, times=series.times, values=np.where(series.values == 0, np.nan, series.values))


def _least(family: Family, unit: str) -> float:
    """The smallest scale that matters, in the signal's unit: known only for ratios and for counts of waiting things."""
    if family in ("errors", "external") and unit in ("ratio", "", "share"):
        return _LEAST_RATIO
    if family == "behaviour":
        return _LEAST_CALLS
    if family == "network":
        return _LEAST_WAIT * (1000 if unit == "ms" else 1)
    if family in ("errors", "external") and unit in ("percent", "%"):
        return 100 * _LEAST_RATIO
    return 0.0


def _lost(series: Series, full: float) -> Series:
    return Series(labels=series.labels, times=series.times, values=full - series.values)


def _step_of(series: Series) -> float:
    return float(np.median(np.diff(series.times))) if len(series.times) > 1 else 0.0


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else default


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
