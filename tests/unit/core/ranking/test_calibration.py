"""How sure a lead is: the share of leads so far ahead that was right, in public incidents and the team's own."""

from hypothesis import given
from hypothesis import strategies as st

from bot.core.evidence import GradedLead
from bot.core.ranking.calibration import fitted, probability_of
from bot.core.ranking.calibration_table import TABLE


def team(*leads: tuple[float, bool]) -> list[GradedLead]:
    return [GradedLead(basis="measured", distance=distance, right=right) for distance, right in leads]


def test_the_origin_that_is_right_least_often_sets_the_share() -> None:
    easy = [("easy", float(n), True) for n in range(10)]
    hard = [("hard", float(n), n >= 5) for n in range(10)]

    steps = dict(fitted([*easy, *hard]))

    assert steps[0.0] == 0.5 and steps[5.0] == 1.0


def test_an_origin_of_few_leads_is_not_heard() -> None:
    assert fitted([*(("many", float(n), True) for n in range(10)), ("few", 9.0, False)]) == [(0.0, 1.0)]


def test_a_lead_that_lies_farther_ahead_is_never_less_probable() -> None:
    for basis, steps in TABLE.items():
        shares = [share for _, share in steps]
        assert shares == sorted(shares) and probability_of(99.0, basis) >= probability_of(0.5, basis)


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=30), st.floats(0, 10), st.floats(0, 10))
def test_the_teams_own_leads_never_turn_that_round(leads: list[tuple[float, bool]], one: float, other: float) -> None:
    nearer, farther = sorted((one, other))

    assert probability_of(nearer, "measured", team(*leads)) <= probability_of(farther, "measured", team(*leads))


def test_wrong_leads_of_the_team_lower_what_is_likely_for_it_and_right_ones_raise_it() -> None:
    public = probability_of(3.0, "measured")

    assert probability_of(3.0, "measured", team(*[(3.0, False)] * 10)) < 0.6 < public
    near = probability_of(0.1, "measured")
    assert probability_of(0.1, "measured", team(*[(0.1, True)] * 40)) > near


def test_a_kind_of_cause_that_was_wrong_here_before_is_judged_by_that_and_not_by_what_became_of_other_kinds() -> None:
    deploys = [GradedLead(basis="measured", distance=3.0, right=False, kind="change")] * 5
    pools = [GradedLead(basis="measured", distance=3.0, right=True, kind="resource")] * 30

    of_deploys, of_pools, of_providers = (
        probability_of(3.0, "measured", [*deploys, *pools], kind) for kind in ("change", "resource", "external")
    )

    assert of_deploys < 0.7 < of_providers < of_pools


def test_a_kind_that_was_never_seen_here_is_as_sure_as_all_that_was() -> None:
    seen = [GradedLead(basis="measured", distance=3.0, right=right, kind="change") for right in (True, False, True)]

    assert probability_of(3.0, "measured", seen, "traffic") == probability_of(
        3.0, "measured", team((3.0, True), (3.0, False), (3.0, True))
    )


def test_what_the_team_learned_of_bursts_says_nothing_of_measured_leads() -> None:
    wrong = [GradedLead(basis="burst", distance=3.0, right=False)] * 10

    assert probability_of(3.0, "measured", wrong) == probability_of(3.0, "measured")


def test_leads_of_older_versions_that_were_counted_in_bits_say_nothing_of_bursts() -> None:
    in_bits = [GradedLead(basis="alerts", distance=9.0, right=False)] * 10

    assert probability_of(1.2, "burst", in_bits) == probability_of(1.2, "burst")
