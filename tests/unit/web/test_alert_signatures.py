"""Senders of alerts prove themselves as their vendors do it, at the endpoint itself."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.core.alert import Alert
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig
from bot.core.errors import QueryFailed
from bot.plugins import Source, discover
from bot.store.alerts.intake.stored_alerts import StoredAlerts
from bot.web.errors import Guard
from bot.web.webhooks import WebhookEndpoints

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
Headers = dict[str, str]
ALERT = {"status": "firing", "labels": {"alertname": "X"}}
GRAFANA = json.dumps({"alerts": [ALERT]}).encode()
PAGERDUTY = json.dumps({"event": {"event_type": "incident.triggered", "data": {"id": "P1", "title": "X"}}}).encode()
SENTRY = json.dumps({"action": "triggered", "data": {"event": {"title": "X", "issue_id": "1"}}}).encode()


class Committed:
    """Stands where intake stands."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.stored = StoredAlerts()

    async def put(self, alerts: Any, changes: Any, received_at: datetime, **_again: object) -> None:
        self.alerts += alerts

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        pass


def hexed(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def stamped(key: str, body: bytes, at: datetime = NOW) -> Headers:
    seconds = str(int(at.timestamp()))
    return {"X-Grafana-Alerting-Signature": hexed(key, f"{seconds}:".encode() + body), "X-Grafana-Alerting-Timestamp": seconds}


async def post(
    kind: str, body: bytes, headers: Headers, committed: Committed, *, fetch: Any = None, path: str = "/alerts/prod"
) -> httpx.Response:
    sources = {"prod": SourceConfig(kind=kind, options={"topics": [TOPIC]})}
    more = {"fetch": fetch} if fetch else {}
    endpoints = WebhookEndpoints(sources, discover(["bot.sources"], Source), {"prod": "key"}, committed, lambda: NOW, **more)
    transport = httpx.ASGITransport(Guard(endpoints))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        return await client.post(path, content=body, headers=headers)


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [
        ("grafana", GRAFANA, {"X-Grafana-Alerting-Signature": hexed("key", GRAFANA)}),
        ("grafana", GRAFANA, stamped("key", GRAFANA)),
        ("pagerduty", PAGERDUTY, {"X-PagerDuty-Signature": f"v1=00,v1={hexed('key', PAGERDUTY)}"}),
        ("sentry", SENTRY, {"Sentry-Hook-Signature": hexed("key", SENTRY), "Sentry-Hook-Resource": "event_alert"}),
        ("datadog", b'{"title": "X"}', {"Authorization": "Basic " + base64.b64encode(b"tocsin:key").decode()}),
    ],
)
async def test_what_the_vendor_signed_is_stored(kind: str, body: bytes, headers: Headers) -> None:
    committed = Committed()
    answer = await post(kind, body, headers, committed)

    assert (answer.status_code, answer.json()["accepted"], len(committed.alerts)) == (202, 1, 1)


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [
        ("grafana", GRAFANA, {"X-Grafana-Alerting-Signature": hexed("other", GRAFANA)}),
        ("grafana", GRAFANA, stamped("key", GRAFANA, NOW.replace(day=23))),
        ("grafana", GRAFANA, {k: v for k, v in stamped("key", GRAFANA).items() if "Timestamp" not in k}),
        ("pagerduty", PAGERDUTY, {"X-PagerDuty-Signature": hexed("key", PAGERDUTY)}),
        ("sentry", SENTRY, {"Sentry-Hook-Signature": ""}),
        ("datadog", b'{"title": "X"}', {"Authorization": "Basic " + base64.b64encode(b"key:other").decode()}),
        ("datadog", b'{"title": "X"}', {"Authorization": "Basic no-base64"}),
        ("cloudwatch", b'{"Type": "Notification"}', {"X-Amz-Sns-Message-Type": "Notification"}),
    ],
)
async def test_what_does_not_prove_itself_is_refused(kind: str, body: bytes, headers: Headers) -> None:
    committed = Committed()

    assert ((await post(kind, body, headers, committed)).status_code, committed.alerts) == (401, [])


async def test_a_subscription_is_confirmed_by_opening_its_address_and_tried_again_where_that_fails() -> None:
    opened: list[str] = []

    async def fetch(url: str) -> bytes:
        opened.append(url)
        if len(opened) == 1:
            raise QueryFailed("sns.eu-west-1.amazonaws.com cannot be reached")
        return b"ok"

    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    body = json.dumps({"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "SubscribeURL": url}).encode()
    statuses = [
        (await post("cloudwatch", body, {"Authorization": "Bearer key"}, Committed(), fetch=fetch)).status_code for _ in "12"
    ]

    assert (statuses, opened) == ([503, 202], [url, url])


async def test_a_severity_that_nobody_mapped_is_told_to_the_sender() -> None:
    body = json.dumps({"alerts": [{**ALERT, "labels": {"alertname": "X", "severity": "spicy"}}]}).encode()
    endpoints = WebhookEndpoints(
        {"prod": SourceConfig(kind="alertmanager")},
        discover(["bot.sources"], Source),
        {"prod": "key"},
        Committed(),
        lambda: NOW,
        knows_severity=Config().knows_severity,
    )
    transport = httpx.ASGITransport(Guard(endpoints))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        answer = await client.post("/alerts/prod", content=body, headers={"Authorization": "Bearer key"})

    assert answer.json() == {"accepted": 1, "warnings": ["severity 'spicy' is not mapped in `severities`: it counts as SEV3"]}


async def test_vmalert_and_prometheus_append_the_path_of_alertmanagers_api() -> None:
    committed = Committed()
    body = json.dumps([{"labels": {"alertname": "X"}, "endsAt": "2026-11-24T23:09:00Z"}]).encode()
    answer = await post("vmalert", body, {"Authorization": "Bearer key"}, committed, path="/alerts/prod/api/v2/alerts")

    assert (answer.status_code, [alert.status for alert in committed.alerts]) == (202, ["firing"])
