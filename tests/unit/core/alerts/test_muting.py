"""Which alerts are kept quiet, and by what."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.alert import Severity
from bot.core.alerts import muting
from bot.core.config import Config, Inhibition, Maintenance, Threshold
from tests.unit.builders import at

CONFIG = Config(
    maintenance=(Maintenance(match={"service": "checkout"}, starts=at(-5), ends=at(5), reason="upgrade"),),
    inhibitions=(Inhibition(source={"alertname": "NodeDown"}, target={"tier": "pod"}, equal=("node",)),),
    thresholds=(Threshold(match={"alertname": "Blip"}, count=3, window=timedelta(minutes=10)),),
)
NODE_DOWN = {"alertname": "NodeDown", "node": "n1"}


def muted(labels: dict[str, str], severity: Severity = Severity.SEV2, *, firing: Any = (), minutes: float = 0) -> str:
    return muting.muted_by(labels, severity, config=CONFIG, firing=firing, at=at(minutes))


def test_severity_none_is_never_shown() -> None:
    assert muted({}, Severity.NONE) == "severity none"


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-6, ""), (-5, "maintenance: upgrade"), (5, "maintenance: upgrade"), (6, "")]
)
def test_maintenance_mutes_within_its_window(minutes: float, expected: str) -> None:
    assert muted({"service": "checkout"}, minutes=minutes) == expected


def test_an_alert_is_inhibited_only_where_the_named_labels_are_equal() -> None:
    assert muted({"tier": "pod", "node": "n1"}, firing=[NODE_DOWN]) == "inhibited by NodeDown"
    assert muted({"tier": "pod", "node": "n2"}, firing=[NODE_DOWN]) == ""
    assert muted({"tier": "web", "node": "n1"}, firing=[NODE_DOWN]) == ""
    assert muted({"tier": "pod", "node": "n1"}) == ""


def test_a_match_without_labels_matches_nothing() -> None:
    assert not muting.matches({}, {"service": "checkout"})


def test_a_threshold_says_how_far_it_is() -> None:
    assert muting.below_threshold({"alertname": "Blip"}, CONFIG, 2) == "threshold 2 of 3"
    assert muting.below_threshold({"alertname": "Blip"}, CONFIG, 3) == ""
    assert muting.threshold_window({"alertname": "Blip"}, CONFIG) == 600


def test_watchdog_is_a_heartbeat_unless_configured_otherwise() -> None:
    assert muting.heartbeat("Watchdog", Config())
    assert not muting.heartbeat("Watchdog", Config(heartbeats=("Alive",)))
