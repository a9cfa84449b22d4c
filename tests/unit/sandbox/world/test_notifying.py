"""Which webhooks are sent, in which form, and that none is lost."""

import asyncio
import json
from collections.abc import Callable

import httpx

from bot.sandbox.world.delivery import Delivery
from bot.sandbox.world.notifier import Notifier, fingerprint
from bot.sandbox.world.rules import RULES, Active
from bot.sandbox.world.silences import Silences
from tests.unit.sandbox.world.builders import START, let_pass, world

POD_RULE = next(rule for rule in RULES if rule.name == "PodErrorRate")


def active(pod: str, at: float = START) -> Active:
    labels = {"alertname": "PodErrorRate", "service": "cart", "pod": pod, "severity": "warning"}
    return Active(POD_RULE, labels, at, 0.4, fired_at=at)


def test_fingerprints_are_those_of_alertmanager() -> None:
    # From a webhook recorded from Alertmanager 0.28.1.
    labels = {"alertname": "PodCrashLooping", "pod": "checkout-0", "service": "checkout", "severity": "warning"}
    assert fingerprint(labels) == "093c780ab5219b0a"


def test_one_group_is_one_webhook_of_version_4() -> None:
    notifier = Notifier(Silences(), "http://shop")
    notifier.update([active("cart-1"), active("cart-2")], START)
    assert notifier.due(START) == []
    (body,) = notifier.due(START + 1)
    assert set(body) == {
        "receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "version",
        "groupKey", "truncatedAlerts",
    }  # fmt: skip
    assert body["groupKey"] == '{}:{alertname="PodErrorRate", service="cart"}' and body["version"] == "4"
    assert "pod" not in body["commonLabels"] and len(body["alerts"]) == 2
    assert set(body["alerts"][0]) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}


def test_nothing_new_is_not_sent_again_until_the_repeat() -> None:
    notifier = Notifier(Silences())
    notifier.update([active("cart-1")], START)
    assert len(notifier.due(START + 1)) == 1
    notifier.update([active("cart-1")], START + 10)
    assert notifier.due(START + 10) == []
    notifier.update([active("cart-1")], START + 300)
    assert len(notifier.due(START + 300)) == 1


def test_what_fires_no_more_is_sent_as_resolved_once() -> None:
    notifier = Notifier(Silences())
    notifier.update([active("cart-1"), active("cart-2")], START)
    notifier.due(START + 1)
    notifier.update([active("cart-1")], START + 8)
    (body,) = notifier.due(START + 8)
    assert body["status"] == "firing" and sorted(a["status"] for a in body["alerts"]) == ["firing", "resolved"]
    notifier.update([], START + 12)
    (last,) = notifier.due(START + 12)
    assert last["status"] == "resolved" and last["alerts"][0]["endsAt"] > last["alerts"][0]["startsAt"]
    assert notifier.due(START + 20) == []


def test_the_first_seed_raises_about_sixty_alerts_within_ten_seconds() -> None:
    shop, clock = world(1)
    firing = let_pass(shop, clock, 10)
    assert 45 <= len(firing) <= 80
    labels = next(alert.labels for alert in firing if alert.rule.name == "PodErrorRate")
    assert {"service", "pod", "job", "namespace", "cluster", "severity", "alertname"} == set(labels)


async def deliver(answer: Callable[[httpx.Request], httpx.Response], bodies: int = 1) -> list[list[int | str]]:
    delivery = Delivery(lambda: START, httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    for number in range(bodies):
        delivery.send("alert", "group", "http://receiver/alerts", "token", {"number": number}, {})
    while any(sending.done_at is None for sending in delivery.sent):
        await asyncio.sleep(0.01)
    await delivery.stop()
    return [sending.statuses for sending in delivery.sent]


async def test_a_receiver_that_is_down_gets_everything_later_and_in_order() -> None:
    seen: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer token"
        seen.append(json.loads(request.content)["number"])
        if len(seen) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if len(seen) == 2 else 202)

    assert await deliver(answer, bodies=2) == [["ConnectError", 503, 202], [202]]
    assert seen == [0, 0, 0, 1]


async def test_a_refusal_is_final() -> None:
    assert await deliver(lambda _: httpx.Response(401)) == [[401]]
