"""Puts an item's text where it would come in: a label, an annotation, a log line, a runbook, a commit, a message, a body."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import select

from bot.store.tables import QuestionRow, TimelineRow
from tests.attacks.cast import member
from tests.attacks.deliveries import aftermath, play_steps, post_malformed
from tests.attacks.items import Item
from tests.attacks.stage import until
from tests.attacks.world import SCENE, TOKEN, World

Json = dict[str, Any]
LINES = {
    "request_path": 'GET {} HTTP/1.1" 500',
    "user_agent": '"GET /cart HTTP/1.1" 500 0 "-" "{}"',
    "exception": "ERROR unhandled exception: {}",
}
BODIES = (
    "many_labels",
    "many_alerts",
    "nest_json",
    "gzip",
    "gzip_twice",
    "repeat_raw",
    "many_posts",
    "slow_body",
    "endless_body",
)
"""Rules that tell a body and not a text, when the channel is a webhook's."""


STORMS = ("many_alerts", "many_posts")
"""Rules whose alerts are so many that everything else would wait behind them: played last, and for themselves."""


async def play(world: World, item: Item, service: str) -> list[int]:
    """Plant, fire an alert, wait until nothing moves; the statuses that the endpoint answered."""
    world.puppet.items[service] = item
    world.backends.starts[service] = time.time()
    if item.rule.get("rule") in STORMS:
        return await _plant(world, item, service)
    if item.category in ("malformed", "replay"):
        return await _deliver(world, item, service)
    statuses = await _plant(world, item, service)
    statuses.append(await _fire(world, item, service))
    await world.settled(service)
    if item.channel == "slack_message":
        await _talk(world, item, service)
    if item.category in ("secret", "control") or "postmortem" in str(item.rule) or item.rule.get("rule") == "many_messages":
        await _write_up(world, item, service)
    return statuses


async def _deliver(world: World, item: Item, service: str) -> list[int]:
    """Bodies that no sender should send, then an ordinary alert, which must flow as ever."""
    send = post_malformed if item.category == "malformed" else play_steps
    statuses = await send(world, item, service)
    statuses.append(await _fire(world, item, service))
    await world.settled(service)
    world.doubts[service] += await aftermath(world, item, service)
    return statuses


async def _plant(world: World, item: Item, service: str) -> list[int]:
    if item.channel == "log_line":
        form = LINES.get(item.field, "ERROR {}")
        flood = item.text.split("\n") if item.rule.get("rule") == "lines" else [item.text]
        world.backends.lines[service] = [form.format(line) if "{" not in line else form.replace("{}", line) for line in flood][
            :5_000
        ]
    elif item.channel == "runbook":
        title = item.text if item.field == "title" else f"Runbook {service}"
        body = "Look at the graph." if item.field == "title" else item.text
        (world.folder / "runbooks" / f"{service}.md").write_text(f"# {title}\n\n{body}\n", encoding="utf-8")
    elif item.rule.get("rule") == "many_commits":
        changes = [{"service": service, "title": f"commit {i}", "id": f"{service}-{i}"} for i in range(item.rule["count"])]
        return [(await world.client.post("/changes/gen", json=changes, headers=TOKEN)).status_code]
    elif item.channel == "commit_message":
        return [await _change(world, item, service)]
    elif item.channel == "tool_result":
        world.backends.floods[service] = next((k for k in ("endless", "slow") if k in item.rule.get("rule", "")), "vector")
    elif item.rule.get("rule") in BODIES and item.channel == "webhook_body":
        return [await _post(world, item)]
    return []


async def _change(world: World, item: Item, service: str) -> int:
    text = item.text
    told = {"service": service, "title": text or "empty", "version": "2.0.0", "author": "dev"}
    told["author"] = text if item.field == "author_name" else "dev"
    told["title"] = "deploy 2.0.0" if item.field == "author_name" else told["title"]
    told["at"] = (datetime.now(UTC) - timedelta(minutes=4)).isoformat()
    answer = await world.client.post("/changes/gen", json=told, headers=TOKEN)
    return answer.status_code


async def _post(world: World, item: Item) -> int:
    """A body as the rule tells it."""
    rule, headers = item.rule, dict(TOKEN)
    body = item.text.encode()
    if rule["rule"] == "many_labels":
        body = webhook({"alertname": "Many", **{f"l{i}": f"v{i}" for i in range(rule["count"])}})
    elif rule["rule"] == "many_alerts":
        names = [rule["alertname"].replace("{i}", str(i)) for i in range(rule["count"])]
        body = webhook(*({"alertname": name, "severity": "warning", "instance": f"i{i}"} for i, name in enumerate(names)))
    elif rule["rule"].startswith("gzip"):
        body = gzip.compress(rule["unit"].encode() * rule["count"])
        headers["content-encoding"] = "gzip"
        if rule["rule"] == "gzip_twice":
            body, headers["content-encoding"] = gzip.compress(body), "gzip, gzip"
    if rule["rule"] == "many_posts":
        posts = (webhook({"alertname": "Many", "severity": "warning", "instance": f"i{i}"}) for i in range(rule["count"]))
        return [(await world.client.post("/alerts/am", content=post, headers=headers)).status_code for post in posts][-1]
    answer = await world.client.post("/alerts/am", content=body, headers=headers)
    return answer.status_code


def webhook(*labels: Json) -> bytes:
    return json.dumps({"alerts": [{"status": "firing", "labels": each} for each in labels]}).encode()


async def _fire(world: World, item: Item, service: str) -> int:
    """The alert of the item's service, with the text in its field if it comes in by the alert."""
    text = item.text
    labels = {"alertname": "HighErrorRate", "service": service, "severity": "critical", "instance": "web-1"}
    annotations = {"summary": f"errors on {service}", "runbook_url": f"https://runbooks.internal.example/{service}"}
    alert: Json = {"status": "firing", "labels": labels, "annotations": annotations, "startsAt": datetime.now(UTC).isoformat()}
    alert["generatorURL"] = "https://prometheus.internal.example/graph?g0.expr=up"
    body: Json = {"alerts": [alert], "commonAnnotations": {}, "commonLabels": {}}
    if item.channel == "alert_label":
        for field in (f for f in (item.field or "labels.instance").split("|") if "user text" not in f):
            labels[field.removeprefix("labels.") if field.startswith("labels.") else "instance"] = text
        if labels["service"] != service:
            labels[SCENE] = service
            world.named_otherwise.add(service)
    elif item.channel == "annotation":
        annotations[item.field.removeprefix("annotations.") if item.field.startswith("annotations.") else "description"] = text
    elif item.channel == "tool_url":
        alert["generatorURL"] = annotations["runbook_url"] = text
    elif item.channel == "webhook_body" and item.rule.get("rule") not in BODIES:
        name = (item.field or "description").rsplit(".", 1)[-1]
        if item.rule and "." in item.rule.get("into", ""):
            place, name = item.rule["into"].split(".")
            (labels if place == "labels" else annotations)[name] = text
        elif "Labels" in item.field or name in ("title", "alertname"):
            labels["alertname"], body["commonLabels"] = text, {"alertname": text}
        else:
            annotations[name], body["commonAnnotations"] = text, {name: text}
    # An item about the severity is one about this alert's own.
    answer = await world.client.post("/alerts/am", json=body, headers=TOKEN)
    if answer.status_code != 202:
        labels.update(alertname="HighErrorRate", instance="web-1")
        plain = {"alerts": [{**alert, "labels": labels, "annotations": {"summary": "errors"}}]}
        await world.client.post("/alerts/am", json=plain, headers=TOKEN)
    return answer.status_code


async def _talk(world: World, item: Item, service: str) -> None:
    """Say it in the channel, note it, and ask with it; under a display name if that is where it stands."""
    channel, group = await world.channel(service), await world.group(service)
    assert group is not None
    ref, user = f"AL-{group.id}", member("on_call").user
    asked = " ".join(item.text.split())[:1500] or "why?"
    if item.field == "display_name":
        user = f"U0FAKE{service[-3:]}X"
        await world.sandbox.post("people", [{"id": user, "name": item.text[:80] or "nobody"}])
        await world.sandbox.post("channels", [{"id": channel, "members": [user, member("on_call").user], "bot": True}])
        asked = "what broke?"
    for act in (
        {"type": {"channel": channel, "text": item.text[:3000] or "-"}},
        {"mention": {"channel": channel, "text": f"note {asked} {ref}"}},
        {"mention": {"channel": channel, "text": f"investigate {asked} {ref}"}},
    ):
        await world.sandbox.control.post("/act", json={"as": user, **act})
    row = await world.triage(service)
    if row is not None and row.attempt < 2:
        await until(lambda: _attempted(world, service), 300, every=1.0)
    await world.settled(service, attempt=2)
    # Now there is evidence to ask of, and what was planted stands in it.
    question = {"channel": channel, "text": f"ask {ref} {asked}"}
    await world.sandbox.control.post("/act", json={"as": user, "mention": question})
    await until(lambda: _answered(world, group.id), 60, every=0.5)


async def _answered(world: World, group: int | None) -> bool:
    """Whether a question of the group has its answer."""
    async with world.app.db.read() as session:
        found = select(QuestionRow.id).where(QuestionRow.group_id == group, QuestionRow.state == "answered")
        return (await session.exec(found)).first() is not None


async def _attempted(world: World, service: str) -> bool:
    row = await world.triage(service)
    return row is not None and row.attempt >= 2


async def _write_up(world: World, item: Item, service: str) -> None:
    """The postmortem draft, which tells the whole incident again."""
    group = await world.group(service)
    if group is None or group.incident_id is None:
        return
    if item.rule.get("rule") == "many_messages":
        async with world.app.db.write() as session:
            now = datetime.now(UTC)
            session.add_all(
                TimelineRow(
                    group_id=group.id, incident_id=group.incident_id, at=now, kind="note", text=f"message {i}", who="oncall"
                )
                for i in range(int(item.rule["count"]))
            )
    ref = f"INC-{group.incident_id}"
    text = f"postmortem {ref}"
    await world.sandbox.act("on_call", mention={"channel": await world.channel(service), "text": text})
    await until(lambda: _drafted(world, ref), 300, every=1.0)
    await world.settled(service)


async def _drafted(world: World, ref: str) -> bool:
    return await world.app.postmortems.newest(ref) is not None
