"""Hostile bodies at the real endpoints: each gets a clean 2xx or 4xx, what was taken is stored, and the next one is taken."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bot.store.tables import AlertRow, UnreadableRow
from tests.unit.recorded_data import shared_data
from tests.unit.web.serving import TOKEN, serving

DOORS = {"alertmanager": "/alerts/prod", "github": "/changes/hub"}
GOOD = {"status": "firing", "labels": {"alertname": "Good"}}


def items(name: str) -> Iterator[dict[str, Any]]:
    for line in shared_data("attacks", f"{name}.jsonl").read_text().splitlines():
        item = json.loads(line)
        if item["channel"] == "webhook_body" and "steps" not in item:
            yield item


def body_of(item: dict[str, Any]) -> bytes:
    if "payload_base64" in item:
        return base64.b64decode(item["payload_base64"])
    if "payload_rule" in item:
        return expanded(item["payload_rule"])
    text: str = item["payload"] if "payload" in item else "".join(item["payload_parts"])
    return text.encode("utf-8", "surrogatepass")


def expanded(rule: dict[str, Any]) -> bytes:
    count = rule.get("count", 0)
    match rule["rule"]:
        case "repeat":
            place, key = rule["into"].split(".")
            value = "".join(rule["unit"].replace("{i}", str(i)) for i in range(count))
            return webhook([{**GOOD, place: {**GOOD.get(place, {}), key: value}}])  # type: ignore[dict-item]
        case "repeat_raw":
            return f"{rule['prefix']}{rule['unit'] * count}{rule['suffix']}".encode()
        case "nest_json":
            return (rule["open"] * rule["depth"] + rule.get("core", "") + rule["close"] * rule["depth"]).encode()
        case "many_labels":
            return webhook([{**GOOD, "labels": {"alertname": "Good", **{f"l{i}": f"v{i}" for i in range(count)}}}])
        case "many_alerts":
            names = [(rule["alertname"].replace("{i}", str(i)), f"i{i}") for i in range(count)]
            return webhook([{"status": "firing", "labels": {"alertname": name, "instance": own}} for name, own in names])
        case "gzip":
            return gzip.compress(rule["unit"].encode() * count)
    raise AssertionError(f"unknown rule {rule['rule']}")


def webhook(alerts: list[Any]) -> bytes:
    return json.dumps({"alerts": alerts}).encode()


async def sent(client: httpx.AsyncClient, item: dict[str, Any]) -> httpx.Response:
    path = DOORS.get(item["source"], "/alerts/own")
    rule = item.get("payload_rule", {}).get("rule", "")
    headers = {**TOKEN, **item.get("headers", {}), **({"content-encoding": "gzip"} if rule == "gzip" else {})}
    return await client.post(path, content=body_of(item), headers=headers)


def unclean(item: dict[str, Any], answer: httpx.Response) -> bool:
    word = "accepted" if answer.status_code == 202 else "error"
    return answer.status_code >= 500 or answer.status_code < 200 or word not in answer.json()


async def test_every_malformed_body_gets_a_clean_answer_and_is_kept(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, sorting):
        answers = [(item, await sent(client, item)) for item in items("malformed")]
        good = await client.post("/alerts/prod", content=webhook([GOOD]), headers=TOKEN)
        kept = len(await sorting.rows(UnreadableRow))

    assert [(item["id"], answer.status_code, answer.text[:100]) for item, answer in answers if unclean(item, answer)] == []
    # What could not be inflated was not read; everything else that was refused is in the database.
    assert kept >= sum(1 for item, answer in answers if answer.status_code == 400 and "Content-Encoding" not in str(item))
    assert good.status_code == 202


async def test_every_huge_body_is_stored_whole_or_refused_by_its_size(tmp_path: Path) -> None:
    async with serving(tmp_path) as (client, sorting):
        answers = [(item, await sent(client, item)) for item in items("huge")]
        stored = len(await sorting.rows(AlertRow))

    assert [(item["id"], answer.status_code, answer.text[:100]) for item, answer in answers if unclean(item, answer)] == []
    assert stored == sum(answer.json().get("accepted", 0) for _, answer in answers)
