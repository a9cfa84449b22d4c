"""Tools without a kind of their own: what ends is the alert that fired, and both say what it is about."""

import pytest

from bot.core.alert import Alert
from tests.unit.sources.recovery_bodies import RECOVERIES, Body, Recovery
from tests.unit.sources.vendor_bodies import read


def one(body: Body) -> Alert:
    (alert,) = read("generic", body).alerts
    return alert


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda recovery: recovery.tool)
def test_what_ends_is_the_alert_that_fired(recovery: Recovery) -> None:
    firing, ended = one(recovery.firing), one(recovery.ended)

    assert (firing.status, ended.status) == ("firing", "resolved")
    assert ended.fingerprint == firing.fingerprint


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda recovery: recovery.tool)
def test_what_fires_says_what_is_wrong_and_where(recovery: Recovery) -> None:
    alert = one(recovery.firing)
    labels = alert.labels.get("host", ""), alert.labels.get("service", "")

    assert (alert.name, *labels) == (recovery.title, recovery.host, recovery.service)
