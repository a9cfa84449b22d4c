"""The Pager port: PagerDuty's Events API v2 (a stand-in written from its documentation) and the signed webhook."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.core.errors import PagerFailed
from bot.pager.pagerduty import PagerDuty
from bot.pager.webhook import WebhookPager
from bot.ports import Pager
from tests.real import free_port
from tests.real.serving import running

SECRET = "pager-secret"


@dataclass
class Receiver:
    """Answers every POST as told, and keeps bodies and headers."""

    status: int = 202
    got: list[tuple[bytes, Any]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.got.append((await request.body(), request.headers))
        return Response(status_code=self.status)

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/{path:path}", receiver.take, methods=["POST"])])
    async with running(app) as url:
        yield receiver, url


@pytest.fixture(params=["pagerduty", "webhook"])
async def pager(request: pytest.FixtureRequest, receiver: tuple[Receiver, str]) -> AsyncIterator[Pager]:
    async with httpx.AsyncClient() as client:
        if request.param == "pagerduty":
            yield PagerDuty(client, "routing-key", url=receiver[1])
        else:
            yield WebhookPager(client, receiver[1] + "/page", SECRET)


async def page(pager: Pager, key: str = "ack:AL-1") -> None:
    await pager.page(key=key, summary="SEV2 checkout: HighErrorRate", severity="SEV2", details={"group": "AL-1"})


async def test_a_page_and_its_end_carry_the_same_key(pager: Pager, receiver: tuple[Receiver, str]) -> None:
    await page(pager)
    await pager.clear(key="ack:AL-1")

    opened, cleared = receiver[0].sent()
    keys = {event.get("dedup_key") or event.get("key") for event in (opened, cleared)}
    (key,) = keys
    assert str(key).endswith("ack:AL-1") and "HighErrorRate" in str(opened) and "AL-1" in str(opened)


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_a_refused_page_is_an_error_that_says_the_status(
    pager: Pager, receiver: tuple[Receiver, str], status: int
) -> None:
    receiver[0].status = status

    with pytest.raises(PagerFailed, match=str(status)):
        await page(pager)


async def test_a_pager_that_is_not_there_is_an_error_of_the_port() -> None:
    async with httpx.AsyncClient() as client:
        nowhere = f"http://127.0.0.1:{free_port()}"
        for pager in (PagerDuty(client, "k", url=nowhere), WebhookPager(client, nowhere, SECRET)):
            with pytest.raises(PagerFailed, match="not reached"):
                await page(pager)


async def test_pagerduty_gets_events_of_version_two(receiver: tuple[Receiver, str]) -> None:
    async with httpx.AsyncClient() as client:
        await page(PagerDuty(client, "routing-key", url=receiver[1]), key="k" * 300)

    (event,) = receiver[0].sent()
    assert (event["routing_key"], event["event_action"]) == ("routing-key", "trigger")
    assert event["payload"]["severity"] == "critical" and event["payload"]["source"] == "tocsin"
    assert len(event["dedup_key"]) == 255


async def test_the_webhook_is_signed_over_its_exact_body(receiver: tuple[Receiver, str]) -> None:
    async with httpx.AsyncClient() as client:
        await page(WebhookPager(client, receiver[1], SECRET))

    body, headers = receiver[0].got[0]
    assert headers["x-tocsin-signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
