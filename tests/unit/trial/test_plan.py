"""What a run plays."""

from tests.trial.plan import Follows, draw

FAULTS = {"slow": ("auth", "cart"), "broken": ("cart", "search"), "full": ("auth", "search")}


def test_a_seed_draws_the_same_run_again() -> None:
    assert draw(7, FAULTS) == draw(7, FAULTS) != draw(8, FAULTS)


def test_forty_runs_meet_every_fault_in_both_ways() -> None:
    drawn = [outage for seed in range(1, 41) for outage in draw(seed, FAULTS)[1:]]

    assert {(outage.fault, outage.follows) for outage in drawn} == {
        (fault, follows) for fault in FAULTS for follows in (Follows.BACK_TO_BACK, Follows.OVERLAPPING)
    }


def test_each_fault_strikes_where_it_can_and_no_place_twice_in_a_row() -> None:
    for seed in range(1, 41):
        _, second, third = draw(seed, FAULTS)
        assert second.service in FAULTS[second.fault] and third.service in FAULTS[third.fault]
        assert second.service != third.service
