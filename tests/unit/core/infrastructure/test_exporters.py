"""What an alert is about where an exporter, a probe or an agent reports it."""

import pytest

from bot.core.alerts.component import place_of
from bot.core.service import Catalogue, Service

OPERATOR = {"namespace": "monitoring", "endpoint": "metrics"}
BLACKBOX = {
    "job": "blackbox",
    "service": "prometheus-blackbox-exporter",
    "pod": "prometheus-blackbox-exporter-6b7c5f8d9-x2x8z",
    **OPERATOR,
}
NODE = {"job": "node-exporter", "service": "stack-node-exporter", "pod": "stack-node-exporter-7xk2p", **OPERATOR}
POSTGRES = {
    "job": "prometheus-postgres-exporter",
    "service": "prometheus-postgres-exporter",
    "pod": "prometheus-postgres-exporter-6d4f8b7c9-4kkzq",
    "instance": "10.2.3.4:9187",
    **OPERATOR,
}
STATE = {"job": "kube-state-metrics", "service": "stack-kube-state-metrics", "instance": "10.1.2.3:8080"}


def service_of(labels: dict[str, str], *services: str) -> str:
    return Catalogue(Service(name=name) for name in services).of_labels(labels)


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        ({"job": "blackbox", "instance": "https://shop.example/cart"}, "shop.example"),
        ({**BLACKBOX, "instance": "https://shop.example/cart"}, "shop.example"),
        ({**BLACKBOX, "job": "blackbox-http", "instance": "https://shop.example/cart"}, "shop.example"),
        ({**BLACKBOX, "job": "blackbox-icmp", "instance": "10.0.0.1"}, "10.0.0.1"),
        ({"job": "probe/monitoring/shop", "instance": "https://shop.example"}, "shop.example"),
        ({"job": "website-checks", "instance": "https://shop.example:8443/"}, "shop.example"),
        ({"job": "blackbox-icmp", "instance": "10.0.0.1"}, "10.0.0.1"),
        ({"job": "blackbox-tcp", "instance": "orders-db.internal:5432"}, "orders-db.internal"),
        ({"job": "snmp", "instance": "switch-3"}, "switch-3"),
        ({"job": "redis-exporter", "instance": "redis://cart-redis:6379"}, "cart-redis"),
        ({"job": "shop", "instance": "https://shop.example"}, "shop"),
        ({"job": "blackbox", "service": "checkout", "instance": "https://shop.example/cart"}, "checkout"),
        ({"job": "blackbox", "instance": "blackbox-exporter:9115"}, "blackbox"),
        ({"job": "blackbox", "instance": "http://cart.shop.svc.cluster.local:8080/health"}, "cart"),
        ({"job": "blackbox-tcp", "instance": "cart.shop.svc:8080"}, "cart"),
        ({"job": "blackbox-shop", "instance": "shop:443"}, "shop"),
    ],
)
def test_an_alert_of_a_probe_is_about_what_is_probed(labels: dict[str, str], subject: str) -> None:
    assert service_of(labels) == subject


def test_a_probe_that_the_catalogue_calls_a_service_is_that_service() -> None:
    assert service_of({"job": "website", "instance": "https://shop.example"}, "website") == "website"


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        (POSTGRES, "postgres"),
        ({"job": "redis-exporter", "instance": "10.2.3.4:9121"}, "redis"),
        ({"job": "celery-exporter", "queue_name": "mails", "hostname": "celery@worker-1"}, "celery"),
        ({"job": "shop/orders-db-postgres-exporter"}, "orders-db-postgres"),
        ({"job": "postgres", "instance": "db-1:9187"}, "postgres"),
        ({"job": "rabbitmq", "instance": "10.0.0.4:15692", "rabbitmq_cluster": "shop"}, "rabbitmq"),
    ],
)
def test_an_alert_of_an_exporter_is_about_what_it_exports(labels: dict[str, str], subject: str) -> None:
    assert service_of(labels) == subject


@pytest.mark.parametrize(
    ("labels", "host"),
    [
        ({"job": "node", "instance": "web-3:9100"}, "web-3"),
        ({**NODE, "instance": "10.0.3.17:9100"}, "10.0.3.17"),
        ({"job": "integrations/node_exporter", "instance": "web-3"}, "web-3"),
        (
            {
                "job": "kubernetes-service-endpoints",
                "app_kubernetes_io_name": "prometheus-node-exporter",
                "service": "prometheus-prometheus-node-exporter",
                "node": "ip-10-0-3-17",
                "instance": "10.0.3.17:9100",
            },
            "ip-10-0-3-17",
        ),
        ({**STATE, "node": "ip-10-0-3-17", "condition": "Ready"}, "ip-10-0-3-17"),
        ({"job": "kubelet", "service": "stack-kubelet", "node": "ip-10-0-3-17"}, "ip-10-0-3-17"),
    ],
)
def test_an_alert_of_a_machine_is_about_the_machine(labels: dict[str, str], host: str) -> None:
    assert service_of(labels) == host


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        ({"job": "node-exporter", "service": "node-exporter", "namespace": "monitoring"}, "node-exporter"),
        ({"job": "kubelet"}, "kubelet"),
        ({"job": "kube-state-metrics"}, "kube-state-metrics"),
        ({"job": "payments-metrics", "instance": "10.1.2.3:8080", "node": "n1"}, "payments-metrics"),
        ({"service": "node", "host": "web-3"}, "node"),
        ({"service": "invoice-exporter", "env": "prod"}, "invoice-exporter"),
    ],
)
def test_what_reports_of_nothing_else_is_itself_meant(labels: dict[str, str], subject: str) -> None:
    assert service_of(labels) == subject


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        ({"job": "pushgateway", "service": "pushgateway", "exported_job": "nightly-export"}, "nightly-export"),
        ({"job": "federate", "exported_job": "checkout", "exported_instance": "10.1.2.3:8080"}, "checkout"),
        (
            {
                "job": "ingress-nginx-controller-metrics",
                "service": "ingress-nginx-controller-metrics",
                "pod": "ingress-nginx-controller-7d9f8b6c5-4kkzq",
                "exported_namespace": "shop",
                "exported_service": "cart",
            },
            "cart",
        ),
        ({"job": "ksm", "pod": "ksm-7d9f8b6c5-4kkzq", "exported_pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({"job": "cert-manager", "exported_namespace": "shop", "name": "shop-tls"}, "cert-manager"),
        ({"job": "worker", "pod": "worker-7d9f8b6c5-4kkzq", "exported_job": "SendMail"}, "worker"),
        ({"job": "prometheus-eu", "exported_job": "checkout"}, "checkout"),
    ],
)
def test_labels_that_a_series_brought_itself_tell_what_it_is_about(labels: dict[str, str], subject: str) -> None:
    assert service_of(labels) == subject


@pytest.mark.parametrize(
    ("labels", "subject"),
    [
        ({**STATE, "job_name": "nightly-export-29384940"}, "nightly-export"),
        ({**STATE, "cronjob": "nightly-export"}, "nightly-export"),
        ({**STATE, "pod": "nightly-export-29384940-x7k2p"}, "nightly-export"),
        ({**STATE, "horizontalpodautoscaler": "search"}, "search"),
        ({**STATE, "pod": "fluent-bit-x7k2p"}, "fluent-bit"),
        ({**STATE, "statefulset": "orders-db"}, "orders-db"),
        ({**STATE, "service": "shop-kube-state-metrics", "deployment": "shop"}, "shop"),
        ({"job": "cart-metrics", "service": "cart-metrics", "pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({"job": "postgres-exporter", "pod": "orders-db-0"}, "orders-db"),
        ({"job": "kubelet", "node": "n1", "persistentvolumeclaim": "data-orders-db-0"}, "data-orders-db-0"),
        ({"namespace": "shop", "pod": "cart-7d9f8b6c5-4kkzq", "container": "cart"}, "cart"),
        (
            {
                "job": "kubernetes-service-endpoints",
                "app_kubernetes_io_name": "kube-state-metrics",
                "service": "prometheus-kube-state-metrics",
                "pod": "cart-7d9f8b6c5-4kkzq",
            },
            "cart",
        ),
        ({"job": "istio-system/envoy-stats-monitor", "pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({"destination_service": "cart.shop.svc.cluster.local", "source_workload": "web"}, "cart"),
        ({"destination_service_name": "api.stripe.com", "source_workload": "web"}, "api.stripe.com"),
        (
            {
                "job": "istio-system/envoy-stats-monitor",
                "pod": "web-7d9f8b6c5-4kkzq",
                "source_workload": "web",
                "destination_workload": "cart",
            },
            "cart",
        ),
        ({"job": "linkerd-proxy", "deployment": "cart", "pod": "cart-7d9f8b6c5-4kkzq"}, "cart"),
        ({"job": "kubernetes-pods", "container": "istio-proxy", "app": "cart", "pod": "cart-v2-7d9f8b6c5-4kkzq"}, "cart"),
    ],
)
def test_what_a_cluster_reports_is_about_the_workload(labels: dict[str, str], subject: str) -> None:
    assert service_of(labels) == subject


@pytest.mark.parametrize(
    "labels",
    [
        {"pod": "web-7d9f8b6c5-4kkzq"},
        {"service": "frontend", "pod": "web-7d9f8b6c5-4kkzq", "endpoint": "http"},
        {"service": "frontend", "deployment": "blue"},
        {"pod": "acid-shop-0", "container": "postgres"},
    ],
)
def test_a_job_that_measures_nothing_else_keeps_its_name_whatever_its_pods_are_called(labels: dict[str, str]) -> None:
    assert service_of({"job": "frontend", **labels}) == "frontend"


def test_a_workload_that_the_catalogue_knows_is_the_service_where_it_does_not_know_the_job() -> None:
    labels = {"job": "frontend", "pod": "web-7d9f8b6c5-4kkzq"}

    assert (service_of(labels, "web"), service_of(labels, "web", "frontend")) == ("web", "frontend")


def test_a_service_of_the_catalogue_is_found_though_the_job_has_its_namespace_before_it() -> None:
    assert service_of({"job": "shop/checkout"}, "checkout") == "checkout"


@pytest.mark.parametrize(
    ("labels", "place"),
    [
        ({**BLACKBOX, "instance": "https://shop.example/cart"}, "https://shop.example/cart"),
        ({**NODE, "instance": "10.0.3.17:9100"}, "10.0.3.17"),
        (POSTGRES, "10.2.3.4"),
        ({"job": "kubelet", "instance": "10.0.3.17:10250", "pod": "cart-7d9f8b6c5-4kkzq"}, "cart-7d9f8b6c5-4kkzq"),
        ({"job": "ksm", "pod": "ksm-7d9f8b6c5-4kkzq", "exported_pod": "cart-7d9f8b6c5-4kkzq"}, "cart-7d9f8b6c5-4kkzq"),
        ({**STATE, "deployment": "cart"}, ""),
        ({**STATE, "pod": "stack-kube-state-metrics-7d9f8b6c5-4kkzq", "deployment": "cart"}, ""),
        ({"job": "postgres-exporter", "pod": "postgres-0"}, "postgres-0"),
        ({**STATE, "horizontalpodautoscaler": "search"}, ""),
        ({**STATE, "pod": "kube-state-metrics-7d9f8b6c5-4kkzq"}, "kube-state-metrics-7d9f8b6c5-4kkzq"),
    ],
)
def test_the_place_of_an_alert_is_not_the_pod_of_who_reports_it(labels: dict[str, str], place: str) -> None:
    assert place_of(labels) == place
