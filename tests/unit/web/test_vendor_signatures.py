"""Each vendor's own proof opens its endpoint, and nobody else's does."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.plugins import Source, discover
from bot.store.alerts.intake.stored_alerts import StoredAlerts
from bot.web.errors import Guard
from bot.web.webhooks import WebhookEndpoints
from tests.unit.sources.changes.bodies import (
    argocd_sync,
    flux_event,
    github_workflow,
    gitlab_deployment,
    mlflow_event,
    terraform_run,
)

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
Headers = dict[str, str]
KEY = "right"


class Committed:
    """Stands where intake stands."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.stored = StoredAlerts()

    async def put(self, alerts: Any, changes: Any, received_at: datetime, **_again: object) -> None:
        self.changes += changes

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        raise AssertionError(problem)


def hexed(algorithm: str, key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, algorithm).hexdigest()


def standard(prefix: str, names: tuple[str, str, str], key: str, body: bytes) -> Headers:
    seconds = str(int(NOW.timestamp()))
    digest = hmac.new(key.encode(), f"m.{seconds}.".encode() + body, hashlib.sha256).digest()
    values = ("v1," + base64.b64encode(digest).decode(), "m", seconds)
    return {prefix + name: value for name, value in zip(names, values, strict=True)}


STANDARD, MLFLOW = ("signature", "id", "timestamp"), ("signature", "delivery-id", "timestamp")
HELM = flux_event("HelmRelease", "UpgradeSucceeded", "Helm upgrade succeeded", "6.3.6")
VENDORS: list[tuple[str, Any, Callable[[str, bytes], Headers]]] = [
    ("github", github_workflow(), lambda key, body: {"X-Hub-Signature-256": "sha256=" + hexed("sha256", key, body)}),
    ("gitlab", gitlab_deployment(), lambda key, body: {"X-Gitlab-Token": key}),
    ("gitlab", gitlab_deployment(), lambda key, body: standard("webhook-", STANDARD, key, body)),
    ("argocd", argocd_sync(), lambda key, body: {"Authorization": f"Bearer {key}"}),
    ("flux", HELM, lambda key, body: {"X-Signature": "sha256=" + hexed("sha256", key, body)}),
    ("terraform", terraform_run("applied"), lambda key, body: {"X-TFE-Notification-Signature": hexed("sha512", key, body)}),
    (
        "mlflow",
        mlflow_event("model_version_alias", "created", alias="champion"),
        lambda key, body: standard("X-MLflow-", MLFLOW, key, body),
    ),
    ("registry", {"name": "fraud", "version": "4"}, lambda key, body: {"X-Signature": "sha256=" + hexed("sha256", key, body)}),
]


def client_of(kind: str, committed: Committed, token: str = KEY) -> httpx.AsyncClient:
    sources = {"prod": SourceConfig(kind=kind, options={"workflows": ["Deploy"]})}
    endpoints = WebhookEndpoints(sources, discover(["bot.sources"], Source), {"prod": token}, committed, lambda: NOW)
    return httpx.AsyncClient(transport=httpx.ASGITransport(Guard(endpoints)), base_url="http://bot")


@pytest.mark.parametrize(("kind", "body", "proof"), VENDORS)
async def test_what_a_vendor_signed_is_stored(kind: str, body: Any, proof: Callable[[str, bytes], Headers]) -> None:
    committed, raw = Committed(), json.dumps(body).encode()
    async with client_of(kind, committed) as client:
        answer = await client.post("/changes/prod", content=raw, headers={"X-GitHub-Event": "workflow_run", **proof(KEY, raw)})

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert len(committed.changes) == 1


@pytest.mark.parametrize(("kind", "body", "proof"), VENDORS)
async def test_what_another_key_signed_is_refused(kind: str, body: Any, proof: Callable[[str, bytes], Headers]) -> None:
    committed, raw = Committed(), json.dumps(body).encode()
    async with client_of(kind, committed) as client:
        answer = await client.post("/changes/prod", content=raw, headers=proof("wrong", raw))

    assert (answer.status_code, committed.changes) == (401, [])


@pytest.mark.parametrize(("kind", "body", "proof"), VENDORS)
async def test_without_a_configured_secret_no_proof_fits(kind: str, body: Any, proof: Callable[[str, bytes], Headers]) -> None:
    committed, raw = Committed(), json.dumps(body).encode()
    async with client_of(kind, committed, token="") as client:
        answer = await client.post("/changes/prod", content=raw, headers=proof("", raw))

    assert (answer.status_code, committed.changes) == (401, [])
