"""How requests reach a service: over all instances, until one stops, and with what a connection keeps."""

import pytest

from bot.core.diffs.effects.deployment.routing import balancing, lost_draining, pool_mode
from bot.core.diffs.patches import Patch, read_patches
from bot.core.systems import FileChange


def patches(*lines: str) -> list[Patch]:
    return read_patches([FileChange("deploy/values.yaml", 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])


@pytest.mark.parametrize(
    "lines",
    [
        ("-  target: dns:///prices-headless.prices:9090", "+  target: dns:///prices.prices:9090"),
        ("-  clusterIP: None", "+  type: ClusterIP"),
        ('-    {"loadBalancingConfig": [{"round_robin": {}}]}', '+    {"waitForReady": true}'),
        ("+  sessionAffinity: ClientIP",),
    ],
)
def test_calls_that_stay_with_one_instance_are_told(lines: tuple[str, ...]) -> None:
    assert [effect.kind for effect in balancing(patches(*lines))] == ["balancing"]


def test_another_way_to_spread_calls_is_not() -> None:
    assert not list(balancing(patches("-  lb_policy: ROUND_ROBIN", "+  lb_policy: LEAST_REQUEST")))
    assert not list(balancing(patches("-  target: prices-headless:9090", "+  target: prices-headless:9091")))


def test_an_instance_that_stops_without_ending_its_requests_is_told() -> None:
    hook = ("-  lifecycle:", "-    preStop:", '-      exec: { command: ["sleep", "12"] }')

    assert [effect.name for effect in lost_draining(patches(*hook))] == ["preStop"]
    assert not list(lost_draining(patches(*hook, "+  lifecycle:", "+    preStop:", "+      sleep: { seconds: 12 }")))


def test_connections_that_are_lent_for_a_transaction_alone_are_told() -> None:
    def told(before: str, after: str) -> list[tuple[str, str]]:
        (patch,) = patches(f"-  poolMode: {before}", f"+  poolMode: {after}")
        return [(effect.before, effect.after) for effect in pool_mode(patch)]

    assert told("session", "transaction") == [("session", "transaction")]
    assert not told("transaction", "session")
