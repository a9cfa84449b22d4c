"""What a table of shares calls likely, and what is left out of it."""

from tests.evaluation.leads import JudgedLead, called_likely, share_and_precision, table_of


def lead(distance: float, *, right: bool = True, origin: str = "bank", allowed: bool = True) -> JudgedLead:
    return JudgedLead(origin, origin, "burst", distance, right, right, allowed)


NEAR_ARE_WRONG = [lead(1.0, right=False)] * 5 + [lead(2.0)] * 20


def test_only_leads_far_enough_ahead_are_likely() -> None:
    assert called_likely([lead(1.0), lead(2.0), lead(2.0, allowed=False)], table_of(NEAR_ARE_WRONG)) == [True]


def test_an_origin_that_is_left_out_teaches_nothing() -> None:
    careful = [lead(2.0, right=False, origin="shop")] * 10 + [lead(3.0, origin="shop")] * 20

    assert called_likely([lead(2.0)], table_of([*NEAR_ARE_WRONG, *careful])) == []
    assert called_likely([lead(2.0)], table_of([*NEAR_ARE_WRONG, *careful], without="shop")) == [True]


def test_the_table_is_taught_by_the_place_and_what_is_likely_is_judged_by_the_whole_answer() -> None:
    right_place_alone = JudgedLead("bank", "bank", "burst", 2.0, place_right=True, right=False, allowed=True)

    assert called_likely([right_place_alone], table_of([right_place_alone] * 20)) == [False]


def test_what_nobody_taught_is_not_likely() -> None:
    assert called_likely([lead(9.0)], table_of(NEAR_ARE_WRONG, without="bank")) == []


def test_the_precision_stands_only_where_something_is_likely() -> None:
    assert share_and_precision(4, [True, False]) == "0.50, 0.50" and share_and_precision(4, []) == "0.00"
