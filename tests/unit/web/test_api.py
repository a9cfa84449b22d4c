"""The API: read only, behind its token, and every id that a postmortem cites can be looked up."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.core.action import Plan, Tier
from bot.core.alert import Severity
from bot.core.approvals.roster import Roster
from bot.core.config import Config
from bot.core.evidence import Evidence
from bot.core.history.postmortem import PostmortemSection, Sentence
from bot.store.alerts.intake.writer import IntakeWriter
from bot.store.answers.postmortems import Postmortems
from bot.store.approvals.proposals import ProposalDraft, ProposalStore
from bot.store.incidents import incidents
from bot.store.incidents.privacy import set_private
from bot.store.tables import GroupRow, IncidentRow
from bot.store.triage.triage import Triages
from tests.unit.builders import NOW, change
from tests.unit.store.databases import SortingFixture, alert
from tests.unit.web.serving import TOKEN, serving

Served = tuple[httpx.AsyncClient, SortingFixture]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as (client, sorting):
        client.headers.update(TOKEN)
        await sorting.connect()
        await sorting.receive(alert("a"), alert("b", severity="none"))
        yield client, sorting


async def investigated(sorting: SortingFixture) -> None:
    triages = Triages(sorting.db)
    await triages.open("AL-1", 1, "", "")
    await triages.ledger.record(
        "AL-1", "query_metric", {}, "1", Evidence(summary="errors at 7 %", query="up", source="prometheus")
    )


@pytest.mark.parametrize(
    "path",
    [
        "alerts", "groups", "groups/AL-1", "incidents", "incidents/INC-1", "incidents/INC-1/postmortem", "evidence/AL-1/E1",
        "proposals/AP-1", "changes", "audit",
    ],
)  # fmt: skip
async def test_nothing_is_told_without_the_token(served: Served, path: str) -> None:
    client, _ = served

    for headers in ({"authorization": ""}, {"authorization": "Bearer wrong"}):
        answer = await client.get(f"/api/{path}", headers=headers)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])


async def test_without_a_configured_token_the_answer_names_the_variable(tmp_path: Path) -> None:
    async with serving(tmp_path, api_token="") as (client, _):
        answer = await client.get("/api/alerts", headers={"authorization": "Bearer "})

    assert answer.status_code == 401
    assert "TOCSIN_TOKEN_API" in answer.json()["error"]


async def test_a_proposal_has_the_names_that_callers_of_the_api_know(served: Served) -> None:
    client, sorting = served
    plan = Plan(
        action="rollback", action_version="1", kind="run_webhook", service="checkout", title="Roll back", arguments={},
        targets={"checkout": ""}, steps=[], dry_run="POST", tier=Tier.TWO, undo="rollforward",
    )  # fmt: skip
    store = ProposalStore(sorting.db, Config())
    await store.open_proposal(ProposalDraft("k", "AL-1", plan, "E1"), None, Roster(Config()))

    answer = (await client.get("/api/proposals/AP-1")).json()

    assert (answer["proposal"]["inverse"], len(answer["proposal"]["digest"])) == ("rollforward", 64)
    assert not {"undo", "plan_fingerprint"} & set(answer["proposal"])


async def test_alerts_are_listed_by_state_service_and_time(served: Served) -> None:
    client, _ = served

    assert [a["fingerprint"] for a in (await client.get("/api/alerts?state=firing&service=checkout")).json()] != []
    assert (await client.get("/api/alerts?service=search")).json() == []
    assert (await client.get("/api/alerts?since=2026-03-01T04:00:00Z")).json() == []


async def test_an_alert_has_the_reason_of_its_group_or_of_its_mute(served: Served) -> None:
    client, _ = served
    alerts = {one["fingerprint"]: one for one in (await client.get("/api/alerts?service=checkout")).json()}

    assert (alerts["a"]["grouping_reason"], alerts["a"]["grouping_text"]) == ("opened_group", "it opened the group")
    assert (alerts["a"]["mute_reason"], alerts["a"]["muted_by"]) == (None, "")
    assert (alerts["b"]["mute_reason"], alerts["b"]["muted_by"]) == ("severity_none", "severity none")
    assert alerts["b"]["grouping_reason"] == ""


async def test_a_bad_parameter_is_named(served: Served) -> None:
    client, _ = served

    for query, field in (
        ("state=sleeping", "state"), ("since=yesterday", "since"), ("since=2026-03-01T04:00:00", "since"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"), ("since=9999-12-31T23:59:59-14:00", "since"),
        ("service=a%00b", "service"),
    ):  # fmt: skip
        answer = await client.get(f"/api/alerts?{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_an_incident_comes_whole_and_its_moments_end_in_z(served: Served) -> None:
    client, sorting = served
    await investigated(sorting)
    whole = (await client.get("/api/incidents/inc-1")).json()

    assert (whole["incident"]["ref"], whole["group"]["ref"], whole["alerts"][0]["name"]) == ("INC-1", "AL-1", "Alert a")
    assert (whole["evidence"][0]["id"], whole["triages"][0]["attempt"]) == ("E1", 1)
    assert whole["timeline"][0]["id"].startswith("T")
    assert whole["incident"]["declared_at"] == "2026-03-01T03:00:00Z"
    assert (await client.get("/api/groups/AL-1")).json()["incident"]["ref"] == "INC-1"


async def test_an_investigation_tells_why_nothing_was_proposed(served: Served) -> None:
    client, sorting = served
    await investigated(sorting)
    why = "No action of the catalogue fits: the first cause is not sure enough (one of several)."
    await Triages(sorting.db).update("AL-1", 1, no_proposal=why)

    assert (await client.get("/api/groups/AL-1")).json()["triages"][0]["no_proposal"] == why


async def test_one_finding_can_be_looked_up_with_its_query(served: Served) -> None:
    client, sorting = served
    await investigated(sorting)

    assert (await client.get("/api/evidence/AL-1/E1")).json()["evidence"]["query"] == "up"


@pytest.mark.parametrize(
    "path",
    [
        "groups/AL-99", "groups/INC-1", "incidents/INC-99", "incidents/AL-1", "incidents/x", "incidents/INC-1/postmortem",
        "evidence/AL-1/E9", "evidence/AL-1/9", "evidence/x/y", "proposals/AP-7", "proposals/seven",
        "groups/AL-99999999999999999999",
    ],
)  # fmt: skip
async def test_what_does_not_exist_is_not_found(served: Served, path: str) -> None:
    client, _ = served
    answer = await client.get(f"/api/{path}")

    assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_the_newest_draft_comes_as_markdown(served: Served) -> None:
    client, sorting = served
    section = PostmortemSection(title="Summary", sentences=(Sentence(text="It broke.", sources=("AL-1",)),))
    await Postmortems(sorting.db).save("INC-1", 1, [section], "# INC-1\n")
    answer = await client.get("/api/incidents/INC-1/postmortem")

    assert (answer.text, answer.headers["content-type"]) == ("# INC-1\n", "text/markdown; charset=utf-8")


async def test_changes_are_those_of_the_last_day_unless_asked_further(served: Served) -> None:
    client, sorting = served
    writer = IntakeWriter(sorting.db, lambda: None)
    writer.start()
    await writer.put([], [change("new"), change("old", minutes_before=3000)], NOW)
    await writer.stop()

    assert [c["id"] for c in (await client.get("/api/changes")).json()] == ["test:new"]
    assert len((await client.get("/api/changes?service=checkout&since=2026-01-01T00:00:00Z")).json()) == 2


async def test_the_audit_is_read_behind_a_row(served: Served) -> None:
    client, _ = served
    first = (await client.get("/api/audit?after=0")).json()[0]

    assert (first["what"], first["subject"]) == ("declare", "INC-1")
    assert (await client.get(f"/api/audit?after={first['seq']}")).json() == []
    assert (await client.get("/api/audit?after=-1")).status_code == 400


async def test_an_unexpected_error_is_an_id_and_no_detail(served: Served) -> None:
    client, sorting = served
    async with sorting.db.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE audit")
    answer = await client.get("/api/audit")

    assert (answer.status_code, sorted(answer.json())) == (500, ["error", "error_id"])
    assert "audit" not in answer.text


async def test_the_documentation_describes_every_path(served: Served) -> None:
    client, _ = served
    document = (await client.get("/api/openapi.json")).json()
    alerts = document["paths"]["/alerts"]["get"]

    assert "/incidents/{ref}/postmortem" in document["paths"]
    assert (alerts["security"], list(alerts["responses"])) == ([{"TOCSIN_TOKEN_API": []}], ["200", "4XX"])
    assert document["components"]["securitySchemes"]["TOCSIN_TOKEN_API"]["scheme"] == "bearer"
    assert (await client.get("/api/docs")).status_code == 200


async def test_a_private_incident_is_answered_as_one_that_does_not_exist(served: Served) -> None:
    client, sorting = served
    await investigated(sorting)
    await incidents.declare(sorting.db, title="t", severity=Severity.SEV2, service="", channel="C1", by="a", group_ref="AL-1")
    assert (await client.get("/api/incidents/INC-1")).status_code == 200

    await set_private(sorting.db, "INC-1", "alice", private=True)

    lists = [(await client.get(f"/api/{path}")).json() for path in ("groups", "incidents", "alerts?service=checkout")]
    singles = [
        (await client.get(f"/api/{path}")).status_code for path in ("groups/AL-1", "incidents/INC-1", "evidence/AL-1/E1")
    ]
    assert "AL-1" not in [group["ref"] for group in lists[0]] and lists[1] == [] and singles == [404, 404, 404]
    assert [alert["name"] for alert in lists[2]] == ["Alert b", "Alert first"]


async def test_the_audit_tells_when_something_became_of_a_private_incident_and_not_what(served: Served) -> None:
    client, sorting = served
    await set_private(sorting.db, "INC-1", "alice", private=True)
    await incidents.resolve(sorting.db, "INC-1", "alice", cause="the keys were stolen")

    rows = (await client.get("/api/audit")).json()

    assert [(row["what"], row["subject"], row["withheld"]) for row in rows] == [
        ("declare", "", True), ("private", "", True), ("cause", "", True), ("resolve", "", True),
    ]  # fmt: skip
    assert "stolen" not in str(rows) and "alice" not in str(rows)


async def test_private_groups_take_no_place_on_a_list_of_the_newest(served: Served) -> None:
    client, sorting = served
    common = {"title": "t", "service": "checkout", "severity": "SEV3", "state": "OPEN", "channel": "C1", "private": True}
    async with sorting.db.write() as session:
        for _ in range(500):
            session.add(IncidentRow(**common, declared_by="a", declared_at=NOW))
            session.add(GroupRow(**common | {"state": "FIRING"}, key="", opened_at=NOW, last_alert_at=NOW))

    assert [group["ref"] for group in (await client.get("/api/groups")).json()] == ["AL-1"]
    assert [incident["ref"] for incident in (await client.get("/api/incidents")).json()] == ["INC-1"]
