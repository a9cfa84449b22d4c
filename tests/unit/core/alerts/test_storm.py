"""What a storm is, and where it seems to come from."""

import pytest

from bot.core.alerts.storm import Opened, storm_card, storms_over, suspected_origin
from tests.unit.builders import NOW, at

GRAPH = {"storefront": ["cart", "checkout"], "cart": ["catalogue"], "checkout": ["catalogue", "payments"], "catalogue": ["db"]}


@pytest.mark.parametrize(
    ("opened", "running", "expected"),
    [(4, "", ""), (4, "storm:C1:1", ""), (5, "", f"storm:C1:{int(NOW.timestamp())}"), (5, "storm:C1:1", "storm:C1:1")],
)
def test_from_the_sixth_new_group_of_a_minute_on_there_is_a_storm(opened: int, running: str, expected: str) -> None:
    assert storm_card("C1", NOW, Opened(opened, running), Opened()) == expected


def test_a_group_worth_a_call_is_no_line_in_the_storm_of_another_source() -> None:
    flood, own = Opened(200, "storm:C1:1"), Opened(4)

    assert storm_card("C1", NOW, flood, own) == "storm:C1:1"
    assert storm_card("C1", NOW, flood, own, worth_a_call=True) == ""


def test_a_storm_of_its_own_source_beside_another_has_a_card_of_its_own() -> None:
    now = f"storm:C1:{int(NOW.timestamp())}"

    assert storm_card("C1", NOW, Opened(200, "storm:C1:1"), Opened(5), worth_a_call=True) == now
    assert storm_card("C1", NOW, Opened(200, now), Opened(5), worth_a_call=True) not in ("", now)
    assert storm_card("C1", NOW, Opened(200, now), Opened(9, "storm:C1:2"), worth_a_call=True) == "storm:C1:2"


def test_a_storm_is_over_a_minute_after_its_newest_group() -> None:
    groups = [("old", at(-3)), ("old", at(-1.1)), ("running", at(-3)), ("running", at(-1))]

    assert storms_over(groups, NOW) == {"old"}


def test_the_service_that_all_firing_ones_depend_on_is_suspected_and_one_that_fires_before_one_that_does_not() -> None:
    assert suspected_origin(["storefront", "cart", "checkout", "catalogue"], GRAPH) == ("catalogue", 4)


def test_among_silent_common_grounds_the_nearest_is_suspected() -> None:
    assert suspected_origin(["cart", "checkout"], GRAPH) == ("catalogue", 2)


def test_services_without_common_ground_have_no_suspect() -> None:
    assert suspected_origin(["payments", "db", "search"], GRAPH) is None
    assert suspected_origin(["", ""], GRAPH) is None


def test_a_circle_of_calls_ends() -> None:
    assert suspected_origin(["a", "b"], {"a": ["b"], "b": ["a"]}) == ("a", 2)
