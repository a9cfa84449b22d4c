"""Where a storm seems to come from."""

from bot.core.alerts.storm import suspected_origin

GRAPH = {"storefront": ["cart", "checkout"], "cart": ["catalogue"], "checkout": ["catalogue", "payments"], "catalogue": ["db"]}


def test_the_service_that_all_firing_ones_depend_on_is_suspected_and_one_that_fires_before_one_that_does_not() -> None:
    assert suspected_origin(["storefront", "cart", "checkout", "catalogue"], GRAPH) == ("catalogue", 4)


def test_among_silent_common_grounds_the_nearest_is_suspected() -> None:
    assert suspected_origin(["cart", "checkout"], GRAPH) == ("catalogue", 2)


def test_services_without_common_ground_have_no_suspect() -> None:
    assert suspected_origin(["payments", "db", "search"], GRAPH) is None
    assert suspected_origin(["", ""], GRAPH) is None


def test_a_circle_of_calls_ends() -> None:
    assert suspected_origin(["a", "b"], {"a": ["b"], "b": ["a"]}) == ("a", 2)
