"""Where a burst may have begun."""

from bot.core.alert import Severity
from bot.core.messages.alerts import BurstService, RenewedContent, burst_services
from tests.unit.builders import NOW


def services(alert: str, *beside: BurstService) -> list[str]:
    severity = Severity.SEV2
    line = RenewedContent(
        severity=severity, card_severity=severity, alert=alert, alert_service="cart", started_at=NOW, beside=beside
    )
    return burst_services(line)


def test_a_burst_may_have_begun_on_any_service_that_alerts_in_it() -> None:
    assert services("HighErrorRate", BurstService("payments", ["HighErrorRate"])) == ["cart", "payments"]


def test_who_only_has_more_requests_was_handed_them() -> None:
    down, up = BurstService("orders-db", ["TrafficHigh"]), BurstService("checkout", ["DependencySlow"])

    assert services("TrafficHigh", down, up, BurstService("cart", ["CpuSaturated"])) == ["checkout", "cart"]


def test_a_burst_on_one_service_needs_no_origin() -> None:
    assert services("HighErrorRate", BurstService("cart", ["HighLatency"])) == []
