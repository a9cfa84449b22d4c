"""Time never runs backwards, and a jump of the machine's clock moves nothing that waits for a moment."""

from datetime import datetime, timedelta

from bot.store.db.clock import DatabaseClock, Elapsed, SteadyClock
from tests.unit.builders import NOW

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Machine:
    """A machine's clock that can be set, and time that passes."""

    def __init__(self) -> None:
        self.wall, self.passed = NOW, timedelta(0)

    def moment(self) -> datetime:
        return self.wall

    def elapsed(self) -> timedelta:
        passed, self.passed = self.passed, timedelta(0)
        return passed

    def passes(self, time: timedelta) -> None:
        self.wall += time
        self.passed += time


def test_a_clock_that_is_right_is_followed() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)

    machine.passes(HOUR)
    machine.wall += timedelta(milliseconds=3)

    assert clock() == machine.wall


def test_a_clock_that_is_set_back_does_not_make_young_what_has_expired() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)
    machine.passes(HOUR)
    before = clock()

    machine.wall -= HOUR
    at_once = clock()
    machine.passes(10 * SECOND)

    assert at_once == before
    assert before < clock() <= before + 10 * SECOND


def test_a_clock_that_is_set_back_is_met_again_after_a_while() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)
    machine.wall -= 60 * SECOND

    for _ in range(100):
        machine.passes(10 * SECOND)
        clock()

    assert clock() == machine.wall


def test_a_clock_that_is_set_forward_lets_nobody_act_early() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)

    machine.wall += HOUR
    clock()
    machine.passes(SECOND)

    assert clock() == NOW + SECOND


def test_a_clock_that_is_set_forward_is_followed_when_nothing_waits() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)
    machine.wall += HOUR

    clock.adopt()

    assert clock() == NOW + HOUR


def test_a_start_with_a_clock_that_was_set_back_begins_no_earlier_than_what_is_stored() -> None:
    machine = Machine()
    clock = SteadyClock(machine.moment, machine.elapsed)

    clock.at_least(NOW + HOUR)

    assert clock() == NOW + HOUR


def test_a_machine_that_slept_has_lived_through_that_time() -> None:
    awake, since_boot = [0.0], [0.0]
    elapsed = Elapsed((lambda: awake[0], lambda: since_boot[0]))

    awake[0], since_boot[0] = 5.0, 3605.0

    assert elapsed() == timedelta(seconds=3605)


def test_the_databases_clock_counts_whatever_the_machine_thinks() -> None:
    machine = Machine()
    clock = DatabaseClock(machine.moment, machine.elapsed)

    clock.read(NOW - HOUR)
    machine.wall += HOUR
    machine.passes(SECOND)

    assert clock() == NOW - HOUR + SECOND


def test_a_database_whose_clock_is_set_back_makes_nothing_young_again() -> None:
    machine = Machine()
    clock = DatabaseClock(machine.moment, machine.elapsed)
    clock.read(NOW)

    clock.read(NOW - HOUR)

    assert clock() == NOW
