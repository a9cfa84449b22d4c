"""Stale: how often a source repeats what fires is learned, and silence of four such intervals is noticed."""

from datetime import timedelta

from bot.core.alerts.staleness import FiredFor, Gaps, RepeatInterval, next_interval, repeats_what_fires, stale_after
from tests.unit.builders import NOW, at

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def test_an_interval_is_the_longest_gap_and_counts_from_the_third_on() -> None:
    interval = next_interval(RepeatInterval(), 5 * MINUTE, 2, NOW)
    assert interval.learned is None

    assert next_interval(interval, 4 * HOUR, 1, NOW).learned == 4 * HOUR


def test_shorter_gaps_do_not_shrink_it_and_an_outage_of_the_monitoring_is_halved_after_a_week() -> None:
    outage = RepeatInterval(24 * HOUR, 9, NOW)

    assert next_interval(outage, 5 * MINUTE, 500, at(60)).longest == 24 * HOUR
    assert next_interval(outage, 4 * HOUR, 1, at(60 * 24 * 8)).longest == 12 * HOUR


def test_an_interval_that_comes_again_stays() -> None:
    known = RepeatInterval(4 * HOUR, 9, NOW)

    assert next_interval(known, 3.9 * HOUR, 1, at(60 * 24 * 8)) == RepeatInterval(4 * HOUR, 10, at(60 * 24 * 8))


def test_deliveries_of_two_replicas_are_no_gap() -> None:
    gaps = Gaps()
    gaps.add("prod", NOW, NOW + timedelta(seconds=3))
    gaps.add("prod", NOW, NOW + 5 * MINUTE)
    gaps.add("prod", NOW, NOW + MINUTE)

    assert gaps.by_source == {"prod": (5 * MINUTE, 2)}


def test_four_intervals_make_an_alert_stale_and_never_less_than_five_minutes() -> None:
    assert (stale_after(HOUR), stale_after(MINUTE)) == (4 * HOUR, 5 * MINUTE)


def test_a_source_that_sends_each_change_once_repeats_nothing() -> None:
    once = [FiredFor(3 * HOUR, 0)] * 20 + [FiredFor(3 * HOUR, 1)] * 3
    repeated = [FiredFor(3 * HOUR, 5)] * 9 + [FiredFor(MINUTE, 0)] * 50

    assert not repeats_what_fires(once, HOUR)
    assert repeats_what_fires(repeated, HOUR)
    assert not repeats_what_fires(repeated[:2], HOUR)
