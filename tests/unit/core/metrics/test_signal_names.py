"""What names of signals say, of any vendor: the family, and which way is bad."""

import pytest

from bot.core.metrics.signal_names import family_of, harm_of


@pytest.mark.parametrize(
    ("signal", "family"),
    [
        ("errors", "errors"),
        ("http_5xx", "errors"),
        ("latency_p95", "latency"),
        ("request_rate", "traffic"),
        ("memory", "saturation"),
        ("provider_errors", "external"),
        ("db connections", "saturation"),
        ("wal_volume_used_ratio", "saturation"),
        ("pod_restarts_total", "saturation"),
        ("log_volume_bytes", "traffic"),
        ("up", "errors"),
        ("InstanceDown", "errors"),
        ("slow down", "latency"),
        ("downloads", "traffic"),
        ("http_400_ratio", "errors"),
        ("requests over 500ms", "traffic"),
        ("catalog_calls_per_search", "behaviour"),
        ("calls_per_second", "traffic"),
        ("http_requests_in_flight", "latency"),
        ("http_server_active_requests", "latency"),
        ("concurrent_requests_per_s", "traffic"),
        ("requests_pending", "latency"),
        ("RequestsInFlightHigh", "latency"),
        ("inflight", "latency"),
        ("TooManyRequestsInFlight", "latency"),
        ("TooManyRequests", "traffic"),
        ("PodOOMKilled", "saturation"),
        ("interactive_requests_total", "traffic"),
        ("rate(active_requests_total[1m])", "traffic"),
        ('sum(http_requests{service="inflight-catering"})', "traffic"),
        ("main_flights_requests", "traffic"),
        ("ratelimit_active_keys", "saturation"),
        ("request_header_bytes_p99", "saturation"),
    ],
)
def test_a_signal_belongs_to_the_family_that_its_name_says(signal: str, family: str) -> None:
    assert family_of(signal) == family


@pytest.mark.parametrize(
    ("signal", "harm"),
    [
        ("seatmap_unavailable_ratio", "up"),
        ("availability", "down"),
        ("pods_not_ready", "up"),
        ("replica_lag_seconds", "up"),
        ("ready_replicas", "down"),
        ("idle_in_transaction_sessions", "up"),
        ("provider_quota_remaining", "down"),
        ("ebs_burst_balance_pct", "down"),
        ("balance_staleness_seconds", "up"),
        ("jobs_remaining", "up"),
        ("error_budget_remaining", "down"),
        ("replicas_unavailable", "up"),
    ],
)
def test_which_way_is_bad_is_in_a_signals_name(signal: str, harm: str) -> None:
    assert harm_of(signal, family_of(signal)) == harm
