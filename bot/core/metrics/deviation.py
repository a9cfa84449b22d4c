"""How far a signal is outside its own normal range, in doublings: so signals of different kinds can be compared."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from bot.core.facts.measured import DeviationFact, Family
from bot.core.loading.arrays import Floats, np
from bot.core.metrics.drift import climb_start, until_restart
from bot.core.metrics.series import Direction, Series, between, find_onset, known_samples, median_and_scale, time_after_alert
from bot.core.metrics.signal_names import Harm, family_of, harm_of, is_in_flight, names_resource

MAX_DOUBLINGS = 6.0
"""Doublings are cut here: sixty-four times the normal range says no less than a thousand times."""
_MIN_SAMPLES = 8
_FEW_SAMPLES = 8
"""Of so few samples since the onset, some may lie before the fault."""
_LAST_SAMPLES = 3
_COARSE_STEP, _MIN_COARSE_SAMPLES = 30.0, 3
"""Of samples so many seconds apart three are enough: an incident early in a history must not be missed."""
_MIN_Z = 3.0
"""Scales from the median that the limit has at least, with many samples."""
_USUAL, _USUAL_WITHOUT_ONSET = 0.9, 0.98
"""Share of the past that is usual: an incident that took six minutes of the hour before is not. A deviation without an
onset may be a spike like others before, so there nearly all of the past counts as usual."""
FULL_SHARE = {"%": 100.0, "percent": 100.0, "ratio": 1.0, "share": 1.0}
"""100 % in each unit that a share is given in."""
_ALL_USED = 0.98
"""Share of its limit at which nothing of a resource is left to give."""
_MIN_RATIO_SCALE = 0.002
"""The smallest scale of an error ratio: a movement within 0.2 % is nobody's incident."""
_MIN_NETWORK_SCALE = 0.002
"""The smallest scale of network time, in seconds."""
_MIN_CALLS_SCALE = 0.02
"""The smallest scale of calls per request: one rare call more is no other behaviour."""

_STORE = re.compile(
    r"(disk|volume|filesystem|tablespace|inode|storage|wal|(?<!name)space)s?[a-z_ ]*[_ ](used|usage|full|occup)|"
    r"(used|full|occup)\w*[_ ]([a-z]+[_ ])*(disk|volume|filesystem|tablespace|inode|storage|wal|(?<!name)space)",
    re.I,
)
"""What holds what stays: unlike a processor or a pool it does not run full because something else is slow."""
_WHETHER_UP = re.compile(r"\bup$|down(?![a-z])|unreachable|absent", re.I)


@dataclass(frozen=True)
class Deviation:
    """One signal of one service compared with its own past.

    `doublings` is log2 of how far it moved over its own normal range: 0 is the edge of normal, 1 twice that, at most 6;
    negative is normal. `before` is the past's median, `after` its level during the fault, in `unit`.
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
    """Seconds between its samples: an onset is no more exact than that. 0 if unknown."""
    peer: str = ""
    """Of calls: the service that is called."""
    not_before: datetime | None = None
    """The last sample before the onset, where nothing was measured for a while between the two."""
    climbs_since: float | None = None
    """Unix seconds at which a resource that climbs through the whole window began to, where that stands out."""

    @property
    def shows_down(self) -> bool:
        """Whether it tells that nothing answers there any more: `up`, or the value of an alert like InstanceDown, fell."""
        return self.direction == "down" and _WHETHER_UP.search(self.signal) is not None

    @property
    def is_full_store(self) -> bool:
        """Whether a disk or the like, which fills by itself, has nothing left to give."""
        full = FULL_SHARE.get(self.unit)
        if full is None or self.direction == "down" or self.family != "saturation" or not _STORE.search(self.signal):
            return False
        return self.doublings > 0 and self.before < _ALL_USED * full <= self.after

    @property
    def shift(self) -> float:
        """How much it moved, in `unit`."""
        return self.after - self.before

    def as_fact(self, *, promql: str = "") -> DeviationFact:
        """As evidence holds it: levels rounded to 4 digits, the onset to seconds. `promql`: the one query that shows it."""
        return DeviationFact(
            service=self.service,
            signal=self.signal,
            family=self.family,
            doublings=round(self.doublings, 2),
            before=_rounded(self.before),
            after=_rounded(self.after),
            unit=self.unit,
            onset=self.onset.astimezone(UTC).replace(microsecond=0) if self.onset else None,
            direction=self.direction,
            step=round(self.step, 1),
            peer=self.peer,
            **({"promql": promql} if promql else {}),
            **({"not_before": self.not_before.astimezone(UTC).replace(microsecond=0)} if self.not_before else {}),
            **({"climbs_since": _moment(self.climbs_since)} if self.climbs_since else {}),
        )

    @classmethod
    def of_fact(cls, fact: DeviationFact) -> "Deviation":
        """Back from `as_fact`; a level that is not known is NaN."""
        return cls(
            service=fact.service,
            signal=fact.signal,
            family=fact.family,
            doublings=fact.doublings,
            before=math.nan if fact.before is None else fact.before,
            after=math.nan if fact.after is None else fact.after,
            unit=fact.unit,
            onset=fact.onset,
            direction=fact.direction,
            step=fact.step,
            peer=fact.peer,
            not_before=fact.not_before,
            climbs_since=fact.climbs_since.timestamp() if fact.climbs_since else None,
        )


def climbs_throughout(deviation: Deviation) -> bool:
    """Whether a resource climbs through the whole window that was read: where that began is older, or not seen."""
    return deviation.family == "saturation" and deviation.doublings > 0 and deviation.onset is None


class _MeasuredSignal(TypedDict):
    """What stays the same when the share that is lost is measured in place of the signal."""

    service: str
    signal: str
    family: Family
    unit: str
    alert_at: datetime
    before: timedelta


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
    """Compare the signal at `alert_at` with its own past; None if there are too few samples.

    The past is what came before the onset (or before the last five minutes, if nothing deviates), and where that is
    short `reference`, an earlier period of the same signal. With z = (value - median) / scale, harmful side up, the
    statistic of a window is the mean of the worse half of its z. Its limit is the larger of the 90 % quantile of the
    same statistic over all windows of the past (98 % where there is no onset) and 3 (1 + 2/sqrt n).
    doublings = log2(statistic / limit), at most 6.
    A resource that climbs in a line through the whole window deviates too, without an onset.
    """
    family = family or family_of(signal)
    harm = harm or harm_of(signal, family)
    measured = _MeasuredSignal(service=service, signal=signal, family=family, unit=unit, alert_at=alert_at, before=before)
    if harm == "down" and (full := FULL_SHARE.get(unit)) and family == "errors":
        return _measure_lost_share(series, reference, full, measured)
    earlier = _without_idle(reference, signal, family) if reference is not None else None
    return _compare(_without_idle(series, signal, family), earlier, harm, measured, peer)


def _compare(series: Series, reference: Series | None, harm: Harm, measured: _MeasuredSignal, peer: str) -> Deviation | None:
    """Compare the samples around the alert with the past, idle times left out of both."""
    alert_at, before, family = measured["alert_at"], measured["before"], measured["family"]
    least = _least(family, measured["unit"])
    direction, errors = None if harm == "either" else harm, family == "errors"
    onset = find_onset(series, alert_at=alert_at, before=before, direction=direction, least=least, has_single_events=errors)
    window = known_samples(between(series, alert_at - before, alert_at + time_after_alert(series)))
    past, present = _past_and_present(window, onset, alert_at, reference)
    if len(past) < (_MIN_COARSE_SAMPLES if _step_of(window) >= _COARSE_STEP else _MIN_SAMPLES) or not len(present):
        return None
    side = _side(past, present, harm)
    doublings = _doublings(past, present, side, least, _USUAL if onset else _USUAL_WITHOUT_ONSET)
    deviation = Deviation(
        service=measured["service"],
        signal=measured["signal"],
        family=family,
        doublings=doublings,
        before=float(np.median(past)),
        after=_level(past, present, side, is_resource=family == "saturation", deviates=doublings > 0),
        unit=measured["unit"],
        onset=onset,
        direction="up" if side > 0 else "down",
        step=_step_of(window),
        peer=peer,
    )
    return (_steady_climb(deviation, window, reference, side) if family == "saturation" else None) or deviation


def _steady_climb(deviation: Deviation, window: Series, reference: Series | None, side: float) -> Deviation | None:
    """The deviation of a resource that climbs through the whole window, which has no onset; None if it does not."""
    # Of what nobody knows to be a resource, a fall is no restart.
    rising = until_restart(window, side) if names_resource(deviation.signal) else window
    if not (climb := _climb(rising, side)):
        return None
    doublings, start, end = climb
    if (full := FULL_SHARE.get(deviation.unit)) and side > 0 and start < full:
        # Little left to climb is no small climb: what stands at its limit is used up.
        end = min(end, full)
        doublings = MAX_DOUBLINGS if start < _ALL_USED * full <= end else doublings
    since = climb_start(_together(reference, rising), side)
    return replace(deviation, doublings=doublings, before=start, after=end, onset=None, step=0.0, peer="", climbs_since=since)


def _together(earlier: Series | None, window: Series) -> Series:
    """An earlier period and the window as one series."""
    if earlier is None:
        return window
    before = earlier.times < window.times[0]
    times, values = (
        np.concatenate(pair) for pair in ((earlier.times[before], window.times), (earlier.values[before], window.values))
    )
    return Series(window.labels, times, values)


def _measure_lost_share(series: Series, reference: Series | None, full: float, measured: _MeasuredSignal) -> Deviation | None:
    """Measure 100 % minus the signal: noise of 5 % of its level would hide every fault of an availability near 100 %."""
    earlier = _lost(reference, full) if reference is not None else None
    lost = measure_deviation(_lost(series, full), reference=earlier, harm="up", **measured)
    return lost and replace(lost, before=full - lost.before, after=full - lost.after, direction="down")


def _past_and_present(
    window: Series, onset: datetime | None, alert_at: datetime, reference: Series | None
) -> tuple[Floats, Floats]:
    """Samples of the past, an earlier period included, and of now."""
    past, present = _split(window, onset, alert_at)
    if reference is not None:
        past = np.concatenate([known_samples(reference).values, past])
    if len(past) < _MIN_SAMPLES and onset is None and _step_of(window) >= _COARSE_STEP:
        return _split_at_alert(window, alert_at)
    return past, present


def _split(window: Series, onset: datetime | None, alert_at: datetime) -> tuple[Floats, Floats]:
    if onset is not None:
        return window.values[window.times < onset.timestamp()], window.values[window.times >= onset.timestamp()]
    # Without an onset only the newest samples are "now": minutes ago there may have been an incident that is over.
    before, now = (alert_at - timedelta(minutes=5)).timestamp(), (alert_at - timedelta(seconds=90)).timestamp()
    recent = window.values[window.times >= now]
    return window.values[window.times < before], recent if len(recent) >= 3 else window.values[-3:]


def _split_at_alert(window: Series, alert_at: datetime) -> tuple[Floats, Floats]:
    """A history of few minutes: all of it before the alert is the past."""
    before = window.times <= alert_at.timestamp()
    return window.values[before], window.values[~before]


def _doublings(past: Floats, present: Floats, side: float, least: float, usual: float) -> float:
    median, scale = median_and_scale(past, least=least)
    past_z, present_z = side * (past - median) / scale, side * (present - median) / scale
    length = max(1, min(len(present), len(past) // 2, 20))
    least = _MIN_Z * (1 + 2 / math.sqrt(len(past)))
    windows = np.lib.stride_tricks.sliding_window_view(past_z, length)
    limit = max(least, float(np.quantile(_worse_half(windows), usual)))
    statistic = float(_worse_half(present_z[None, :])[0])
    return float(np.clip(math.log2(max(statistic, limit / 64) / limit), -MAX_DOUBLINGS, MAX_DOUBLINGS))


def _climb(window: Series, side: float) -> tuple[float, float, float] | None:
    """Doublings and both ends of a line that runs one way through the whole window (a leak); None if there is none.

    Such a signal has no normal part to compare with. It counts if the line explains nine tenths of the movement and
    this is more than a tenth of where it began: doublings = log2(movement / that tenth). Its onset lies before the window.
    """
    if len(window.times) < 2 * _MIN_SAMPLES:
        return None
    hours = (window.times - window.times[0]) / 3600
    slope, start = np.polyfit(hours, window.values, 1)
    explained = np.corrcoef(hours, window.values)[0, 1] ** 2 if np.ptp(window.values) > 0 else 0.0
    movement, tenth = side * slope * hours[-1], 0.1 * abs(start)
    if explained < 0.9 or movement <= tenth:
        return None
    return float(min(MAX_DOUBLINGS, math.log2(movement / max(tenth, 1e-12)))), float(start), float(start + slope * hours[-1])


def _worse_half(windows: Floats) -> Floats:
    """Mean of the larger half of each row: a fault that comes and goes still counts. Shape (n, length) to (n,)."""
    half = (windows.shape[1] + 1) // 2
    return np.asarray(np.sort(windows, axis=1)[:, -half:].mean(axis=1))


def _level(past: Floats, present: Floats, side: float, *, is_resource: bool, deviates: bool) -> float:
    """The median; the median of the worse half where the median may tell of the time before the fault.

    So it is of few samples, and where half of what deviates is no worse than usual. A resource that climbs to its limit
    stands where its last samples are, if that is worse.
    """
    middle = float(np.median(present))
    worse = float(side * np.median(np.sort(side * present)[-((len(present) + 1) // 2) :]))
    if is_resource and deviates:
        return side * max(side * worse, side * float(np.median(present[-_LAST_SAMPLES:])))
    hidden = deviates and side * middle <= float(np.quantile(side * past, _USUAL))
    return worse if hidden or len(present) <= _FEW_SAMPLES else middle


def _side(past: Floats, present: Floats, harm: Harm) -> float:
    if harm == "either":
        return 1.0 if np.median(present) >= np.median(past) else -1.0
    return 1.0 if harm == "up" else -1.0


def _without_idle(series: Series, signal: str, family: Family) -> Series:
    """Drop zeros of a time: they mean that nobody called, not that it was fast."""
    if family != "latency" or is_in_flight(signal):
        return series
    return Series(labels=series.labels, times=series.times, values=np.where(series.values == 0, np.nan, series.values))


def _least(family: Family, unit: str) -> float:
    """The smallest scale that matters, in the signal's unit; 0 where none is known."""
    if family in ("errors", "external") and unit in ("ratio", "", "share"):
        return _MIN_RATIO_SCALE
    if family == "behaviour":
        return _MIN_CALLS_SCALE
    if family == "network":
        return _MIN_NETWORK_SCALE * (1000 if unit == "ms" else 1)
    if family in ("errors", "external") and unit in ("percent", "%"):
        return 100 * _MIN_RATIO_SCALE
    return 0.0


def _lost(series: Series, full: float) -> Series:
    return Series(labels=series.labels, times=series.times, values=full - series.values)


def _step_of(series: Series) -> float:
    return float(np.median(np.diff(series.times))) if len(series.times) > 1 else 0.0


def _moment(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC).replace(microsecond=0)


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
