"""Sends malformed bodies and replays as a sender, or whoever pretends to be one, would; notes what is not as it must be."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlmodel import col

from bot.sandbox.workspace.people import BOT_USER_ID
from bot.store.alerts.intake.unreadable import LONGEST_BODY
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, TriageRow, UnreadableRow
from tests.attacks.cast import TEAM, channel_of, member
from tests.attacks.items import Item
from tests.attacks.stage import until
from tests.attacks.world import SOURCES, TOKENS, TOPIC, World

Json = dict[str, Any]
SOURCE_OF = {kind: name for name, kind in SOURCES.items()}
FLAPS = 150
"""Firing and resolved, a second each, for five minutes of the sender's clock."""
SAME = 1_000
FLOOD = 500
"""Bodies without a proof."""


def _bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS[name]}"}


# ---------------------------------------------------------------- malformed


async def post_malformed(world: World, item: Item, service: str) -> list[int]:
    """Post the body where its kind of sender would; the status."""
    if item.source.startswith("slack"):
        return [(await _to_slack(world, item.raw, dict(item.headers), signed=True)).status_code]
    name = SOURCE_OF.get(item.source, "gen")
    path = f"/changes/{name}" if name == "hub" else f"/alerts/{name}"
    answer = await world.client.post(path, content=item.raw, headers={**_bearer(name), **item.headers})
    world.doubts[service] += [*_unclear(answer), *_lost_neighbours(answer, item), *await _not_kept(world, answer, item, name)]
    return [answer.status_code]


async def _to_slack(world: World, body: bytes, headers: dict[str, str], *, signed: bool) -> httpx.Response:
    stamp = str(int(time.time()))
    secret = world.sandbox.addresses["signing_secret"] if signed else "no-secret"
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    proof = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}
    return await world.client.post(
        "/slack/events", content=body, headers={"Content-Type": "application/json", **headers, **proof}
    )


def _unclear(answer: httpx.Response) -> list[str]:
    """A refusal says in words why."""
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return [] if answer.status_code == 202 or told.get("error") else [f"{answer.status_code} without a reason"]


def _lost_neighbours(answer: httpx.Response, item: Item) -> list[str]:
    """Each alert of a body that was taken is stored or named as set aside."""
    if answer.status_code != 202:
        return []
    try:
        body = json.loads(item.raw.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return ["taken, though it is no JSON"]
    alerts = body.get("alerts") if isinstance(body, dict) else None
    told = answer.json()
    counted = told["accepted"] + len(told.get("rejected", []))
    return (
        [f"{counted} of {len(alerts)} alerts are accounted for"] if isinstance(alerts, list) and counted != len(alerts) else []
    )


async def _not_kept(world: World, answer: httpx.Response, item: Item, name: str) -> list[str]:
    """A body that was refused for what it holds is kept."""
    if answer.status_code != 400 or "field" not in answer.json():
        return []
    rows = await world.rows(UnreadableRow, UnreadableRow.source == name)
    return [] if any(row.body == item.raw[:LONGEST_BODY] for row in rows) else ["the body was not kept"]


async def aftermath(world: World, item: Item, service: str) -> list[str]:
    """What no body may leave behind: times that cannot be, and a second group beside the ordinary alert's."""
    ahead = datetime.now(UTC) + timedelta(minutes=11)
    doubts = [f"{row.name} starts in the future" for row in await world.rows(EpisodeRow, EpisodeRow.starts_at > ahead)]
    ended = await world.rows(EpisodeRow, col(EpisodeRow.ended_at) < EpisodeRow.starts_at)
    doubts += [f"{row.name} ended before it began" for row in ended]
    groups = await world.rows(GroupRow, GroupRow.service == service)
    # What was replayed before may have cleared: the ordinary alert is a new outage then.
    return [*doubts, *([f"{len(groups)} groups"] if item.category == "malformed" and len(groups) != 1 else [])]


# ---------------------------------------------------------------- replays


async def play_steps(world: World, item: Item, service: str) -> list[int]:
    """Play the steps in words; the statuses. Raises ValueError for a step that nobody can play."""
    player = Player(world, service)
    for step in item.steps:
        play = next((play for pattern, play in STEPS if re.search(pattern, step, re.I)), None)
        if play is None:
            raise ValueError(f"nobody can play {step!r}")
        await play(player)
    await player.check()
    world.doubts[service] += player.doubts
    return player.statuses


def _alert(
    service: str, fingerprint: str, status: str = "firing", *, starts_at: datetime, ends_at: datetime | None = None
) -> Json:
    labels = {"alertname": "HighErrorRate", "service": service, "severity": "critical", "replayed": fingerprint}
    end = ends_at.isoformat() if ends_at else "0001-01-01T00:00:00Z"
    return {"status": status, "labels": labels, "annotations": {}, "startsAt": starts_at.isoformat(), "endsAt": end,
            "fingerprint": f"{service}-{fingerprint}"}  # fmt: skip


class Player:
    """Sends the steps of one item; `doubts` is what came out otherwise than it must."""

    def __init__(self, world: World, service: str) -> None:
        self.world, self.service = world, service
        self.statuses: list[int] = []
        self.doubts: list[str] = []
        self.began = datetime.now(UTC) - timedelta(minutes=5)
        self.body = json.dumps({"alerts": [_alert(service, "f1", starts_at=self.began)]}).encode()
        deployment = {
            "id": f"{service}-7",
            "environment": "production",
            "sha": "fa4e" * 10,
            "ref": "main",
            "description": "deploy",
        }
        status = {"state": "success", "created_at": self.began.isoformat()}
        told = {"deployment_status": status, "deployment": deployment, "repository": {"name": service, "full_name": service}}
        self.change = json.dumps(told).encode()
        self.delivered = 0
        self.checks: list[Callable[[], Awaitable[None]]] = []

    async def post(self, path: str, body: bytes, headers: dict[str, str], expected: Sequence[int]) -> httpx.Response:
        answer = await self.world.client.post(path, content=body, headers=headers)
        self.statuses.append(answer.status_code)
        if answer.status_code not in expected:
            self.doubts.append(f"{path} answered {answer.status_code}, not {' or '.join(map(str, expected))}")
        return answer

    async def check(self) -> None:
        for check in self.checks:
            await check()

    async def episodes(self) -> list[EpisodeRow]:
        """The episodes of f1, once all that was delivered is sorted."""
        for _ in range(600):
            rows = await self.world.rows(EpisodeRow, EpisodeRow.fingerprint == f"{self.service}-f1")
            if sum(1 + row.repeats for row in rows) >= self.delivered:
                return rows
            await asyncio.sleep(0.1)
        self.doubts.append(f"only {sum(1 + row.repeats for row in rows)} of {self.delivered} deliveries were counted")
        return rows

    # ------------------------------------------------------------ the same bytes again

    async def valid_body(self) -> None:
        await self._deliver(self.body)

    async def other_bytes(self) -> None:
        """The same alerts, written in another order and with other blanks."""
        await self._deliver(json.dumps(json.loads(self.body), sort_keys=True, indent=2).encode())

    async def _deliver(self, body: bytes) -> None:
        await self.post("/alerts/am", body, _bearer("am"), [202])
        self.delivered += 1
        if self._one_alert not in self.checks:
            self.checks.append(self._one_alert)

    async def many(self) -> None:
        for _ in range(SAME // 50):
            await asyncio.gather(*(self.valid_body() for _ in range(50)))

    async def _one_alert(self) -> None:
        rows = await self.episodes()
        if len(rows) != 1:
            self.doubts.append(f"{len(rows)} alerts of the same bytes")
        groups = await self.world.rows(GroupRow, GroupRow.service == self.service)
        attempts = await self.world.rows(TriageRow, col(TriageRow.group_id).in_([group.id for group in groups]))
        if len(groups) != 1 or len(attempts) > 1:
            self.doubts.append(f"{len(groups)} groups, {len(attempts)} investigations")

    # ------------------------------------------------------------ proofs of before, of others, of none

    async def old_signature(self) -> None:
        """Where a moment is signed it is refused; where none is, the same alert again is a repeat."""
        stamp = str(int(time.time()) - 86_400)
        signature = hmac.new(TOKENS["graf"].encode(), f"{stamp}:".encode() + self.body, hashlib.sha256).hexdigest()
        stamped = {"X-Grafana-Alerting-Signature": signature, "X-Grafana-Alerting-Timestamp": stamp}
        await self.post("/alerts/graf", self.body, stamped, [401])
        incident = {"id": f"P-{self.service}", "title": "HighErrorRate", "service": {"summary": self.service}, "urgency": "low"}
        body = json.dumps({"event": {"event_type": "incident.triggered", "data": incident}}).encode()
        signed = {"X-PagerDuty-Signature": "v1=" + hmac.new(TOKENS["pd"].encode(), body, hashlib.sha256).hexdigest()}
        for _ in "12":
            await self.post("/alerts/pd", body, signed, [202])

    async def wrong_token(self) -> None:
        await self.post("/alerts/am", b"\xff not read", {"authorization": "Bearer wrong"}, [401, 404])
        if any(row.body == b"\xff not read" for row in await self.world.rows(UnreadableRow)):
            self.doubts.append("a body without a proof was kept")

    async def token_of_another(self) -> None:
        await self.post("/alerts/am", self.body, _bearer("graf"), [401])

    async def sha1_only(self) -> None:
        signature = "sha1=" + hmac.new(TOKENS["hub"].encode(), self.body, hashlib.sha1).hexdigest()
        await self.post("/changes/hub", self.body, {"X-Hub-Signature": signature}, [401])

    async def false_confirmation(self) -> None:
        told = {"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "SubscribeURL": "http://192.0.2.9/", "Token": "t",
                "MessageId": "m", "Message": "", "Timestamp": datetime.now(UTC).isoformat(), "SignatureVersion": "2",
                "Signature": "AAAA", "SigningCertURL": "http://192.0.2.9/SimpleNotificationService.pem"}  # fmt: skip
        body = json.dumps(told).encode()
        await self.post("/alerts/aws", body, {"x-amz-sns-message-type": "SubscriptionConfirmation"}, [401])
        await self.post("/alerts/aws", body, _bearer("aws"), [400])

    async def unsigned_challenge(self) -> None:
        body = json.dumps({"type": "url_verification", "challenge": "echo-me"}).encode()
        answer = await _to_slack(self.world, body, {}, signed=False)
        self.statuses.append(answer.status_code)
        if answer.status_code != 401 or "echo-me" in answer.text:
            self.doubts.append(f"the challenge got {answer.status_code} {answer.text[:60]}")

    async def reused_signature(self) -> None:
        """A signature is one of bytes, and not of what they say."""
        signed = self._signed_change(self.change)
        await self.post("/changes/hub", json.dumps(json.loads(self.change), indent=2).encode(), signed, [401])

    async def signed_change(self) -> None:
        """However often a delivery comes, it is one change."""
        await self.post("/changes/hub", self.change, self._signed_change(self.change), [202])
        if self._one_change not in self.checks:
            self.checks.append(self._one_change)

    def _signed_change(self, body: bytes) -> dict[str, str]:
        signature = "sha256=" + hmac.new(TOKENS["hub"].encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": signature, "X-GitHub-Event": "deployment_status", "X-GitHub-Delivery": self.service}

    async def _one_change(self) -> None:
        rows = await self.world.rows(ChangeRow, ChangeRow.service == self.service, col(ChangeRow.id).startswith("hub"))
        if len(rows) != 1:
            self.doubts.append(f"{len(rows)} changes of one delivery")

    async def asked_in_slack(self) -> None:
        """However often Slack sends an event, it is answered once."""
        stamp, channel = "1700000000.000100", channel_of(self.service)
        said = {"type": "app_mention", "user": member("on_call").user, "channel": channel, "text": f"<@{BOT_USER_ID}> help"}
        event = {**said, "ts": stamp, "event_ts": stamp}
        told = {"type": "event_callback", "event_id": f"Ev{self.service}", "team_id": TEAM, "api_app_id": "A0", "event": event}
        answer = await _to_slack(self.world, json.dumps(told).encode(), {}, signed=True)
        self.statuses.append(answer.status_code)
        if self._one_answer not in self.checks:
            self.checks.append(self._one_answer)

    async def _one_answer(self) -> None:
        async def answered() -> bool:
            return bool(await self._answers())

        await until(answered, 60, every=0.5)
        # Whatever else would answer has had its time.
        await asyncio.sleep(2)
        if len(found := await self._answers()) != 1:
            self.doubts.append(f"{len(found)} answers to one event")

    async def _answers(self) -> list[Json]:
        channel = channel_of(self.service)
        return [message for message in await self.world.said() if message.get("channel") == channel]

    async def wrong_flood(self) -> None:
        """Many bodies without a proof: each is refused, none is kept, and the others go on."""
        for number in range(FLOOD):
            body = json.dumps({"alerts": [_alert(self.service, f"x{number}", starts_at=self.began)]}).encode()
            await self.post("/alerts/am", body, {"authorization": "Bearer wrong"}, [401, 404, 429])
            if number % 50 == 0:
                await self.valid_body()

    # ------------------------------------------------------------ out of order

    async def resolved(self) -> None:
        alert = _alert(self.service, "f1", "resolved", starts_at=self.began, ends_at=self.began + timedelta(minutes=2))
        await self.post("/alerts/am", json.dumps({"alerts": [alert]}).encode(), _bearer("am"), [202])
        self.delivered += 1

    async def earlier_firing(self) -> None:
        alert = _alert(self.service, "f1", starts_at=self.began - timedelta(minutes=10))
        await self.post("/alerts/am", json.dumps({"alerts": [alert]}).encode(), _bearer("am"), [202])
        self.delivered += 1
        self.checks.append(self._nothing_fires)

    async def _nothing_fires(self) -> None:
        if firing := [row for row in await self.episodes() if row.status == "firing"]:
            self.doubts.append(f"{len(firing)} late alerts fire")

    async def flap(self) -> None:
        for number in range(FLAPS):
            starts_at = self.began + timedelta(seconds=2 * number)
            for status, end in (("firing", None), ("resolved", starts_at + timedelta(seconds=1))):
                alert = _alert(self.service, "f1", status, starts_at=starts_at, ends_at=end)
                await self.post("/alerts/am", json.dumps({"alerts": [alert]}).encode(), _bearer("am"), [202])
        self.delivered += FLAPS
        self.checks.append(self._one_group)

    async def _one_group(self) -> None:
        await self.episodes()
        groups = await self.world.rows(GroupRow, GroupRow.service == self.service)
        if len(groups) != 1:
            self.doubts.append(f"{len(groups)} groups of one alert that flaps")


STEPS: tuple[tuple[str, Callable[[Player], Awaitable[None]]], ...] = (
    (r"same bytes \d+ times", Player.many),
    (r"same alerts again|other (white ?space|order)(?!.*signature)", Player.other_bytes),
    (r"(old|same) signature", Player.reused_signature),
    (r"GitHub", Player.signed_change),
    (r"app_mention|X-Slack-Retry", Player.asked_in_slack),
    (r"valid alert body|same bytes again", Player.valid_body),
    (r"signature made", Player.old_signature),
    (r"bodies a second.*wrong (path )?token", Player.wrong_flood),
    (r"good body", Player.valid_body),
    (r"wrong (path )?token", Player.wrong_token),
    (r"with \w+'s token|token of (another|other)", Player.token_of_another),
    (r"sha1", Player.sha1_only),
    (r"SubscriptionConfirmation", Player.false_confirmation),
    (r"url_verification", Player.unsigned_challenge),
    (r"firing/resolved", Player.flap),
    (r"firing.*earlier", Player.earlier_firing),
    (r"resolved", Player.resolved),
)
"""What a step says -> how it is played; the first that fits."""
