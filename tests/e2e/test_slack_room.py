"""Doors, cards and refusals over Socket Mode and over HTTP, against Slack's stand-in as its own process."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.store import audit
from tests.e2e.goals import figure
from tests.e2e.slack_room import Json, Room, sandbox


@pytest.fixture(scope="module")
def addresses() -> Iterator[Json]:
    with sandbox() as found:
        yield found


@pytest.fixture
async def room(addresses: Json, tmp_path: Path) -> AsyncIterator[Room]:
    async with Room(addresses, tmp_path) as room:
        yield room


async def test_a_card_stands_and_pings_nobody(room: Room, figures: list[str]) -> None:
    started = time.monotonic()
    await room.group("QuickCard")
    card = await room.card("QuickCard")
    figures.append(figure("one card beside all other tests", time.monotonic() - started, 1.0))

    assert card["blocks"][0]["text"]["text"] == "🟧 FIRING SEV2 · checkout · QuickCard"
    assert card["pings"] == []


async def test_acknowledging_by_button_edits_the_card_and_posts_nothing(room: Room) -> None:
    await room.group("AckButton")
    card = await room.card("AckButton")

    pressed = await room.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"})

    edited = await room.until(lambda: room.messages("ACKNOWLEDGED SEV2 · checkout · AckButton"))
    assert pressed["acked"]
    assert edited[0]["ts"] == card["ts"] and len(await room.messages("AckButton")) == 1
    assert "by alice" in json.dumps(edited[0]["blocks"])


async def test_a_mention_in_the_thread_means_the_card_above_it(room: Room) -> None:
    await room.group("InThread")
    card = await room.card("InThread")

    await room.act("U2", mention={"channel": "C0", "thread": card["ts"], "text": "ack"})

    assert "by bob" in json.dumps((await room.until(lambda: room.messages("ACKNOWLEDGED SEV2 · checkout · InThread")))[0])


async def test_a_duplicated_event_is_handled_once(room: Room) -> None:
    ref = await room.group("Doubled")
    card = await room.card("Doubled")
    await room.faults(duplicate_events=1, retry_delays_s=[0.0])

    await room.act("U1", mention={"channel": "C0", "thread": card["ts"], "text": "investigate why so slow"})
    await room.until(lambda: room.private("U1", f"Investigating {ref}"))
    await asyncio.sleep(0.3)

    assert room.engine.started == [("triage", f"triage:{ref}:1", ref, 1, "why so slow", "alice")]


async def test_resolving_asks_once_what_it_was(room: Room) -> None:
    ref = await room.group("AskCause", state="ACKNOWLEDGED", acknowledged_by="alice")
    card = await room.card("AskCause")

    await room.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "resolve"})
    view = (await room.until(lambda: room.views("U1")))[0]
    await room.act("U1", submit={"view": view["id"], "values": {"cause": "a bad deploy"}})

    await room.until(lambda: room.messages("RESOLVED SEV2 · checkout · AskCause"))
    assert await room.until(lambda: room.private("U1", f"Resolved {ref}"))


async def test_declaring_without_a_title_keeps_the_dialog_open_with_an_error(room: Room) -> None:
    await room.act("U3", command={"text": "/incident declare", "channel": "C0"})
    view = (await room.until(lambda: room.views("U3")))[0]

    refused = await room.act("U3", submit={"view": view["id"], "values": {"title": " ", "severity": "SEV2"}})
    assert "title" in json.dumps(refused)
    await room.act("U3", submit={"view": view["id"], "values": {"title": "Checkout is down", "severity": "SEV2"}})

    assert await room.until(lambda: room.messages("Checkout is down"))
    assert await room.until(lambda: room.private("U3", "Declared INC-1"))


async def test_a_mistyped_verb_gets_the_nearest_and_an_unknown_option_the_valid_ones(room: Room) -> None:
    await room.act("U1", command={"text": "/incident reslove", "channel": "C0"})
    await room.act("U1", command={"text": "/incident list colour=red", "channel": "C0"})

    assert await room.until(lambda: room.private("U1", "Did you mean resolve"))
    assert await room.until(lambda: room.private("U1", "Its options: service=, since=, page="))


@pytest.mark.parametrize("text", ["", "help", "help ack", "list", "list all page=2", "show", "why", "postmortem", "AL-999"])
async def test_every_reading_verb_answers_privately(room: Room, text: str) -> None:
    await room.group("Readable")
    await room.card("Readable")
    before = str(time.time())

    await room.act("U4", command={"text": f"/incident {text}", "channel": "C0"})

    assert await room.until(lambda: room.private("U4", "", after=before))


async def test_a_guest_changes_nothing_and_is_told_why(room: Room) -> None:
    await room.group("GuestTries")
    card = await room.card("GuestTries")

    await room.act("U4", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"})

    assert await room.until(lambda: room.private("U4", "Guests can read here"))
    assert await room.messages("FIRING SEV2 · checkout · GuestTries")
    assert [row.what for row in await audit.after(room.db, 0)] == ["refused: ack"]


async def test_a_press_from_another_workspace_is_refused_privately(room: Room) -> None:
    await room.group("OtherTeam")
    card = await room.card("OtherTeam")

    await room.act(
        "U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"}, raw={"patch": {"team": {"id": "T0OTHER"}}}
    )

    assert await room.until(lambda: room.private("U1", "belongs to another workspace"))
    assert await room.messages("FIRING SEV2 · checkout · OtherTeam")


@pytest.mark.parametrize(
    ("title", "patch"),
    [
        ("CopiedChannel", {"channel": {"id": "C7"}, "container": {"channel_id": "C7"}}),
        ("CopiedMessage", {"container": {"message_ts": "1.5"}}),
    ],
)
async def test_a_button_copied_to_another_place_does_nothing(room: Room, title: str, patch: Json) -> None:
    await room.group(title)
    card = await room.card(title)

    await room.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"}, raw={"patch": patch})
    await room.until(lambda: audit.after(room.db, 0))

    assert [row.what for row in await audit.after(room.db, 0)] == ["refused: button ack"]
    assert await room.messages(f"FIRING SEV2 · checkout · {title}")


async def test_a_cut_connection_after_slack_took_the_card_makes_no_second_card(room: Room) -> None:
    await room.faults(drop_after_accept=1)
    await room.group("CutOff")

    await room.card("CutOff")
    await asyncio.sleep(2.5)

    assert len(await room.messages("CutOff")) == 1


async def test_a_rate_limit_delays_a_card_and_loses_nothing(room: Room) -> None:
    await room.faults(**{"429": 1, "method": "chat.postMessage", "retry_after": 1})
    await room.group("Limited")

    assert await room.card("Limited")
    assert len(await room.messages("Limited")) == 1


async def test_a_revoked_token_is_recorded_and_the_card_comes_when_it_works_again(room: Room) -> None:
    await room.faults(error={"method": "chat.postMessage", "code": "token_revoked", "times": 1})
    ref = await room.group("Revoked")

    rows = await room.until(room.outbox.undelivered)
    assert [(row.key, row.undelivered) for row in rows] == [(f"card:{ref}", "no access: token_revoked")]


async def test_after_an_outage_socket_and_card_come_back_and_the_card_stands_once(room: Room) -> None:
    await room.faults(down=True)
    await room.group("Outage")
    await asyncio.sleep(1)
    await room.faults(down=False)

    cards = await room.until(lambda: room.messages("Outage"))
    await room.until(room.edge.connected)
    await room.act("U1", press={"ts": cards[0]["ts"], "channel": "C0", "action_id": "ack"})
    assert await room.until(lambda: room.messages("ACKNOWLEDGED SEV2 · checkout · Outage"))
    assert len(await room.messages("Outage")) == 1


async def test_a_socket_that_slack_closes_comes_back(room: Room) -> None:
    await room.control.post("/disconnect", json={})
    await room.until(room.edge.connected)

    await room.act("U1", command={"text": "/incident help", "channel": "C0"})

    assert await room.until(lambda: room.private("U1", "Help"))


async def test_http_mode_verifies_the_signature_and_uses_the_same_listeners(room: Room) -> None:
    app = Starlette(routes=[Route("/slack/events", room.edge.endpoint, methods=["POST"])])
    body = urlencode({"command": "/incident", "text": "help", "user_id": "U5", "channel_id": "C0", "team_id": "T0SANDBOX",
                      "trigger_id": "1.2.x"})  # fmt: skip
    stamp = str(int(time.time()))
    base = f"v0:{stamp}:{body}".encode()
    right = "v0=" + hmac.new(room.addresses["signing_secret"].encode(), base, hashlib.sha256).hexdigest()
    form = {"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": stamp}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as web:
        wrong = await web.post("/slack/events", content=body, headers={**form, "x-slack-signature": "v0=00"})
        taken = await web.post("/slack/events", content=body, headers={**form, "x-slack-signature": right})

    assert (wrong.status_code, taken.status_code) == (401, 200)
    assert await room.until(lambda: room.private("U5", "Help"))
