"""An `Http` of actions that asks a handler instead of the network, and contexts over it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.core.config.actions import ActionConfig
from bot.core.errors import OutcomeUnknown
from bot.core.service import Catalogue, Service, Signal
from bot.plugins import ActionContext, HttpAnswer, WritableSystem
from tests.unit.approvals_fixture import RecordedMetrics

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
BASE = "https://remote.example.com"
KEY = "AP-1:1:abcd"
SIGNAL = Signal(promql="errors", unit="ratio", bad_above=0.02)
NAMES = {"kubernetes": "prod/checkout", "argocd": "checkout-prod", "github": "shop/checkout", "mlflow": "fraud", "jira": "SHOP"}


class HandledHttp:
    """Each request goes to `handler`; while `lost`, writes are handled and their answers never come."""

    def __init__(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        self.handler = handler
        self.lost = False

    async def check(self, url: str, *, allow_private: bool = False) -> str:
        return ""

    async def send(
        self, method: str, url: str, *, json: object, key: str, headers: Mapping[str, str] | None = None, **_: Any
    ) -> HttpAnswer:
        marked = {"Idempotency-Key": key} if key else {}
        request = httpx.Request(method, url, json=json, headers={**(headers or {}), **marked})
        response = self.handler(request)
        if self.lost and key:
            raise OutcomeUnknown("the answer of remote.example.com was lost.")
        is_json = "json" in response.headers.get("content-type", "")
        return HttpAnswer(response.status_code, response.text, response.json() if is_json else None)


def context(http: HandledHttp, token: str, *, errors: float = 0.001, **entry: Any) -> ActionContext:
    """What an action may use, with every system at `BASE`."""
    metrics = RecordedMetrics()
    metrics.values["errors"] = errors
    config = ActionConfig.model_validate({"kind": "k", "verify": {"signal": "errors"}, **entry})
    systems = {name: WritableSystem(BASE, {"checkout": known}, lambda: token) for name, known in NAMES.items()}
    return ActionContext(
        now=NOW,
        proposal="AP-1",
        entry="entry",
        config=config,
        catalogue=Catalogue([Service(name="checkout", signals={"errors": SIGNAL})]),
        metrics=metrics,
        http=http,
        idempotency_key=KEY,
        incident="INC-1",
        systems=systems,
    )
