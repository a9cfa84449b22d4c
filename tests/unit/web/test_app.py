"""The outer app as it is served: nothing acknowledged is lost, health says what fails, errors get an id."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from bot.store.tables import AlertRow, ChangeRow, UnreadableRow
from tests.unit.web.serving import TOKEN, serving

ALERT = {"status": "firing", "labels": {"alertname": "X"}, "startsAt": "2026-03-01T02:59:00Z"}


def webhook(count: int) -> str:
    return json.dumps({"alerts": [{**ALERT, "fingerprint": f"f{n}"} for n in range(count)]})


async def test_every_alert_of_many_acknowledged_webhooks_is_readable(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, sorting):
        answers = await asyncio.gather(*(client.post("/alerts/prod", content=webhook(5), headers=TOKEN) for _ in range(20)))
        stored = await sorting.rows(AlertRow)

    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"accepted":5}')}
    assert len(stored) == 100


async def test_what_could_not_be_read_is_kept_in_the_database(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, sorting):
        answer = await client.post("/alerts/prod", content=b'{"alerts": 7}', headers=TOKEN)
        rows = await sorting.rows(UnreadableRow)

    assert (answer.status_code, answer.json()["field"]) == (400, "alerts")
    assert [row.body for row in rows] == [b'{"alerts": 7}']


async def test_many_unreadable_items_keep_the_whole_body_once(tmp_path: Path) -> None:
    body = json.dumps({"alerts": [ALERT, *({"status": "?"} for _ in range(500))]}).encode()
    async with serving(tmp_path) as (client, sorting):
        answer = await client.post("/alerts/prod", content=body, headers=TOKEN)
        rows = await sorting.rows(UnreadableRow)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert [row.body for row in rows] == [body]


async def test_a_change_is_stored_once_however_often_it_is_told(tmp_path: Path) -> None:
    change = {"service": "checkout", "title": "deploy 1.5.0", "id": "7"}
    async with serving(tmp_path) as (client, sorting):
        for _ in range(2):
            assert (await client.post("/changes/own", json=change, headers=TOKEN)).status_code == 202

        assert [row.id for row in await sorting.rows(ChangeRow)] == ["own:7"]


async def test_a_database_that_is_gone_is_503_with_retry_after(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, sorting):
        async with sorting.db.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE alerts RENAME TO elsewhere")
        answer = await client.post("/alerts/prod", content=webhook(1), headers=TOKEN)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_health_answers_and_readiness_names_what_fails(tmp_path: Path) -> None:
    async def down() -> bool:
        return False

    async with serving(tmp_path, inbox=down) as (client, _):
        healthy, ready = await client.get("/healthz"), await client.get("/readyz")

    assert healthy.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "database": "ok", "inbox": "down"})


async def test_without_an_aid_it_is_ready_and_says_so(tmp_path: Path) -> None:
    async def well() -> bool:
        return False

    async with serving(tmp_path, optional={"model": well}) as (client, _):
        ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "database": "ok", "model": "degraded"})


async def test_readiness_is_200_when_all_is_well(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, _):
        assert (await client.get("/readyz")).status_code == 200


async def test_metrics_count_what_the_door_did(tmp_path: Path) -> None:
    counter = 'bot_webhook_requests_total{door="alerts",source="prod",status="202"}'
    async with serving(tmp_path) as (client, _):
        before = await shown(client, counter)
        await client.post("/alerts/prod", content=webhook(1), headers=TOKEN)
        after = await shown(client, counter)

    assert after == before + 1


async def shown(client: httpx.AsyncClient, series: str) -> float:
    """The value of a series on /metrics. Raises ValueError where it is not there."""
    lines = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(series)]
    (value,) = (line.removeprefix(series) for line in lines)
    return float(value)


async def test_other_paths_and_methods_are_refused_in_the_same_form(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, _):
        missing, wrong = await client.get("/nothing"), await client.get("/alerts/prod")

    assert [(answer.status_code, list(answer.json())) for answer in (missing, wrong)] == [(404, ["error"]), (405, ["error"])]


async def test_a_sender_with_half_an_address_is_told_the_whole_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, _):
        answers = [await client.post(path, content=webhook(1), headers=TOKEN) for path in ("/", "/alerts", "/webhook")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert all("alerts are posted to /alerts/NAME" in answer.json()["error"] for answer in answers)


async def test_a_body_that_is_sent_in_pieces_is_stopped_at_the_limit(tmp_path: Path) -> None:
    sent: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            sent.append(65536)
            yield b"x" * 65536

    async with serving(tmp_path) as (client, _):
        answer = await client.post("/alerts/prod", content=endless(), headers=TOKEN)

    assert answer.status_code == 413
