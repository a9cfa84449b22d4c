"""Signals: of the catalogue, of the alert, or derived from names of metrics."""

import pytest

from bot.core.evidence import Case
from bot.core.metrics.promql import Matcher, equal_to
from bot.core.metrics.signals import alert_signal, catalogue_signals, derived_signals, service_matchers
from bot.core.service import Service
from bot.core.service import Signal as Listed
from tests.unit.builders import NOW


def case(**values: object) -> Case:
    return Case.model_validate({"group": "AL-1", "service": "checkout", "started_at": NOW, **values})


def test_a_state_that_is_called_waiting_is_no_time() -> None:
    waiting = alert_signal(
        case(alert_name="PodWaiting", expression='kube_pod_container_status_waiting_reason{reason="x"} >= 1')
    )
    slow = alert_signal(case(alert_name="SlowAnswers", expression="rpc_waiting_seconds > 1"))

    assert waiting is not None and waiting.unit == "" and slow is not None and slow.unit == "s"


def test_an_alert_signal_has_the_threshold_and_concerns_only_its_own_labels() -> None:
    alert_case = case(
        alert_name="HighErrorRate",
        labels={"service": "checkout"},
        expression="sum by (service) (e) / sum by (service) (r) > 0.05",
    )

    signal = alert_signal(alert_case)

    assert signal is not None and (signal.family, signal.unit, signal.bad_above) == ("errors", "ratio", 0.05)
    assert signal.concerns({"service": "checkout"}) and not signal.concerns({"service": "cart"})


@pytest.mark.parametrize("expression", ["sum(http_server_concurrency) > 200", "sum(http_requests_in_flight) > 200"])
def test_requests_in_flight_are_counted_and_no_seconds(expression: str) -> None:
    signal = alert_signal(case(alert_name="RequestsInFlightHigh", expression=expression))

    assert signal is not None and (signal.family, signal.unit) == ("latency", "")


def test_a_target_that_is_down_is_bad_when_it_falls() -> None:
    signal = alert_signal(case(alert_name="InstanceDown", expression="up == 0"))

    assert signal is not None and (signal.promql, signal.harm) == ("up", "down")


def test_free_space_below_a_calculated_threshold_is_bad_when_it_falls() -> None:
    signal = alert_signal(case(alert_name="SpaceLow", expression="node_filesystem_avail_bytes < 10 * 1024 ^ 3"))

    assert signal is not None and (signal.promql, signal.harm) == ("node_filesystem_avail_bytes", "down")


def test_an_expression_that_cannot_be_read_gives_no_signal() -> None:
    assert alert_signal(case(expression='sum(x{a="')) is None


def test_the_usual_metric_names_give_errors_latency_traffic_and_resources() -> None:
    names = [
        {"__name__": "http_requests_total", "code": "200"},
        {"__name__": "http_request_duration_seconds_bucket"},
        {"__name__": "http_request_duration_seconds_sum"},
        {"__name__": "external_requests_total", "code": "503"},
        {"__name__": "db_connections_in_use"},
        {"__name__": "process_resident_memory_bytes"},
        {"__name__": "go_gc_cycles"},
    ]

    by_name = {s.name: s for s in derived_signals("checkout", names, [Matcher("service", "checkout")], rate_window="1m")}

    assert next(iter(by_name)) == "errors" and by_name["external errors"].family == "external"
    assert {"latency p95", "traffic", "db connections in use", "memory"} <= set(by_name)
    assert by_name["latency p95"].promql == (
        'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service="checkout"}[1m])))'
    )


def test_a_catalogue_signal_with_a_lower_threshold_is_bad_when_it_falls() -> None:
    service = Service(name="checkout", signals={"conversion": Listed(promql="c", bad_below=0.3)})

    (signal,) = catalogue_signals(service)

    assert signal.harm == "down" and signal.is_bad(0.2) and not signal.is_bad(float("nan"))


def test_without_a_catalogue_the_label_of_the_alert_picks_the_series() -> None:
    assert service_matchers("checkout", {"app": "checkout"}, None) == [(Matcher("app", "checkout"),)]


@pytest.mark.parametrize(
    ("service", "labels", "series"),
    [
        ("postgres", {"job": "postgres-exporter", "instance": "10.2.3.4:9187"}, {"job": "postgres-exporter"}),
        (
            "shop.example",
            {"job": "blackbox", "instance": "https://shop.example/cart"},
            {"job": "blackbox", "instance": "https://shop.example/cart"},
        ),
        ("web-3", {"job": "node", "instance": "web-3:9100"}, {"job": "node", "instance": "web-3:9100"}),
        (
            "n1",
            {"job": "kube-state-metrics", "node": "n1", "instance": "10.1.2.3:8080"},
            {"job": "kube-state-metrics", "node": "n1"},
        ),
        ("cart", {"job": "federate", "exported_job": "cart"}, {"job": "federate", "exported_job": "cart"}),
    ],
)
def test_of_what_an_exporter_reports_its_series_are_found_by_the_labels_of_the_exporter(
    service: str, labels: dict[str, str], series: dict[str, str]
) -> None:
    assert equal_to(series) in service_matchers(service, labels, None)


@pytest.mark.parametrize(
    ("service", "labels"),
    [
        ("payments", {"job": "postgres-exporter"}),
        ("cart", {"job": "kube-state-metrics", "pod": "cart-7d9f8b6c5-4kkzq"}),
    ],
)
def test_no_exporter_stands_for_another_service_nor_for_a_pod(service: str, labels: dict[str, str]) -> None:
    assert {matcher.value for way in service_matchers(service, labels, None) for matcher in way} == {service}
