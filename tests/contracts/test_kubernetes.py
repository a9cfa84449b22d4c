"""Workloads of a cluster are read with GET alone, and what a role forbids is said."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.adapters import cluster_access, workloads_of
from bot.core.config import Config
from bot.core.config.systems import KubernetesConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence, LedgerEntry
from bot.core.redaction.inventory import names_in
from bot.monitoring.systems.kubernetes import Kubernetes
from tests.contracts.kubernetes_api import TOKEN, ApiServer, deployment, event, pod, replica_set
from tests.unit.builders import NOW
from tests.unit.evidence_builders import CASE
from tests.unit.tools.tool_fixture import call_tool, context

HERE = KubernetesConfig(url="http://kubernetes.example.com")
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "deployments": [deployment()],
    "replicasets": [
        replica_set("checkout-a", "6", "shop/checkout:1.9", 0),
        replica_set("checkout-b", "7", "shop/checkout:2.0", 2),
    ],
    "pods": [
        pod("checkout-b-1"),
        pod("checkout-b-2", crashed=True),
        {"metadata": {"name": "other", "labels": {"app": "cart"}}},
    ],
    "events": [
        event("checkout-b-2", "BackOff", "Back-off restarting failed container"),
        event("checkout-b", "FailedCreate", "quota exceeded", kind="ReplicaSet", series=True),
        event("cart-1", "Unhealthy", "another workload"),
    ],
}
LOGS = {("checkout-b-2", True): "loading\njava.lang.OutOfMemoryError\n", ("checkout-b-2", False): "loading\n"}


class Cluster:
    """A reader over a stand-in."""

    def __init__(self, server: ApiServer, token: Any = TOKEN) -> None:
        self.server = server
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(server))
        self.reader = Kubernetes(HERE, self.client, {"checkout": "prod/checkout", "payments": "prod/nobody"}, token=token)

    async def tool(self, name: str, **arguments: Any) -> Evidence:
        return await call_tool(name, context(cluster=self.reader), service="checkout", **arguments)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    here = Cluster(ApiServer(OBJECTS, LOGS))
    yield here
    await here.client.aclose()


async def test_a_workload_is_described_with_rollout_revisions_pods_and_events(cluster: Cluster) -> None:
    found = await cluster.tool("describe_workload")
    text = "\n".join(found.details)

    assert found.summary == (
        "checkout: 1 of 2 pods ready, rolling out, 2 of 2 updated; 1 pod not ready; 6 restarts; waiting: CrashLoopBackOff; "
        "2 kinds of warning in 6 h"
    )
    assert "Progressing is False: ProgressDeadlineExceeded" in text
    assert "revision 7 since 2026-03-01 02:50 UTC: 2 of 2 ready, shop/checkout:2.0" in text
    assert "container app: waiting: CrashLoopBackOff (back-off 5m0s" in text
    assert "before: terminated: OOMKilled (exit 137) at 02:58:30 UTC" in text
    assert "warning 2026-03-01 02:59 UTC ReplicaSet/checkout-b FailedCreate (9 times): quota exceeded" in text
    names = {
        (name.kind, name.text)
        for name in names_in(CASE, [LedgerEntry(id="E1", group="AL-1", tool="t", at=NOW, evidence=found)])
    }
    assert {("pod", "checkout-b-2"), ("host", "node-7"), ("namespace", "prod")} <= names  # masked where names are
    assert "another workload" not in text and "never-shown" not in text and found.user_controllable


async def test_what_a_container_wrote_before_it_died_is_read_from_the_pod_that_restarted_most(cluster: Cluster) -> None:
    found = await cluster.tool("pod_logs")

    assert found.details[-1] == "checkout-b-2/app 2026-03-01T02:50:00Z java.lang.OutOfMemoryError"
    assert len((await cluster.tool("pod_logs", previous=False)).details) == 1


@pytest.mark.parametrize(("length", "count"), [(10, 300), (2_000, 50), (20_000, 5)])
async def test_the_last_words_are_read_however_long_the_lines_are(length: int, count: int) -> None:
    text = "".join(f"{number} {'x' * length}\n" for number in range(400)) + "panic: out of disk\n"
    here = Cluster(ApiServer(OBJECTS, {("checkout-b-2", True): text}))
    evidence = await here.tool("pod_logs")

    assert len(evidence.details) == count and evidence.details[-1].endswith("panic: out of disk")
    await here.client.aclose()


async def test_a_last_line_that_is_too_long_is_said_to_lack_its_end() -> None:
    here = Cluster(ApiServer(OBJECTS, {("checkout-b-2", True): "loading\n" + "x" * 300_000}))

    assert "the end is missing" in (await here.tool("pod_logs")).details[-1]
    await here.client.aclose()


async def test_only_pods_of_the_service_can_be_read(cluster: Cluster) -> None:
    for arguments in ({"pod": "other"}, {"pod": "../secrets/x"}, {"container": "sidecar"}):
        with pytest.raises(InvalidQuery):
            await cluster.tool("pod_logs", **arguments)

    assert all(request.method == "GET" and "secrets" not in request.url.path for request in cluster.server.requests)


async def test_a_container_that_never_restarted_has_no_earlier_log(cluster: Cluster) -> None:
    with pytest.raises(QueryFailed, match="previous terminated container"):
        await cluster.tool("pod_logs", pod="checkout-b-1")


@pytest.mark.parametrize("resource", ["events", "pods", "replicasets"])
async def test_what_the_role_forbids_is_said_and_the_rest_stands(resource: str) -> None:
    here = Cluster(ApiServer(OBJECTS, LOGS, forbidden=frozenset({resource})))
    found = await here.tool("describe_workload")

    assert found.ok and len(found.unseen) == 1 and "cannot list resource" in found.unseen[0]
    assert (await here.reader.check()).state == "failed"
    await here.client.aclose()


@pytest.mark.parametrize(
    ("forbidden", "rest"),
    [
        ({"pods", "events"}, "pods, events could not be read"),
        ({"pods"}, "events of pods not matched; pods could not be read"),
        ({"replicasets"}, "no restart; events of revisions not matched; revisions could not be read"),
        ({"events"}, "no restart; events could not be read"),
        (set(), "no restart; 0 kinds of warning in 6 h"),
    ],
)
async def test_a_summary_claims_nothing_of_what_could_not_be_read(forbidden: set[str], rest: str) -> None:
    quiet = {**OBJECTS, "deployments": [deployment(ready=2)], "pods": [pod("checkout-b-1"), pod("checkout-b-3")], "events": []}
    here = Cluster(ApiServer(quiet, forbidden=frozenset(forbidden)))
    evidence = await here.tool("describe_workload")

    assert evidence.summary == f"checkout: 2 of 2 pods ready, rolled out; {rest}"
    await here.client.aclose()


async def test_warnings_are_at_least_those_that_could_be_matched() -> None:
    quota = event("checkout", "FailedCreate", "quota exceeded", kind="Deployment")
    here = Cluster(ApiServer({**OBJECTS, "events": [quota]}, forbidden=frozenset({"pods"})))

    assert "; at least 1 kind of warning in 6 h; " in (await here.tool("describe_workload")).summary
    await here.client.aclose()


async def test_lists_of_many_pages_are_read_whole() -> None:
    here = Cluster(ApiServer({**OBJECTS, "pods": [pod(f"checkout-b-{n}") for n in range(90)]}, page=25))

    assert len((await here.reader.workload("checkout")).pods) == 90
    await here.client.aclose()


async def test_events_are_read_object_by_object_where_the_namespace_holds_more_than_can_be_read() -> None:
    noise = [event(f"other-{n}", "Pulled", "pulled an image") for n in range(1_100)]
    about = event("checkout-b-1", "OOMKilling", "memory cgroup out of memory")
    here = Cluster(ApiServer({**OBJECTS, "events": [*noise, about]}))

    state = await here.reader.workload("checkout")

    assert [one.reason for one in state.events] == ["OOMKilling"] and state.unread == ()
    await here.client.aclose()


async def test_an_unknown_workload_and_a_wrong_token_could_not_be_checked(cluster: Cluster) -> None:
    with pytest.raises(QueryFailed, match="no workload prod/nobody"):
        await cluster.reader.workload("payments")
    with pytest.raises(QueryFailed, match=r"known_as\.kubernetes"):
        await cluster.reader.workload("cart")
    with pytest.raises(QueryFailed, match="401: Unauthorized"):
        await Cluster(cluster.server, token="wrong").reader.workload("checkout")


async def test_the_token_of_a_service_account_is_read_anew_for_each_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    config = HERE.model_copy(update={"token_file": str(file)})
    async with httpx.AsyncClient() as client:
        _, token = cluster_access(config, client, "unused")
    here = Cluster(ApiServer(OBJECTS, LOGS), token=token)

    file.write_text("expired\n")
    with pytest.raises(QueryFailed):
        await here.reader.workload("checkout")
    file.write_text(f"{TOKEN}\n")
    assert (await here.reader.workload("checkout")).desired == 2
    file.unlink()
    with pytest.raises(QueryFailed, match="token_file"):
        await here.reader.workload("checkout")
    await here.client.aclose()


def test_the_place_of_a_workload_is_configured_or_that_of_its_deployment() -> None:
    services: Any = {
        "a": {"known_as": {"kubernetes": "prod/a"}},
        "b": {"deployment": {"namespace": "prod", "name": "b-main"}},
        "c": {"deployment": {"name": "c"}},
    }
    assert workloads_of(Config.model_validate({"services": services})) == {"a": "prod/a", "b": "prod/b-main"}
