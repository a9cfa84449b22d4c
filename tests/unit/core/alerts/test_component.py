"""Where an alert belongs, from its labels."""

import pytest

from bot.core.alerts.component import Component, component_of, ends_of
from bot.core.alerts.problem_kind import kind_of, weight_of
from bot.core.infrastructure.exporters import host_of


@pytest.mark.parametrize(
    ("labels", "service", "place"),
    [
        ({"pod": "cart-1", "node": "n1"}, "cart", Component("cart-1", "pod", "cart", "n1")),
        (
            {"instance": "10.0.0.5:9100", "job": "node-exporter"},
            "node-exporter",
            Component("10.0.0.5", "host", host="10.0.0.5"),
        ),
        ({"instance": "db-1:9100", "job": "node"}, "node", Component("db-1", "host", host="db-1")),
        ({"node": "n1"}, "", Component("n1", "host", host="n1")),
        (
            {"job": "kubelet", "node": "n1", "persistentvolumeclaim": "data-db-0"},
            "data-db-0",
            Component("data-db-0", "service", "data-db-0", "n1"),
        ),
        ({"instance": "10.0.0.5:8080", "job": "cart"}, "cart", Component("cart", "service", "cart")),
        ({"severity": "critical"}, "", None),
    ],
)
def test_the_narrowest_component_that_labels_name(labels: dict[str, str], service: str, place: Component | None) -> None:
    assert component_of(labels, service) == place


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.1:9100", "10.0.0.1"),
        ("node-1:9100", "node-1"),
        ("node-1", "node-1"),
        ("[2001:db8::1]:9100", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::2", "2001:db8::2"),
        ("http://shop/health:8080", "http://shop/health:8080"),
    ],
)
def test_the_host_of_an_address_is_what_stands_before_its_port(address: str, host: str) -> None:
    assert host_of(address) == host


def test_an_alert_about_calls_has_two_ends() -> None:
    labels = {"source_workload": "front", "destination_workload": "db", "destination_pod": "db-0", "service": "front"}

    assert ends_of(labels) == (Component("front", "service", "front"), Component("db-0", "pod", "db"))


def test_an_alert_with_one_end_alone_is_about_no_calls() -> None:
    assert ends_of({"source": "prometheus", "service": "front"}) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("KubePersistentVolumeFillingUp", "disk"),
        ("container_memory_working_set_bytes", "memory"),
        ("CPUThrottlingHigh", "cpu"),
        ("NodeNetworkReceiveErrs", "network"),
        ("HighErrorRate", "errors"),
        ("grpc mean response time", "latency"),
        ("Log lines: connection refused", "logs"),
        ("Watchdog", "other"),
    ],
)
def test_the_kind_of_trouble_is_read_from_the_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("RoomBookingErrors", "errors"),
        ("PaymentProcessingErrors", "errors"),
        ("MemberServiceErrors", "errors"),
        ("CheapFlightsLatency", "latency"),
        ("OrderVolumeLow", "other"),
        ("RequestVolumeHigh", "load"),
        ("JobAlreadySuccessfullyCompleted", "other"),
    ],
)
def test_a_word_that_only_holds_the_name_of_a_kind_is_not_of_it(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("QueueWorkerOOMKilled", "memory"),
        ("PodOOMKilled", "memory"),
        ("oomkilled", "memory"),
        ("HTTPProcessesDown", "load"),
        ("DiskWillFillIn4Hours", "disk"),
        ("highcpu", "cpu"),
        ("kafka_consumer_lag", "other"),
        ("threadpool_busy", "load"),
        ("instancedown", "errors"),
    ],
)
def test_words_of_a_name_are_read_however_they_are_joined(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_falling_success_rate_counts_whole() -> None:
    assert weight_of("success rate", "down") == 1.0 > weight_of("memory usage", "down")


def test_memory_that_a_process_let_go_of_counts_whole_and_less_use_by_half() -> None:
    assert weight_of("container_memory_rss", "down") == 1.0 > weight_of("container_memory_usage", "down")
    assert weight_of("heap used", "down") == 1.0 > weight_of("cpu usage", "down")


@pytest.mark.parametrize("name", ["cpu_core_3_pct", "container_memory_cache", "memory_stats_dirty", "memory_mapped_file"])
def test_what_the_kernel_chooses_counts_half(name: str) -> None:
    assert weight_of(name, "up") == 0.5


@pytest.mark.parametrize("name", ["MemcachedMemoryHigh", "container_cpu_usage", "memory_rss", "DiskCacheFull"])
def test_what_only_sounds_like_it_counts_whole(name: str) -> None:
    assert weight_of(name, "up") == 1.0


def test_a_line_counts_whole_unless_it_is_about_another_that_failed() -> None:
    assert weight_of("Log lines: [Errno 2] No such file or directory: 'a.csv'") == 1.0
    assert weight_of("Log lines: permission denied") == 1.0
    assert weight_of("Log lines: an error occurred in the downstream service") == 0.0
