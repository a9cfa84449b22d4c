"""Which alerts are muted, and by what."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.alert import Severity, Status
from bot.core.alerts.muting import FiringAlert, Mute, MuteReason, is_heartbeat, matches, mute_of, mute_of_history, parse_mute
from bot.core.config import Config
from bot.core.config.alerts import Inhibition, Maintenance, Threshold
from tests.unit.builders import NOW, at

CONFIG = Config(
    maintenance=(Maintenance(match={"service": "checkout"}, starts=at(-5), ends=at(5), reason="upgrade"),),
    inhibitions=(Inhibition(source={"alertname": "NodeDown"}, target={"tier": "pod"}, equal=("node",)),),
    thresholds=(Threshold(match={"alertname": "Blip"}, count=3, window=timedelta(minutes=10)),),
)
NODE_DOWN = {"alertname": "NodeDown", "node": "n1"}


def muted(
    labels: dict[str, str], severity: Severity = Severity.SEV2, *, minutes: float = 0, start: float = 0, **surroundings: Any
) -> Mute | None:
    alert = FiringAlert(labels.get("alertname", "Errors"), labels, severity, at(start), at(minutes))
    known: dict[str, Any] = {"config": CONFIG, "firing": [], "earlier": [], "connected_at": at(-1440), **surroundings}
    return mute_of(alert, **known)


def test_severity_none_is_never_shown() -> None:
    assert muted({}, Severity.NONE) == Mute(MuteReason.SEVERITY_NONE)


@pytest.mark.parametrize(("minutes", "expected"), [(-6, False), (-5, True), (5, True), (6, False)])
def test_maintenance_mutes_within_its_window(minutes: float, expected: bool) -> None:
    mute = muted({"service": "checkout"}, minutes=minutes)

    assert mute == (Mute(MuteReason.MAINTENANCE, "upgrade") if expected else None)


def test_an_alert_is_inhibited_only_where_the_named_labels_are_equal() -> None:
    assert muted({"tier": "pod", "node": "n1"}, firing=[NODE_DOWN]) == Mute(MuteReason.INHIBITION, "NodeDown")
    assert muted({"tier": "pod", "node": "n2"}, firing=[NODE_DOWN]) is None
    assert muted({"tier": "web", "node": "n1"}, firing=[NODE_DOWN]) is None
    assert muted({"tier": "pod", "node": "n1"}) is None


def test_a_match_without_labels_matches_nothing() -> None:
    assert not matches({}, {"service": "checkout"})


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [((-3,), Mute(MuteReason.THRESHOLD, "2 of 3")), ((-3, -11), Mute(MuteReason.THRESHOLD, "2 of 3")), ((-3, -10), None)],
)
def test_a_threshold_counts_the_episodes_within_its_window(earlier: tuple[float, ...], expected: Mute | None) -> None:
    assert muted({"alertname": "Blip"}, earlier=[at(minute) for minute in earlier]) == expected


def test_each_of_several_thresholds_counts_within_its_own_window() -> None:
    match = {"alertname": "Blip"}
    often, over_a_day = (
        Threshold(match=match, count=5, window=timedelta(minutes=10)),
        Threshold(match=match, count=2, window=timedelta(days=1)),
    )
    twelve_hours_ago = [at(-720 + minute) for minute in range(4)]

    mutes = [
        muted(match, config=Config(thresholds=thresholds), earlier=twelve_hours_ago)
        for thresholds in [(often, over_a_day), (often,), (over_a_day,)]
    ]

    assert mutes == [Mute(MuteReason.THRESHOLD, "1 of 5"), Mute(MuteReason.THRESHOLD, "1 of 5"), None]


@pytest.mark.parametrize(("start", "expected"), [(-10, None), (-10.1, Mute(MuteReason.BACKLOG))])
def test_what_fired_long_before_its_source_was_connected_is_backlog(start: float, expected: Mute | None) -> None:
    assert muted({}, start=start, connected_at=NOW) == expected


def test_watchdog_is_a_heartbeat_unless_configured_otherwise() -> None:
    assert muted({"alertname": "Watchdog"}, Severity.NONE) == Mute(MuteReason.HEARTBEAT)
    assert not is_heartbeat("Watchdog", Config(heartbeats=("Alive",)))


@pytest.mark.parametrize(
    ("delivered", "episode", "expected"),
    [
        ("resolved", "resolved", MuteReason.ALREADY_RESOLVED),
        ("firing", "resolved", MuteReason.SUPERSEDED),
        ("firing", "firing", None),
    ],
)
def test_what_is_over_when_it_first_arrives_is_history(delivered: Status, episode: Status, expected: MuteReason | None) -> None:
    mute = mute_of_history(delivered, episode)

    assert (mute.reason if mute else None) == expected


@pytest.mark.parametrize(
    ("stored", "mute"),
    [
        ("severity none", Mute(MuteReason.SEVERITY_NONE)),
        ("maintenance: upgrade: part 2", Mute(MuteReason.MAINTENANCE, "upgrade: part 2")),
        ("maintenance: ", Mute(MuteReason.MAINTENANCE)),
        ("inhibited by NodeDown", Mute(MuteReason.INHIBITION, "NodeDown")),
        ("threshold 1 of 3", Mute(MuteReason.THRESHOLD, "1 of 3")),
        ("heartbeat", Mute(MuteReason.HEARTBEAT)),
        ("digest", Mute(MuteReason.BACKLOG)),
        ("already over when it was first seen", Mute(MuteReason.ALREADY_RESOLVED)),
        ("superseded by a newer episode", Mute(MuteReason.SUPERSEDED)),
    ],
)
def test_a_mute_is_stored_in_the_words_of_the_first_version_and_read_from_them(stored: str, mute: Mute) -> None:
    assert (mute.stored, parse_mute(stored)) == (stored, mute)


def test_an_alert_that_is_not_muted_has_no_reason() -> None:
    assert parse_mute("") is None


def test_a_repeat_may_end_a_maintenance_but_neither_a_backlog_nor_a_heartbeat() -> None:
    assert {reason for reason in MuteReason if Mute(reason).lasting} == {MuteReason.BACKLOG, MuteReason.HEARTBEAT}


def test_a_backlog_is_described_in_words_for_people() -> None:
    assert Mute(MuteReason.BACKLOG).describe() == "it fired before its source was first connected"
