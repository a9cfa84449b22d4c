"""Where a deviation begins and how far it is from normal, on synthetic series."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.metrics.deviation import MAX_DOUBLINGS, Deviation, measure_deviation
from bot.core.metrics.series import Series, find_onset

ALERT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = 15.0


def series(values: np.ndarray) -> Series:
    """Samples every 15 s, the last at the alert."""
    times = ALERT.timestamp() - STEP * np.arange(len(values))[::-1]
    return Series(times=times.astype(float), values=np.asarray(values, dtype=float))


def noise(level: float, *, count: int = 240, seed: int = 1) -> np.ndarray:
    return level * (1 + 0.1 * np.random.default_rng(seed).standard_normal(count))


def error_seconds(onset: datetime | None, samples: int) -> float:
    assert onset is not None
    return abs((onset - ALERT).total_seconds() + STEP * (samples - 1))


@pytest.mark.parametrize("samples", [6, 20, 60])
@pytest.mark.parametrize("seed", range(5))
def test_the_onset_of_a_step_is_found_within_a_minute(samples: int, seed: int) -> None:
    values = noise(0.01, seed=seed)
    values[-samples:] += 0.02

    assert error_seconds(find_onset(series(values), alert_at=ALERT), samples) <= 60


def test_an_earlier_excursion_that_ended_is_skipped() -> None:
    values = noise(100)
    values[50:90] += 300
    values[-12:] += 200

    assert error_seconds(find_onset(series(values), alert_at=ALERT), 12) <= 60


@pytest.mark.parametrize(("signal", "samples_before"), [("errors", 0), ("connections", 3)])
def test_errors_that_come_now_and_then_are_not_the_beginning_of_many(signal: str, samples_before: int) -> None:
    values = np.full(240, 0.4)
    values[[40, 90, 140, -23, -21]] = 0.5
    values[-20:] = 17.0

    assert error_seconds(deviation_of(values, signal, unit="").onset, 20 + samples_before) == 0


@pytest.mark.parametrize("begins", [[0.7], [0.5, 0.5, 0.5], [0.4, 0.7, 0.9, 1.1]])
def test_errors_that_begin_small_begin_there(begins: list[float]) -> None:
    values = np.full(240, 0.4)
    values[40] = 0.5
    values[-20 - len(begins) : -20] = begins
    values[-20:] = 17.0
    small = len(begins) if begins[0] > 0.4 else len(begins) - 1

    onset = find_onset(series(values), alert_at=ALERT, has_single_events=True)

    assert error_seconds(onset, 20 + small) == 0


def test_gaps_and_unknown_samples_do_not_matter() -> None:
    values = noise(100)
    values[-20:] += 200
    values[::7] = np.nan
    values[100:110] = np.inf

    assert error_seconds(find_onset(series(values), alert_at=ALERT), 20) <= 60


def test_a_slow_ramp_is_dated_back_towards_its_beginning() -> None:
    values = noise(100)
    values[-80:] += 3 * np.arange(80)

    assert error_seconds(find_onset(series(values), alert_at=ALERT), 80) <= 4 * 60


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_onset(seed: int) -> None:
    assert find_onset(series(noise(100, seed=seed)), alert_at=ALERT) is None


def test_an_excursion_that_ended_before_the_alert_is_no_onset() -> None:
    values = noise(100)
    values[100:160] += 300

    assert find_onset(series(values), alert_at=ALERT) is None


@pytest.mark.parametrize("values", [np.empty(0), np.full(240, np.nan), np.zeros(240), np.ones(3)])
def test_a_series_without_a_shift_has_no_onset_and_raises_nothing(values: np.ndarray) -> None:
    assert find_onset(series(values), alert_at=ALERT) is None


def deviation_of(values: np.ndarray, signal: str = "errors", unit: str = "ratio") -> Deviation:
    deviation = measure_deviation(series(values), service="s", signal=signal, alert_at=ALERT, unit=unit)
    assert deviation is not None
    return deviation


def test_a_shift_is_measured_in_doublings_beyond_the_normal_range() -> None:
    values = noise(0.01)
    quiet = deviation_of(values)
    values[-20:] = 0.4
    loud = deviation_of(values)

    assert quiet.doublings < 0 < 2 < loud.doublings <= 6
    assert loud.after == 0.4 and loud.before == pytest.approx(0.01, rel=0.1)


def test_the_level_of_what_comes_and_goes_is_that_of_its_bad_half_not_of_the_quiet_one() -> None:
    values = noise(0.01)
    values[-21:] = np.where(np.arange(21) % 3, 0.01, 0.4)

    deviation = deviation_of(values)

    assert deviation.doublings > 0 and deviation.after > 0.2


def test_the_level_of_a_resource_that_climbs_to_its_limit_is_near_that_limit() -> None:
    values = noise(0.1)
    values[-20:] = np.linspace(0.1, 1.0, 20)

    assert deviation_of(values, signal="connections").after > 0.9 > deviation_of(values).after


def test_errors_from_a_clean_past_count_and_a_trace_of_them_does_not() -> None:
    values = np.zeros(240)
    values[-20:] = 0.3
    trace = np.zeros(240)
    trace[-20:] = 0.0005

    assert deviation_of(values).doublings > 3
    assert deviation_of(trace).doublings < 0


def test_faster_is_not_worse_but_less_traffic_is_unusual() -> None:
    values = noise(0.2)
    values[-20:] *= 0.2

    assert deviation_of(values, "latency", "s").doublings < 0
    fewer = deviation_of(values, "traffic", "req/s")
    assert fewer.doublings > 0 and fewer.direction == "down"


def test_memory_that_climbs_all_the_time_deviates_without_an_onset() -> None:
    deviation = deviation_of(np.linspace(0.5, 0.97, 240), "memory", "ratio")

    assert deviation.doublings > 1 and deviation.onset is None


def test_a_disk_that_climbed_to_its_end_has_nothing_left_however_full_it_was_before() -> None:
    full, nearly = (deviation_of(np.linspace(84, end, 240), "volume_used_pct", "%") for end in (100, 95))

    assert full.doublings == MAX_DOUBLINGS and full.is_full_store and full.after <= 100
    assert nearly.doublings < full.doublings and not nearly.is_full_store


@pytest.mark.parametrize("signal", ["disk_io_utilization", "storage_errors_pct", "namespace_cpu_pct"])
def test_a_disk_that_is_busy_is_not_full(signal: str) -> None:
    assert not deviation_of(np.linspace(60, 100, 240), signal, "%").is_full_store


def test_no_request_in_flight_is_a_value_and_no_latency_is_none() -> None:
    busy = np.concatenate([np.zeros(220), np.full(20, 40.0)])

    assert deviation_of(busy, "http_requests_in_flight").doublings > 3
    assert measure_deviation(series(busy), service="s", signal="latency", alert_at=ALERT) is None


def test_what_may_go_beyond_a_hundred_percent_keeps_its_level() -> None:
    busy = deviation_of(np.linspace(250, 390, 240), "cpu_percent", "percent")

    assert busy.after > busy.before > 200


def test_a_reference_stands_in_for_a_short_past() -> None:
    short = series(np.concatenate([np.full(4, 0.01), np.full(4, 0.4)]))

    assert measure_deviation(short, service="s", signal="errors", alert_at=ALERT) is None
    earlier = Series(times=short.times[0] - STEP * np.arange(240)[::-1] - 86400, values=noise(0.01))
    deviation = measure_deviation(
        short, service="s", signal="errors", alert_at=ALERT, reference=earlier, before=timedelta(minutes=5)
    )
    assert deviation is not None


def test_a_deviation_is_the_same_after_it_was_stored_as_json() -> None:
    values = noise(0.01)
    values[-20:] = 0.4
    deviation = deviation_of(values)

    assert Deviation.of_fact(deviation.as_fact()).as_fact() == deviation.as_fact()


def test_an_incident_that_is_over_neither_counts_nor_hides_the_next_one() -> None:
    values = noise(0.01)
    values[180:192] = 0.4
    assert deviation_of(values).doublings < 0

    values[-8:] = 0.4
    assert deviation_of(values).doublings > 2
