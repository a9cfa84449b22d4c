"""A trouble that lasts is told when it begins, once a minute, and when it is over."""

from bot.core.lasting_failures import FailureTracker


def test_it_is_told_at_once_then_once_a_minute_with_what_was_counted() -> None:
    spells = FailureTracker()

    told = [(second, line) for second in range(121) if (line := spells.met("Slack", "down", float(second)))]

    assert told == [
        (0, {"times": 1, "seconds": 0}),
        (60, {"times": 60, "seconds": 60}),
        (120, {"times": 60, "seconds": 120}),
    ]


def test_another_kind_of_failure_is_told_at_once() -> None:
    spells = FailureTracker()
    spells.met("Slack", "down", 0.0)

    assert spells.met("Slack", "token", 1.0) == {"times": 1, "seconds": 1}


def test_its_end_is_told_once_with_how_often_and_how_long() -> None:
    spells = FailureTracker()
    for second in range(10):
        spells.met("Slack", "down", float(second))

    assert spells.over("Slack", 12.0) == {"times": 10, "seconds": 12}
    assert spells.over("Slack", 13.0) is None


def test_what_flickers_is_told_no_oftener_than_what_stands() -> None:
    spells = FailureTracker()
    lines = 0
    for second in range(60):
        lines += spells.met("Slack", "down", float(second)) is not None
        lines += spells.over("Slack", second + 0.5) is not None

    assert lines == 2


def test_troubles_of_other_things_are_counted_apart() -> None:
    spells = FailureTracker()
    spells.met("C1", "archived", 0.0)

    assert spells.met("C2", "archived", 0.0)
    assert spells.over("C3", 0.0) is None


def test_thousands_of_things_in_trouble_are_not_remembered_for_ever() -> None:
    spells = FailureTracker(most=100)
    for number in range(5000):
        assert spells.met(f"C{number}", "archived", float(number))

    assert len(spells) == 100
