"""How requests reach a service: over all instances, until one stops, and with what a connection keeps."""

import pytest

from bot.core.diffs.effects.deployment.routing import balancing, lost_draining, pool_mode
from bot.core.diffs.patches import Patch, read_patches
from bot.core.systems import FileChange


def patches(*lines: str, path: str = "deploy/values.yaml") -> list[Patch]:
    return read_patches([FileChange(path, 1, 1, patch="\n".join(["@@ -1 +1 @@", *lines]))])


@pytest.mark.parametrize(
    "lines",
    [
        ("-  target: dns:///prices-headless.prices:9090", "+  target: dns:///prices.prices:9090"),
        ("-  clusterIP: None", "+  type: ClusterIP"),
        ("+  sessionAffinity: ClientIP",),
        ("+    ip_hash;",),
    ],
)
def test_calls_that_stay_with_one_instance_are_told(lines: tuple[str, ...]) -> None:
    path = "nginx.conf" if "ip_hash" in lines[0] else "deploy/values.yaml"

    assert [effect.kind for effect in balancing(patches(*lines, path=path))] == ["balancing"]


@pytest.mark.parametrize(
    "lines",
    [
        ("-  target: prices-headless:9090", "+  target: prices-headless:9091"),
        ("-  target: prices-headless:9090", "+  target: prices-pods:9090"),
        ("-  lb_policy: ROUND_ROBIN", "+  lb_policy: LEAST_REQUEST"),
        ("-  a: 1  # was headless", "+  a: 1"),
        ("-  await puppeteer.launch({ headless: true })", "+  await puppeteer.launch(options)"),
    ],
)
def test_other_ways_to_spread_calls_and_other_uses_of_these_words_are_not(lines: tuple[str, ...]) -> None:
    assert not list(balancing(patches(*lines)))


def test_an_instance_that_stops_without_ending_its_requests_is_told() -> None:
    hook = ("-  lifecycle:", "-    preStop:", '-      exec: { command: ["sleep", "12"] }')

    assert [effect.name for effect in lost_draining(patches(*hook))] == ["preStop"]
    assert not list(lost_draining(patches(*hook, "+  lifecycle:", "+    preStop:", "+      sleep: { seconds: 12 }")))
    assert not list(lost_draining(patches(*hook, '+  {{- include "common.lifecycle" . }}')))
    assert not list(lost_draining(patches("-  for x in buffer.drain(..) {", path="src/lib.rs")))


def test_connections_that_are_lent_for_a_transaction_alone_are_told() -> None:
    def told(*lines: str) -> list[tuple[str, str]]:
        (patch,) = patches(*lines)
        return [(effect.before, effect.after) for effect in pool_mode(patch)]

    one, other = "-  poolMode: session", "+  poolMode: transaction"
    assert told(one, other) == told(one, one, other, other) == [("session", "transaction")]
    assert not told("-  poolMode: transaction", "+  poolMode: session")
