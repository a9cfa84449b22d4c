"""Who depends on whom."""

from bot.core.service import Catalogue, Service, reachable

CALLS = {"web": ("cart", "search"), "cart": ("db", "db"), "search": ("db", "index"), "db": ("web",)}


def test_reachable_services_come_nearest_first_each_once_with_its_distance() -> None:
    assert list(reachable("web", CALLS).items()) == [("web", 0), ("cart", 1), ("search", 1), ("db", 2), ("index", 2)]


def test_reachable_services_end_at_the_depth() -> None:
    assert set(reachable("web", CALLS, depth=1)) == {"web", "cart", "search"}


def test_a_service_is_not_downstream_of_itself() -> None:
    catalogue = Catalogue(Service(name=name, depends_on=callees) for name, callees in CALLS.items())

    assert catalogue.downstream("cart") == {"db": 1, "web": 2, "search": 3, "index": 4}
