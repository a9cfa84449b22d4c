"""Alerts that are stored already are found by their bytes, for a while."""

from datetime import timedelta

from bot.store.alerts.stored_alerts import ANEW, StoredAlerts
from tests.unit.builders import NOW


def test_a_stored_alert_is_found_by_its_digest() -> None:
    stored = StoredAlerts()
    stored.put(b"a", 7, NOW)

    assert (stored.find(b"a"), stored.find(b"b")) == (7, None)


def test_it_is_stored_anew_after_an_hour_at_most() -> None:
    stored = StoredAlerts()
    stored.put(b"a", 7, NOW)
    stored.put(b"b", 8, NOW + ANEW + timedelta(seconds=1))
    assert stored.find(b"a") == 7

    stored.put(b"c", 9, NOW + 2 * ANEW + timedelta(seconds=2))
    assert (stored.find(b"a"), stored.find(b"b")) == (None, 8)
