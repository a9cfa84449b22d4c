"""A failure that lasts is logged when it begins, once a minute, and when it is over."""

from bot.core.lasting_failures import FailureTracker


def test_it_is_logged_at_once_then_once_a_minute_with_what_was_counted() -> None:
    tracker = FailureTracker()

    lines = [(second, line) for second in range(121) if (line := tracker.record("Slack", "down", float(second)))]

    assert lines == [
        (0, {"times": 1, "seconds": 0}),
        (60, {"times": 60, "seconds": 60}),
        (120, {"times": 60, "seconds": 120}),
    ]


def test_another_kind_of_failure_is_logged_at_once() -> None:
    tracker = FailureTracker()
    tracker.record("Slack", "down", 0.0)

    assert tracker.record("Slack", "token", 1.0) == {"times": 1, "seconds": 1}


def test_its_end_is_logged_once_with_how_often_and_how_long() -> None:
    tracker = FailureTracker()
    for second in range(10):
        tracker.record("Slack", "down", float(second))

    assert tracker.recovered("Slack", 12.0) == {"times": 10, "seconds": 12}
    assert tracker.recovered("Slack", 13.0) is None


def test_what_flickers_is_logged_no_oftener_than_what_lasts() -> None:
    tracker = FailureTracker()
    lines = 0
    for second in range(60):
        lines += tracker.record("Slack", "down", float(second)) is not None
        lines += tracker.recovered("Slack", second + 0.5) is not None

    assert lines == 2


def test_failures_of_other_things_are_counted_apart() -> None:
    tracker = FailureTracker()
    tracker.record("C1", "archived", 0.0)

    assert tracker.record("C2", "archived", 0.0)
    assert tracker.recovered("C3", 0.0) is None


def test_thousands_of_failing_things_are_not_remembered_for_ever() -> None:
    tracker = FailureTracker(most=100)
    for number in range(5000):
        assert tracker.record(f"C{number}", "archived", float(number))

    assert len(tracker) == 100
