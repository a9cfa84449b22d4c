"""What a card named is told apart: the right cause, that of another outage, an innocent change, another place."""

import pytest

from tests.trial.causes import Named, NamedCause, figures_of_causes, named_cause
from tests.trial.outage import Outage
from tests.trial.plan import Follows
from tests.trial.recorder import Version
from tests.unit.trial.builders import message, outage, run

BEFORE = outage(change=("cart", "4.3.0"), end=60.0)
DEPLOYED = outage(2, root="payments", at=100, end=160, follows=Follows.BACK_TO_BACK, change=("payments", "2.0.1"))
RAN_OUT = outage(2, root="payments", at=100, end=160, follows=Follows.BACK_TO_BACK)


def card(cause: str, at: float = 120.0) -> Version:
    return message(f"Firing\n{cause}", at, thread="100.0")


def of(present: Outage, *cards: Version) -> NamedCause:
    shown = [Version(v.at, v.at, "C0", "100.0", v.key, v.thread, v.text, v.words, ()) for v in cards]
    return named_cause(present, run(BEFORE, present), message("payments fails", 105.0, thread="100.0"), shown)


@pytest.mark.parametrize(
    ("cause", "named"),
    [
        ("*Likely cause:* deploy 2.0.1 of payments broke payments", Named.RIGHT),
        ("*Best lead:* deploy 4.3.0 of cart broke cart", Named.EARLIER),
        ("*One of 2:* deploy 1.9.9 of payments broke payments", Named.INNOCENT),
        ("*Best lead:* payments ran out of headroom in connections", Named.PLACE),
        ("*Best lead:* More requests than storefront can carry", Named.ELSEWHERE),
        ("*Not known:* weak lead: deploy 2.0.1 of payments broke payments", Named.NOTHING),
        ("*Earlier cause:* deploy 4.3.0 of cart broke cart", Named.NOTHING),
    ],
)
def test_what_a_card_names_of_a_change_that_broke_something(cause: str, named: Named) -> None:
    assert of(DEPLOYED, card(cause)).named is named


def test_where_no_change_did_it_its_service_is_right() -> None:
    assert of(RAN_OUT, card("*Best lead:* payments ran out of headroom in connections")).named is Named.RIGHT
    assert of(RAN_OUT, card("*Best lead:* deploy 2.0.0 of payments broke payments")).named is Named.INNOCENT


def test_the_last_version_counts_that_stood_before_the_outage_ended() -> None:
    right, wrong = "*Likely cause:* deploy 2.0.1 of payments", "*Best lead:* deploy 1.9.9 of payments"

    assert of(DEPLOYED, card(wrong, 110), card(right, 150), card(wrong, 170)) == NamedCause(DEPLOYED, Named.RIGHT, likely=True)


def test_what_was_named_counts_also_once_the_card_is_led_by_what_lingers_after_it_was_healed() -> None:
    right, lingers = "*Likely cause:* deploy 2.0.1 of payments", "*Earlier cause:* deploy 2.0.1 of payments"
    before = card("*Likely cause:* deploy 4.3.0 of cart", 103)

    assert of(DEPLOYED, before, card(right, 130), card(lingers, 150)).named is Named.RIGHT
    assert of(DEPLOYED, before, card(lingers, 150)).named is Named.NOTHING


def test_each_way_to_follow_has_a_line_with_what_was_named() -> None:
    counted = [NamedCause(DEPLOYED, Named.RIGHT, likely=True), NamedCause(RAN_OUT, Named.INNOCENT)]

    lines = list(figures_of_causes(counted))

    assert lines[1] == "cause, back to back: right 1 of 2 (an innocent change 1); called likely 1, right 1"
    assert lines[2] == "cause, overlapping: right 0 of 0"
