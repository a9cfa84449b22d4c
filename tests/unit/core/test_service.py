"""Who depends on whom."""

import pytest

from bot.core.service import Catalogue, Service, reachable

CALLS = {"web": ("cart", "search"), "cart": ("db", "db"), "search": ("db", "index"), "db": ("web",)}


def test_reachable_services_come_nearest_first_each_once_with_its_distance() -> None:
    assert list(reachable("web", CALLS).items()) == [("web", 0), ("cart", 1), ("search", 1), ("db", 2), ("index", 2)]


def test_reachable_services_end_at_the_depth() -> None:
    assert set(reachable("web", CALLS, depth=1)) == {"web", "cart", "search"}


def test_a_service_is_not_downstream_of_itself() -> None:
    catalogue = Catalogue(Service(name=name, depends_on=callees) for name, callees in CALLS.items())

    assert catalogue.downstream("cart") == {"db": 1, "web": 2, "search": 3, "index": 4}


STATE = {"job": "kube-state-metrics", "service": "stack-kube-state-metrics", "instance": "10.1.2.3:8080"}


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({**STATE, "pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({**STATE, "pod": "orders-db-0"}, "orders-db"),
        ({**STATE, "deployment": "cart"}, "cart"),
        ({"job": "kubelet", "service": "stack-kubelet", "pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({"job": "kubernetes-pods", "pod": "cart-7d9f8b6c5-4kkzq", "app": "shop-cart"}, "shop-cart"),
        ({"job": "shop/checkout", "pod": "release-checkout-7d9f8b6c5-4kkzq"}, "shop/checkout"),
        ({"job": "checkout", "service": "checkout", "pod": "checkout-7d9f8b6c5-4kkzq"}, "checkout"),
        ({"job": "pods", "service": "payments", "pod": "pay-0"}, "payments"),
        ({"job": "payments", "pod": "pay-0"}, "payments"),
        ({"job": "postgres", "instance": "db-1:9187"}, "postgres"),
    ],
)
def test_who_reports_of_a_workload_is_not_the_service_that_an_alert_is_about(labels: dict[str, str], service: str) -> None:
    catalogue = Catalogue([Service(name="payments")])

    assert catalogue.of_labels(labels) == service
