"""The HTTP side, in process: Prometheus, Loki, Alertmanager, jobs and control."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from bot.sandbox.world.app import world_routes
from bot.sandbox.world.jobs import sign
from bot.sandbox.world.life import Life
from tests.unit.sandbox.world.builders import let_pass, world

PROMETHEUS = "/world/prometheus/api/v1"
LOKI = "/world/loki/loki/api/v1"


class WorldClient:
    """A client of one world in this process."""

    def __init__(self) -> None:
        self.world, self.clock = world(1, secret="s3cret", history_hours=7.0)
        self.life = Life(self.world)
        app = Starlette(routes=world_routes(self.world, self.life))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://world")

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.http.get(path, params=params)).json()

    async def run(self, job: str, body: dict[str, Any], key: str = "k1", secret: str = "s3cret") -> httpx.Response:
        raw = json.dumps(body).encode()
        headers = {"X-Tocsin-Signature": sign(secret, raw), "Idempotency-Key": key, "X-Tocsin-Proposal": "AP-7"}
        return await self.http.post(f"/world/jobs/{job}", content=raw, headers=headers)


@pytest.fixture
async def client() -> AsyncIterator[WorldClient]:
    opened = WorldClient()
    yield opened
    await opened.http.aclose()


async def test_the_current_values_can_be_scraped(client: WorldClient) -> None:
    text = (await client.http.get("/world/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["http_requests"].type == "counter" and families["http_request_duration_seconds"].type == "histogram"
    assert len({s.labels["service"] for s in families["http_requests"].samples}) == 12


async def test_a_range_query_over_six_hours_is_whole(client: WorldClient) -> None:
    now = client.clock.at
    query = 'sum by (service) (rate(http_requests_total{code=~"5.."}[1m])) / sum by (service) (rate(http_requests_total[1m]))'
    params = {"query": query, "start": now - 21600, "end": now, "step": "30s"}
    answer = await client.get(f"{PROMETHEUS}/query_range", **params)
    assert len(answer["data"]["result"]) == 12 and {len(s["values"]) for s in answer["data"]["result"]} == {721}


async def test_a_form_is_read_like_an_address(client: WorldClient) -> None:
    answer = (await client.http.post(f"{PROMETHEUS}/query", data={"query": "count(up)"})).json()
    assert answer["data"]["resultType"] == "vector" and float(answer["data"]["result"][0]["value"][1]) >= 30


@pytest.mark.parametrize(
    ("path", "params", "status", "kind"),
    [
        ("query", {"query": "sum(rate(x[5m]"}, 400, "bad_data"),
        ("query", {"query": "up", "time": "soon"}, 400, "bad_data"),
        ("query", {"query": "up * on(service) http_requests_total"}, 422, "execution"),
        ("query_range", {"query": "up", "start": 0, "end": 20000, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up", "start": 10, "end": 0, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up[1m]", "start": 0, "end": 10, "step": 1}, 400, "bad_data"),
        ("series", {}, 400, "bad_data"),
    ],
)
async def test_errors_have_the_form_of_prometheus(
    client: WorldClient, path: str, params: dict[str, Any], status: int, kind: str
) -> None:
    answer = await client.http.get(f"{PROMETHEUS}/{path}", params=params)
    assert (answer.status_code, answer.json()["status"], answer.json()["errorType"]) == (status, "error", kind)


async def test_labels_series_and_metadata_describe_the_shop(client: WorldClient) -> None:
    assert "storefront" in (await client.get(f"{PROMETHEUS}/label/service/values"))["data"]
    assert {"service", "pod", "version"} <= set((await client.get(f"{PROMETHEUS}/labels"))["data"])
    series = (await client.get(f"{PROMETHEUS}/series", **{"match[]": 'kube_pod_container_info{service="auth"}'}))["data"]
    assert all(s["image"].startswith("registry.example/shop/auth:") for s in series) and len(series) >= 3
    assert (await client.get(f"{PROMETHEUS}/metadata", metric="queue_depth"))["data"]["queue_depth"][0]["type"] == "gauge"


async def test_rules_and_alerts_show_what_fires(client: WorldClient) -> None:
    let_pass(client.world, client.clock, 6)
    rules = (await client.get(f"{PROMETHEUS}/rules"))["data"]["groups"][0]["rules"]
    assert any(rule["state"] == "firing" and rule["name"] == "HighErrorRate" for rule in rules)
    alerts = (await client.get(f"{PROMETHEUS}/alerts"))["data"]["alerts"]
    assert {"HighErrorRate", "Watchdog"} <= {alert["labels"]["alertname"] for alert in alerts}


async def test_the_runbook_that_an_alert_names_can_be_read(client: WorldClient) -> None:
    (rule, *_) = (await client.get(f"{PROMETHEUS}/rules"))["data"]["groups"][0]["rules"]
    named = rule["annotations"]["runbook_url"]

    page = await client.http.get(named.removeprefix(client.world.base_url))

    assert named.startswith(client.world.base_url) and page.status_code == 200 and rule["name"] in page.text
    assert (await client.http.get("/world/runbooks/Nothing")).status_code == 404


async def test_the_failing_service_logs_its_own_error_lines_newest_first(client: WorldClient) -> None:
    root = client.world.truth()["root"]
    query = f'{{service="{root}",level="error"}} |~ "KeyError|panic|TypeError"'
    answer = await client.get(f"{LOKI}/query_range", query=query, limit=20)
    lines = [value for stream in answer["data"]["result"] for value in stream["values"]]
    assert len(lines) == 20
    assert all(int(at) / 1e9 >= client.world.faults[0].onset for at, _ in lines)
    for stream in answer["data"]["result"]:
        assert [at for at, _ in stream["values"]] == sorted((at for at, _ in stream["values"]), reverse=True)


async def test_log_lines_are_the_same_when_read_again(client: WorldClient) -> None:
    params = {"query": '{service=~"cart|auth"} != "slow"', "limit": 50, "direction": "forward"}
    assert (await client.get(f"{LOKI}/query_range", **params))["data"]["result"] == (
        await client.get(f"{LOKI}/query_range", **params)
    )["data"]["result"]


async def test_a_log_query_that_cannot_be_read_is_refused(client: WorldClient) -> None:
    answer = await client.http.get(f"{LOKI}/query_range", params={"query": "cart"})
    assert answer.status_code == 400 and "parse error" in answer.text


async def test_a_job_runs_once_for_one_key(client: WorldClient) -> None:
    body = {"service": client.world.truth()["root"], "change": "pipeline:" + client.world.truth()["change_id"]}
    first, second = await client.run("rollback", body), await client.run("rollback", body)
    assert first.status_code == 200 and first.json() == second.json() and first.json()["status"] == "succeeded"
    executions = await client.get("/_world/executions")
    assert len(executions) == 1 and executions[0]["headers"] == {"x-tocsin-proposal": "AP-7"} and executions[0]["key"] == "k1"
    assert (await client.get("/world/jobs/k1")) == first.json()


async def test_a_job_with_a_wrong_signature_changes_nothing(client: WorldClient) -> None:
    answer = await client.run("restart", {"service": "cart"}, secret="guessed")
    assert answer.status_code == 401 and await client.get("/_world/executions") == []


async def test_a_key_used_for_another_request_is_refused(client: WorldClient) -> None:
    await client.run("restart", {"service": "cart"})
    assert (await client.run("restart", {"service": "auth"})).status_code == 422


async def test_an_impossible_job_says_why(client: WorldClient) -> None:
    answer = await client.run("rollback", {"service": "warehouse"})
    assert answer.status_code == 422 and answer.json()["message"] == "no such service: warehouse"
    assert (await client.run("reboot", {"service": "cart"}, key="k2")).status_code == 404


async def test_a_rollback_becomes_a_change_and_can_be_taken_back(client: WorldClient) -> None:
    root = client.world.truth()["root"]
    await client.run("rollback", {"service": root})
    await client.run("rollforward", {"service": root}, key="k2")
    titles = [change["title"] for change in await client.get("/world/changes", service=root)][-2:]
    assert titles[0].startswith("Roll back to") and titles[1].startswith("Roll forward to")


async def test_a_silence_mutes_until_it_is_expired(client: WorldClient) -> None:
    firing = let_pass(client.world, client.clock, 6)
    client.life.notifier.update(firing, client.clock.at)
    silence = {
        "matchers": [{"name": "alertname", "value": "HighErrorRate", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2027-01-01T00:00:00Z",
        "createdBy": "alice",
        "comment": "working on it",
    }
    path = "/world/alertmanager/api/v2"
    silence_id = (await client.http.post(f"{path}/silences", json=silence)).json()["silenceID"]
    client.clock.at += 5
    sent = {body["groupLabels"]["alertname"] for body in client.life.notifier.due(client.clock.at)}
    assert "HighErrorRate" not in sent and "PodErrorRate" in sent
    muted = await client.get(f"{path}/alerts", filter='alertname="HighErrorRate"')
    assert {alert["status"]["state"] for alert in muted} == {"suppressed"}
    assert (await client.http.delete(f"{path}/silence/{silence_id}")).status_code == 200
    client.clock.at += 5
    assert "HighErrorRate" in {body["groupLabels"]["alertname"] for body in client.life.notifier.due(client.clock.at)}


async def test_a_silence_without_matchers_is_refused(client: WorldClient) -> None:
    answer = await client.http.post("/world/alertmanager/api/v2/silences", json={"matchers": []})
    assert answer.status_code == 400 and "at least one matcher" in answer.json()["message"]


async def test_control_lists_faults_and_refuses_unknown_ones(client: WorldClient) -> None:
    names = [fault["name"] for fault in await client.get("/_world/faults")]
    assert len(names) == 9
    assert (await client.http.post("/_world/fault", json={"name": "earthquake"})).status_code == 400
    assert (await client.http.post("/_world/fault", json={"name": names[0]})).status_code == 200
