"""Alerts that are stored already are found by their bytes, for a while."""

from datetime import timedelta

from bot.store.alerts.intake.stored_alerts import STORED_ANEW_AFTER, StoredAlerts
from tests.unit.builders import NOW


def test_a_stored_alert_is_found_by_its_digest() -> None:
    stored = StoredAlerts()
    stored.put(b"a", 7, NOW)

    assert (stored.find(b"a"), stored.find(b"b")) == (7, None)


def test_it_is_stored_anew_after_an_hour_at_most() -> None:
    stored = StoredAlerts()
    stored.put(b"a", 7, NOW)
    stored.put(b"b", 8, NOW + STORED_ANEW_AFTER + timedelta(seconds=1))
    assert stored.find(b"a") == 7

    stored.put(b"c", 9, NOW + 2 * STORED_ANEW_AFTER + timedelta(seconds=2))
    assert (stored.find(b"a"), stored.find(b"b")) == (None, 8)


def test_what_alone_comes_again_and_again_is_stored_anew_too() -> None:
    stored = StoredAlerts()
    stored.put(b"watchdog", 7, NOW)
    found = []
    for minutes in range(0, 90, 2):
        stored.renew(NOW + timedelta(minutes=minutes))
        found.append(stored.find(b"watchdog"))

    assert (found[0], found[-1]) == (7, None)


def test_nothing_is_remembered_over_a_long_silence() -> None:
    stored = StoredAlerts()
    stored.put(b"a", 7, NOW)
    stored.renew(NOW + timedelta(days=3))

    assert stored.find(b"a") is None
