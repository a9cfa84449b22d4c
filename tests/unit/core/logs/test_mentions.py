"""Which services a log line names as somebody who is called."""

import pytest

from bot.core.logs.mentions import named_services

SERVICES = ["kafka", "kafka-core", "portal", "order-svc"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("Fetch timed out broker=kafka-core-1:9092", {"kafka-core"}),
        ("GET http://order-svc:8080/orders 503", {"order-svc"}),
        ("pod order-svc-7c9d8f6b5d-x2x9q is not ready", {"order-svc"}),
        ("503 upstream portal", {"portal"}),
        ("lookup portal on 10.0.0.10:53: no such host", {"portal"}),
        ("portal.shop.svc answered 500", {"portal"}),
        ("Visit the Azure portal to create new keys", set()),
        ("the kafka consumer rebalanced", set()),
        ("reorder-svcs failed", set()),
    ],
)
def test_instances_count_and_common_words_only_where_somebody_is_called(line: str, named: set[str]) -> None:
    assert named_services([line], SERVICES) == named
