"""From when on a resource climbs, and up to which restart."""

from datetime import UTC, datetime

import numpy as np

from bot.core.metrics.deviation import Deviation, measure_deviation
from bot.core.metrics.drift import climb_start, until_restart
from bot.core.metrics.series import Series

START = 1_767_225_600.0
MINUTES = START + 60 * np.arange(180.0)
NOISE = np.random.default_rng(1).normal(0, 2, 180)
LEAK = 200 + NOISE + np.where(np.arange(180) < 30, 0, 2.0 * (np.arange(180) - 30))
"""Level for half an hour, then two more a minute."""


def series(values: np.ndarray) -> Series:
    return Series({}, MINUTES[: len(values)], values)


def test_a_climb_begins_where_the_level_ends() -> None:
    began = climb_start(series(LEAK), 1.0)

    assert began is not None and abs(began - MINUTES[30]) <= 10 * 60


def test_a_steady_line_and_a_level_have_no_beginning() -> None:
    assert climb_start(series(200 + 2.0 * np.arange(180)), 1.0) is None
    assert climb_start(series(200 + NOISE), 1.0) is None


def test_what_fell_in_a_restart_is_judged_up_to_it() -> None:
    restarted = np.append(LEAK[:170], np.full(10, 40.0))

    assert len(until_restart(series(restarted), 1.0).times) <= 170
    assert len(until_restart(series(LEAK), 1.0).times) == 180


def test_memory_that_climbed_until_it_was_killed_deviates_and_tells_since_when() -> None:
    restarted = np.append(LEAK[:170], np.full(10, 40.0))
    alert_at = datetime.fromtimestamp(MINUTES[171], UTC)
    own, earlier = Series({}, MINUTES[110:], restarted[110:]), Series({}, MINUTES[:110], restarted[:110])

    deviation = measure_deviation(own, service="reco", signal="memory rss", alert_at=alert_at, unit="MB", reference=earlier)

    assert deviation is not None and deviation.doublings > 1 and deviation.climbs_since is not None
    assert abs(deviation.climbs_since - MINUTES[30]) <= 10 * 60
    again = Deviation.of_fact(deviation.as_fact())
    assert again.climbs_since is not None and abs(again.climbs_since - deviation.climbs_since) < 1


def test_what_nobody_knows_to_be_a_resource_does_not_climb_where_it_fell_to_nothing() -> None:
    ramp = 5_000 + 100 * np.arange(60.0) + NOISE[:60]
    fell = np.append(ramp, np.full(10, 4.0))
    alert_at = datetime.fromtimestamp(MINUTES[66], UTC)

    deviation = measure_deviation(series(fell), service="api", signal="limiter_keys_active", alert_at=alert_at)

    assert deviation is not None and not deviation.doublings > 0 and deviation.climbs_since is None


def test_the_beginning_of_a_climb_is_dated_to_minutes_where_it_is_noisy() -> None:
    pool = 6 + NOISE / 2 + np.where(np.arange(180) < 60, 0, 0.3 * (np.arange(180) - 60))

    began = climb_start(series(pool), 1.0)

    assert began is not None and abs(began - MINUTES[60]) <= 4 * 60
