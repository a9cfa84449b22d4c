"""What words say of the kind of cause, in the tongues of many platforms."""

import pytest

from bot.core.verdict.category_signs import Category, category_of, ended_in, sign_in


@pytest.mark.parametrize(
    ("category", "text"),
    [
        (Category.RESOURCE, "java.lang.OutOfMemoryError: Java heap space"),
        (Category.RESOURCE, "write /var/lib/kafka/data: no space left on device"),
        (Category.RESOURCE, "ERROR 1040 (HY000): Too many connections"),
        (Category.RESOURCE, 'pods "web-7" is forbidden: exceeded quota: compute'),
        (Category.RESOURCE, "Consumer group lag on topic orders exceeded 500000 messages"),
        (Category.CONFIGURATION, 'Error: secret "db-credentials" not found'),
        (Category.CONFIGURATION, "dial tcp: lookup redis.cache.svc on 10.96.0.10:53: no such host"),
        (Category.CONFIGURATION, 'Back-off pulling image "registry.local/web:1.9": ErrImagePull'),
        (Category.CONFIGURATION, 'Readiness probe failed: Get "http://10.1.2.3/ready": connection refused'),
        (Category.CONFIGURATION, "socket.gaierror: [Errno -2] Name or service not known"),
        (Category.INFRASTRUCTURE, "Kubelet stopped posting node status."),
        (Category.INFRASTRUCTURE, "Instance web-7 was preempted."),
        (Category.DEPENDENCY, "connect ECONNREFUSED 10.0.3.12:5432"),
        (Category.CODE, "panic: runtime error: index out of range [3] with length 3"),
        (Category.CODE, "TypeError: Cannot read properties of undefined (reading 'id')"),
        (Category.DATA, 'ERROR: duplicate key value violates unique constraint "orders_pkey"'),
        (Category.UNKNOWN, "Back-off restarting failed container"),
    ],
)
def test_a_line_tells_its_kind_of_cause(category: Category, text: str) -> None:
    sign = sign_in(text, "E1")

    assert sign is not None and sign.category is category


@pytest.mark.parametrize(
    "text",
    [
        "GET /healthz 200 1ms",
        "Successfully assigned shop/web-1 to node-3",
        "connection pool at 3/50",
        "0/2 nodes are available: 2 Insufficient cpu (pod is now Running)",
        "Error rate is back to normal; alert resolved",
    ],
)
def test_a_calm_line_is_no_sign(text: str) -> None:
    assert sign_in(text, "E1") is None


@pytest.mark.parametrize(
    "text",
    [
        "    for res in getaddrinfo(host, port, 0, SOCK_STREAM):",
        "Type DiskPressure, status False: KubeletHasNoDiskPressure, kubelet has no disk pressure",
        "preemptionPolicy: PreemptLowerPriority",
        "Namespace  Name  CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age",
    ],
)
def test_words_that_stand_in_code_tables_and_healthy_states_name_no_cause(text: str) -> None:
    assert sign_in(text, "E1") is None


def test_the_stronger_word_of_a_line_decides() -> None:
    sign = sign_in("upstream error: too many clients already", "E1")

    assert sign is not None and (sign.category, sign.weight) == (Category.RESOURCE, 3)


def test_a_falling_success_rate_is_not_calm() -> None:
    assert ended_in("success rate of payments fell, storage low") is None


def test_an_end_belongs_to_a_category() -> None:
    assert ended_in("Storage of orders-db was extended and is available") is Category.RESOURCE


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("CPUUtilization", Category.RESOURCE),
        ("ready replicas", Category.UNKNOWN),
        ("nodes not ready", Category.INFRASTRUCTURE),
        ("containers in CreateContainerConfigError", Category.CONFIGURATION),
    ],
)
def test_a_signal_beyond_its_threshold_has_the_category_of_its_name(name: str, category: Category) -> None:
    assert category_of(name) is category
