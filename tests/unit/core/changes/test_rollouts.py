"""Changes that kube-state-metrics shows."""

from datetime import timedelta

import numpy as np

from bot.core.changes.rollouts import rollout_queries, rollouts, without_reported
from bot.core.metrics.series import Series
from tests.unit.builders import NOW, change

START = NOW - timedelta(hours=1)
STEP = 15.0


def samples(first: float, last: float, values: object = 1.0, **labels: str) -> Series:
    """A series from `first` to `last` minutes before NOW."""
    times = np.arange(NOW.timestamp() - 60 * first, NOW.timestamp() - 60 * last, STEP)
    return Series(labels, times, np.broadcast_to(np.asarray(values, dtype=float), times.shape).copy())


def pod(name: str, image: str, first: float, last: float = 0) -> Series:
    return samples(first, last, pod=name, image=f"registry.example/shop/checkout:{image}", container="checkout")


def changes_of(**series: list[Series]):
    return rollouts(series, service_of=lambda labels: "checkout", start=START, step=STEP)


def test_a_new_image_is_a_deploy_with_both_versions() -> None:
    (deploy,) = changes_of(images=[pod("checkout-a-1", "1.4", 60, 10), pod("checkout-b-1", "1.5", 10)])

    assert (deploy.kind, deploy.version, deploy.previous_version) == ("deploy", "1.5", "1.4")
    assert timedelta(0) <= (NOW - timedelta(minutes=10)) - deploy.at <= timedelta(seconds=STEP)


def test_a_rollback_is_a_second_deploy() -> None:
    pods = [pod("checkout-a-1", "1.4", 60, 30), pod("checkout-b-1", "1.5", 30, 10), pod("checkout-a-2", "1.4", 10)]

    assert [one.version for one in changes_of(images=pods)] == ["1.4", "1.5"]


def test_more_pods_of_the_same_image_are_no_deploy() -> None:
    assert changes_of(images=[pod("checkout-a-1", "1.4", 60), pod("checkout-a-2", "1.4", 10)]) == []


def test_a_generation_without_a_new_image_is_a_config_change_and_scaling_is_its_own_kind() -> None:
    steps = samples(60, 0, deployment="checkout")
    steps.values[100:] = 2

    assert [one.kind for one in changes_of(generations=[steps])] == ["config"]
    assert [one.kind for one in changes_of(generations=[steps], replicas=[steps])] == ["scale"]


def test_a_change_that_another_source_reported_is_not_listed_twice() -> None:
    changes = changes_of(images=[pod("checkout-a-1", "1.4", 60, 10), pod("checkout-b-1", "1.5", 10)])

    assert without_reported(changes, [change("reported", minutes_before=9)]) == []


def test_pod_names_are_matched_by_escaped_deployment_names() -> None:
    assert 'pod=~"(a\\\\.b|c)-[a-z0-9]+-[a-z0-9]+"' in rollout_queries(["c", "a.b"])["images"]
