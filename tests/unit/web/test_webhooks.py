"""The webhook endpoints: who may, how much, what comes back, and what is kept."""

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bot.core.config.alerts import SourceConfig
from bot.plugins import ParsedBody, Source, SourceRequest, discover
from bot.store.alerts.intake.stored_alerts import StoredAlerts
from bot.store.alerts.intake.writer import Busy
from bot.web.errors import Guard
from bot.web.webhooks import LARGE, MAX_UNREADABLE, WebhookEndpoints

NOW = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
ALERT = {"status": "firing", "labels": {"alertname": "X"}, "startsAt": "2026-11-24T23:01:57Z"}
BODY = json.dumps({"alerts": [ALERT]}).encode()
KNOWN = {"authorization": "Bearer right"}


class Kept:
    """Stands where intake stands: what was committed and what was kept aside."""

    def __init__(self) -> None:
        self.alerts: list[Any] = []
        self.changes: list[Any] = []
        self.unreadable: list[tuple[str, bytes, str]] = []
        self.repeats: list[int] = []
        self.stored = StoredAlerts()
        self.busy = False
        self.notices: list[tuple[str, str]] = []

    async def announce(self, source: str, text: str) -> None:
        self.notices.append((source, text))

    async def put(
        self,
        alerts: Any,
        changes: Any,
        received_at: datetime,
        *,
        source: str,
        repeats: Sequence[int],
        digests: Sequence[bytes],
    ) -> None:
        if self.busy:
            raise Busy("too many alerts are waiting for the database")
        self.alerts += alerts
        self.repeats += repeats
        for number, digest in enumerate(digests, 1):
            self.stored.put(digest, number, received_at)
        self.changes += changes

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        self.unreadable.append((source, body, problem))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def web(kept: Kept) -> AsyncIterator[httpx.AsyncClient]:
    sources = {
        name: SourceConfig(kind=kind) for name, kind in (("prod", "alertmanager"), ("hub", "github"), ("none", "generic"))
    } | {"ci": SourceConfig(kind="generic", takes=("changes",), services=("checkout",))}
    tokens = {"prod": "right", "hub": "sign", "ci": "ci", "none": ""}
    endpoints = WebhookEndpoints(sources, discover(["bot.sources"], Source), tokens, kept, lambda: NOW, announce=kept.announce)
    app = httpx.ASGITransport(Guard(endpoints), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=app, base_url="http://bot") as client:
        yield client


async def test_an_alert_is_answered_after_it_was_stored(web: httpx.AsyncClient, kept: Kept) -> None:
    answer = await web.post("/alerts/prod", content=BODY, headers=KNOWN)

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert [alert.name for alert in kept.alerts] == ["X"]


async def test_an_alert_that_comes_again_in_the_same_bytes_is_not_read_again(web: httpx.AsyncClient, kept: Kept) -> None:
    await web.post("/alerts/prod", content=BODY, headers=KNOWN)
    other = json.dumps({"alerts": [{**ALERT, "labels": {"alertname": "Y"}}, ALERT]})
    answer = await web.post("/alerts/prod", content=other, headers=KNOWN)

    assert answer.json() == {"accepted": 2}
    assert ([alert.name for alert in kept.alerts], kept.repeats) == (["X", "Y"], [1])


async def test_large_bodies_are_read_one_after_the_other_so_that_the_first_need_not_wait_for_the_last(kept: Kept) -> None:
    both, alone = threading.Barrier(2), []

    def read(request: SourceRequest) -> ParsedBody:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.1)
            return ParsedBody()
        alone.append(len(request.body))
        return ParsedBody()

    kinds = {"slow": Source("slow", read, frozenset({"alerts"}))}
    endpoints = WebhookEndpoints({"prod": SourceConfig(kind="slow")}, kinds, {"prod": "right"}, kept, lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(endpoints)), base_url="http://bot") as client:
        posts = [client.post("/alerts/prod", content=b"x" * (LARGE + 1), headers=KNOWN) for _ in range(2)]
        answers = await asyncio.gather(*posts)

    assert [answer.status_code for answer in answers] == [202, 202]
    assert alone == [LARGE + 1, LARGE + 1]


async def test_an_alert_whose_start_is_unknown_is_read_each_time(web: httpx.AsyncClient, kept: Kept) -> None:
    body = json.dumps({"alerts": [{"status": "firing", "labels": {"alertname": "X"}}]})
    for _ in range(2):
        await web.post("/alerts/prod", content=body, headers=KNOWN)

    assert (len(kept.alerts), kept.repeats) == (2, [])


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic right"}])
async def test_a_wrong_or_missing_token_is_refused_unread(web: httpx.AsyncClient, kept: Kept, headers: dict[str, str]) -> None:
    answer = await web.post("/alerts/prod", content=b"\xff" * 10, headers=headers)

    assert answer.status_code == 401
    assert kept.unreadable == []


async def test_a_source_without_a_configured_token_takes_nothing(web: httpx.AsyncClient) -> None:
    answer = await web.post("/alerts/none", content=b"{}", headers={"authorization": "Bearer "})

    assert answer.status_code == 401
    assert "TOCSIN_TOKEN_NONE" in answer.json()["error"]


FORM = {**KNOWN, "content-type": "application/x-www-form-urlencoded"}


async def test_json_in_a_field_of_a_form_is_read_as_if_it_were_the_body(web: httpx.AsyncClient, kept: Kept) -> None:
    answer = await web.post("/alerts/prod", data={"payload": BODY.decode(), "version": "4"}, headers=KNOWN)

    assert (answer.status_code, len(kept.alerts)) == (202, 1)


async def test_a_large_form_is_read_too(web: httpx.AsyncClient, kept: Kept) -> None:
    body = json.dumps({"alerts": [{**ALERT, "annotations": {"summary": "x " * LARGE}}]})

    assert (await web.post("/alerts/prod", data={"payload": body}, headers=KNOWN)).status_code == 202


async def test_json_that_curl_calls_a_form_is_read(web: httpx.AsyncClient, kept: Kept) -> None:
    assert (await web.post("/alerts/prod", content=b"\n" + BODY, headers=FORM)).status_code == 202


async def test_the_signature_of_a_form_is_that_of_the_form(web: httpx.AsyncClient) -> None:
    body = urlencode({"payload": json.dumps({"zen": "x"})}).encode()
    proof = "sha256=" + hmac.new(b"sign", body, hashlib.sha256).hexdigest()
    headers = {"x-github-event": "ping", "x-hub-signature-256": proof, "content-type": FORM["content-type"]}

    assert (await web.post("/changes/hub", content=body, headers=headers)).json() == {"accepted": 0}


async def test_a_form_without_json_is_told_what_came_and_what_is_expected(web: httpx.AsyncClient, kept: Kept) -> None:
    answer = await web.post("/alerts/prod", data={"alert": "CPU high", "host": "db-1"}, headers=KNOWN)

    assert answer.status_code == 400 and "db-1" not in answer.text
    came = "It came as application/x-www-form-urlencoded with the fields alert, host."
    assert answer.json()["error"].endswith(
        f"{came} Expected is JSON as the body, or in one field of the form, such as payload="
    )
    assert kept.unreadable[0][1] == b"alert=CPU+high&host=db-1"


async def test_any_other_type_of_body_is_named(web: httpx.AsyncClient) -> None:
    answer = await web.post("/alerts/prod", content=b"<alert/>", headers={**KNOWN, "content-type": "text/xml; charset=utf-8"})

    assert answer.json()["error"].endswith("It came as text/xml. Expected is JSON as the body")


@pytest.mark.parametrize("path", ["/alerts/nobody", "/changes/prod", "/alerts/hub"])
async def test_an_unknown_source_or_the_wrong_door_is_not_found(web: httpx.AsyncClient, path: str) -> None:
    assert (await web.post(path, content=BODY, headers=KNOWN)).status_code == 404


async def test_an_unreadable_body_names_the_field_and_is_kept(web: httpx.AsyncClient, kept: Kept) -> None:
    answer = await web.post("/alerts/prod", content=b'{"alerts": null}', headers=KNOWN)

    assert (answer.status_code, answer.json()["field"]) == (400, "alerts")
    assert [body for _, body, _ in kept.unreadable] == [b'{"alerts": null}']


async def test_good_alerts_beside_a_bad_one_are_stored_and_the_bad_one_is_kept_aside(
    web: httpx.AsyncClient, kept: Kept
) -> None:
    body = json.dumps({"alerts": [ALERT, {"status": "?"}, ALERT]})
    answer = await web.post("/alerts/prod", content=body, headers=KNOWN)

    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert len(kept.unreadable) == 1


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"x" * ((1 << 20) + 1), "", 413),
        (gzip.compress(b"0" * 20_000_000, mtime=0), "gzip", 413),
        (gzip.compress(BODY, mtime=0), "gzip", 202),
        (gzip.compress(gzip.compress(BODY, mtime=0)), "gzip", 400),
        (gzip.compress(BODY, mtime=0), "gzip, gzip", 415),
        (gzip.compress(BODY, mtime=0)[:-4], "gzip", 400),
        (BODY, "gzip", 400),
        (b"[" * 5000 + b"]" * 5000, "", 400),
        (json.dumps({"alerts": [{}] * 10_001}).encode(), "", 413),
    ],
)
async def test_sizes_encodings_and_depth_have_limits(web: httpx.AsyncClient, body: bytes, encoding: str, status: int) -> None:
    headers = KNOWN | ({"content-encoding": encoding} if encoding else {})

    assert (await web.post("/alerts/prod", content=body, headers=headers)).status_code == status


async def test_people_hear_of_alerts_that_the_source_left_out_of_a_delivery(web: httpx.AsyncClient, kept: Kept) -> None:
    body = json.dumps({"alerts": [ALERT], "truncatedAlerts": 9500}).encode()
    answer = await web.post("/alerts/prod", content=body, headers=KNOWN)

    assert (answer.status_code, len(kept.alerts)) == (202, 1)
    assert [(source, what[:46]) for source, what in kept.notices] == [
        ("prod", "prod left 9,500 alerts out of a delivery, as i")
    ]


@pytest.mark.parametrize("body", [b" " * (1 << 20) + BODY, json.dumps({"alerts": [{}] * 10_001}).encode()])
async def test_people_hear_of_alerts_that_were_too_many_to_be_taken(web: httpx.AsyncClient, kept: Kept, body: bytes) -> None:
    statuses = [(await web.post("/alerts/prod", content=body, headers=headers)).status_code for headers in (KNOWN, {})]

    assert statuses == [413, 401]
    assert [what.partition(" (")[0] for _, what in kept.notices] == ["A delivery of prod was refused"]


async def test_a_full_queue_asks_to_come_again(web: httpx.AsyncClient, kept: Kept) -> None:
    kept.busy = True
    answer = await web.post("/alerts/prod", content=BODY, headers=KNOWN)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_vendors_signature_stands_for_the_token(web: httpx.AsyncClient) -> None:
    body = b'{"zen": "ping"}'
    signed = {"x-github-event": "ping", "x-hub-signature-256": "sha256=" + hmac.new(b"sign", body, hashlib.sha256).hexdigest()}

    assert (await web.post("/changes/hub", content=body, headers=signed)).json() == {"accepted": 0}
    assert (await web.post("/changes/hub", content=body + b" ", headers=signed)).status_code == 401
    sha1 = {"x-hub-signature": "sha1=" + hmac.new(b"sign", body, hashlib.sha1).hexdigest()}
    assert (await web.post("/changes/hub", content=body, headers=sha1)).status_code == 401


async def test_an_unexpected_error_becomes_an_id(kept: Kept) -> None:
    def broken() -> datetime:
        raise RuntimeError("FAKE detail")

    endpoints = WebhookEndpoints(
        {"prod": SourceConfig(kind="alertmanager")}, discover(["bot.sources"], Source), {"prod": "right"}, kept, broken
    )
    app = httpx.ASGITransport(Guard(endpoints))
    async with httpx.AsyncClient(transport=app, base_url="http://bot") as client:
        answer = await client.post("/alerts/prod", content=BODY, headers=KNOWN)

    assert answer.status_code == 500
    assert answer.json()["error_id"]
    assert "FAKE" not in answer.text


async def test_a_body_that_cannot_be_read_is_kept_without_the_secrets_in_it(web: httpx.AsyncClient, kept: Kept) -> None:
    body = b'{"alerts": [{"labels": {"token": "FAKEtoken0001FAKE"}'

    answer = await web.post("/alerts/prod", content=body, headers=KNOWN)

    assert answer.status_code == 400
    assert kept.unreadable[0][1] == b'{"alerts": [{"labels": {"token": "[secret]"}'


@pytest.mark.parametrize("credential", ["Basic \xe9\xff", "Basic ====", "Basic /zr/", "Bearer \xe9", "Bearer", "Digest x", ""])
async def test_an_odd_authorization_is_401_and_never_an_error(web: httpx.AsyncClient, credential: str) -> None:
    answer = await web.post("/alerts/prod", content=BODY, headers={b"authorization": credential.encode("latin-1")})

    assert answer.status_code == 401


async def test_a_pipelines_token_reports_its_own_service_and_can_do_nothing_else(web: httpx.AsyncClient, kept: Kept) -> None:
    own, foreign = ({"service": name, "title": "deploy", "version": "6.6.6"} for name in ("checkout", "payments"))

    async def post(path: str, body: object) -> httpx.Response:
        return await web.post(path, json=body, headers={"authorization": "Bearer ci"})

    opened = await post("/alerts/ci", {"name": "Down", "service": "checkout"})
    refused, both = await post("/changes/ci", foreign), await post("/changes/ci", [own, foreign])

    assert [opened.status_code, refused.status_code, both.status_code] == [404, 403, 202]
    assert "may not send 'payments'" in refused.json()["error"] and both.json()["accepted"] == 1
    assert [change.service for change in kept.changes] == ["checkout"] and kept.alerts == []
    assert [source for source, _, _ in kept.unreadable] == ["ci", "ci"]


async def test_of_a_flood_of_unreadable_bodies_some_are_kept_and_all_are_answered(web: httpx.AsyncClient, kept: Kept) -> None:
    answers = [await web.post("/alerts/prod", content=b"{%d" % number, headers=KNOWN) for number in range(MAX_UNREADABLE + 9)]

    assert {answer.status_code for answer in answers} == {400} and len(kept.unreadable) == MAX_UNREADABLE
