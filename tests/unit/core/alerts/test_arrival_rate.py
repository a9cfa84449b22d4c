"""The arrival rate of bursts: what an alert fits, and when another burst has begun."""

from bot.core.alerts.arrival_rate import (
    OUTAGE_ALERTS,
    PAUSE,
    ArrivalRate,
    Choice,
    GroupCandidate,
    RecentCount,
    UsualDelays,
    choose,
)

USUAL = UsualDelays().of("unknown")


def burst(*moments: float, component: str = "") -> ArrivalRate:
    arrivals = ArrivalRate()
    for moment in moments:
        arrivals.add(moment, component)
    return arrivals


def slowing(start: float, count: int = 60) -> ArrivalRate:
    """Alerts that come ever more slowly: the n-th after n squared thirtieths of a second."""
    return burst(*(start + n * n / 30 for n in range(count)), component="cart-0")


def chosen(at: float, *candidates: GroupCandidate, component: str = "") -> Choice:
    return choose(at, component, USUAL, candidates)


def arrivals_until_another(
    arrivals: ArrivalRate, *, start: float, gap: float, fired_before: bool = False, limit: int = 200
) -> int:
    """How many alerts, `gap` seconds apart, until another burst is said to have begun; `most` if it never is."""
    for count in range(limit):
        at = start + count * gap
        if chosen(at, GroupCandidate(1, arrivals, fired_before)).number is None:
            return count
        arrivals.add(at, "")
    return limit


def test_a_few_alerts_are_no_burst_and_many_without_a_pause_are() -> None:
    few = burst(*range(OUTAGE_ALERTS - 1))
    many = burst(*range(OUTAGE_ALERTS))
    paused = burst(*range(OUTAGE_ALERTS - 1), PAUSE + OUTAGE_ALERTS)

    assert (few.is_burst, many.is_burst, paused.is_burst) == (False, True, False)
    assert paused.alerts == 1


def test_one_stray_alert_in_a_quiet_burst_is_no_new_burst() -> None:
    assert chosen(250, GroupCandidate(1, slowing(0), True)).number == 1


def test_alerts_that_come_fast_again_are_another_burst() -> None:
    assert 1 < arrivals_until_another(slowing(0), start=250, gap=0.5, fired_before=True) < 15


def test_the_first_seconds_of_a_burst_are_never_two_bursts() -> None:
    assert arrivals_until_another(burst(0), start=0, gap=0.0) == 200


def test_a_storm_that_goes_on_at_one_pace_is_one_storm() -> None:
    assert arrivals_until_another(burst(0), start=0.1, gap=0.1, limit=6000) == 6000


def test_the_newest_of_two_bursts_takes_what_comes_and_the_older_what_it_alone_can_hold() -> None:
    older, newer = slowing(0), burst(*(200 + n / 4 for n in range(12)))
    both = GroupCandidate(1, older, False), GroupCandidate(2, newer, False)
    again = GroupCandidate(1, older, False), GroupCandidate(2, newer, True)

    assert chosen(204, *both).number == 2
    assert chosen(204, *again, component="cart-0").number in (1, 2)
    assert chosen(204, *both).text == "the same burst of alerts"


def test_that_the_component_alerted_a_moment_ago_is_named_as_a_reason() -> None:
    arrivals = slowing(0)

    assert (
        "on a component that alerted moments before"
        in chosen(arrivals.last_at + 1, GroupCandidate(1, arrivals, False), component="cart-0").text
    )


def test_how_late_an_alert_usually_comes_is_learned() -> None:
    delays = UsualDelays()
    for _ in range(20):
        delays.learn("disk full", 4.0)

    assert delays.of("disk full") > 3.5 and delays.of("other") == USUAL


def test_what_came_of_late_fades_and_what_comes_late_moves_no_moment_back() -> None:
    recent = RecentCount()
    for moment in (1000.0, 1000.0, 940.0):
        recent.add(moment)

    assert 2.0 <= recent.count_at(1000.0) < 2.1 and recent.count_at(1015.0) < 0.8
