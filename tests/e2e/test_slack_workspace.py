"""Entry points, cards and refusals over Socket Mode and over HTTP, against Slack's stand-in as its own process."""

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
from tests.e2e.slack_workspace import Json, SlackWorkspace, sandbox


@pytest.fixture(scope="module")
def addresses() -> Iterator[Json]:
    with sandbox() as found:
        yield found


@pytest.fixture
async def workspace(addresses: Json, tmp_path: Path) -> AsyncIterator[SlackWorkspace]:
    async with SlackWorkspace(addresses, tmp_path) as workspace:
        yield workspace


async def test_a_card_stands_and_pings_nobody(workspace: SlackWorkspace, figures: list[str]) -> None:
    started = time.monotonic()
    await workspace.group("QuickCard")
    card = await workspace.card("QuickCard")
    figures.append(figure("one card beside all other tests", time.monotonic() - started, 1.0))

    assert card["blocks"][0]["text"]["text"] == "🟧 FIRING SEV2 · checkout · QuickCard"
    assert card["pings"] == []


async def test_acknowledging_by_button_edits_the_card_and_posts_nothing(workspace: SlackWorkspace) -> None:
    await workspace.group("AckButton")
    card = await workspace.card("AckButton")

    pressed = await workspace.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"})

    edited = await workspace.until(lambda: workspace.messages("ACKNOWLEDGED SEV2 · checkout · AckButton"))
    assert pressed["acked"]
    assert edited[0]["ts"] == card["ts"] and len(await workspace.messages("AckButton")) == 1
    assert "by alice" in json.dumps(edited[0]["blocks"])


async def test_a_mention_in_the_thread_means_the_card_above_it(workspace: SlackWorkspace) -> None:
    await workspace.group("InThread")
    card = await workspace.card("InThread")

    await workspace.act("U2", mention={"channel": "C0", "thread": card["ts"], "text": "ack"})

    assert "by bob" in json.dumps(
        (await workspace.until(lambda: workspace.messages("ACKNOWLEDGED SEV2 · checkout · InThread")))[0]
    )


async def test_a_question_about_all_that_is_open_is_answered_below_it_for_everybody(workspace: SlackWorkspace) -> None:
    await workspace.group("FirstOfTwo")
    await workspace.group("SecondOfTwo", severity="SEV1")

    said = await workspace.act("U1", mention={"channel": "C0", "text": "what is going on?"})
    await workspace.until(lambda: [started for started in workspace.engine.started if started[0] == "question"])
    await workspace.answer(1)

    (answer,) = await workspace.until(lambda: workspace.messages("Open:* 2, 2 firing"))
    shown = json.dumps(answer["blocks"])
    assert answer["thread_ts"] == said["ts"] and await workspace.private("U1", "Say which one") == []
    assert shown.index("SecondOfTwo") < shown.index("FirstOfTwo")


async def test_a_duplicated_event_is_handled_once(workspace: SlackWorkspace) -> None:
    ref = await workspace.group("Doubled")
    card = await workspace.card("Doubled")
    await workspace.faults(duplicate_events=1, retry_delays_s=[0.0])

    await workspace.act("U1", mention={"channel": "C0", "thread": card["ts"], "text": "investigate why so slow"})
    await workspace.until(lambda: workspace.private("U1", f"Investigating {ref}"))
    await asyncio.sleep(0.3)

    assert workspace.engine.started == [("triage", f"triage:{ref}:1", ref, 1, "why so slow", "alice")]


async def test_resolving_asks_once_what_it_was(workspace: SlackWorkspace) -> None:
    ref = await workspace.group("AskCause", state="ACKNOWLEDGED", acknowledged_by="alice")
    card = await workspace.card("AskCause")

    await workspace.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "resolve"})
    view = (await workspace.until(lambda: workspace.views("U1")))[0]
    await workspace.act("U1", submit={"view": view["id"], "values": {"cause": "a bad deploy"}})

    await workspace.until(lambda: workspace.messages("RESOLVED SEV2 · checkout · AskCause"))
    assert await workspace.until(lambda: workspace.private("U1", f"Resolved {ref}"))


async def test_declaring_without_a_title_keeps_the_dialog_open_with_an_error(workspace: SlackWorkspace) -> None:
    await workspace.act("U3", command={"text": "/incident declare", "channel": "C0"})
    view = (await workspace.until(lambda: workspace.views("U3")))[0]

    refused = await workspace.act("U3", submit={"view": view["id"], "values": {"title": " ", "severity": "SEV2"}})
    assert "title" in json.dumps(refused)
    await workspace.act("U3", submit={"view": view["id"], "values": {"title": "Checkout is down", "severity": "SEV2"}})

    assert await workspace.until(lambda: workspace.messages("Checkout is down"))
    assert await workspace.until(lambda: workspace.private("U3", "Declared INC-1"))


async def test_a_mistyped_verb_gets_the_nearest_and_an_unknown_option_the_valid_ones(workspace: SlackWorkspace) -> None:
    await workspace.act("U1", command={"text": "/incident reslove", "channel": "C0"})
    await workspace.act("U1", command={"text": "/incident list colour=red", "channel": "C0"})

    assert await workspace.until(lambda: workspace.private("U1", "Did you mean resolve"))
    assert await workspace.until(lambda: workspace.private("U1", "Its options: service=, since=, page="))


@pytest.mark.parametrize("text", ["", "help", "help ack", "list", "list all page=2", "show", "why", "postmortem", "AL-999"])
async def test_every_reading_verb_answers_privately(workspace: SlackWorkspace, text: str) -> None:
    await workspace.group("Readable")
    await workspace.card("Readable")
    before = str(time.time())

    await workspace.act("U4", command={"text": f"/incident {text}", "channel": "C0"})

    assert await workspace.until(lambda: workspace.private("U4", "", after=before))


async def test_a_guest_changes_nothing_and_is_told_why(workspace: SlackWorkspace) -> None:
    await workspace.group("GuestTries")
    card = await workspace.card("GuestTries")

    await workspace.act("U4", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"})

    assert await workspace.until(lambda: workspace.private("U4", "Guests can read here"))
    assert await workspace.messages("FIRING SEV2 · checkout · GuestTries")
    assert [row.what for row in await audit.after(workspace.db, 0)] == ["refused: ack"]


async def test_a_press_from_another_workspace_is_refused_privately(workspace: SlackWorkspace) -> None:
    await workspace.group("OtherTeam")
    card = await workspace.card("OtherTeam")

    await workspace.act(
        "U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"}, raw={"patch": {"team": {"id": "T0OTHER"}}}
    )

    assert await workspace.until(lambda: workspace.private("U1", "belongs to another workspace"))
    assert await workspace.messages("FIRING SEV2 · checkout · OtherTeam")


@pytest.mark.parametrize(
    ("title", "patch"),
    [
        ("CopiedChannel", {"channel": {"id": "C7"}, "container": {"channel_id": "C7"}}),
        ("CopiedMessage", {"container": {"message_ts": "1.5"}}),
    ],
)
async def test_a_button_copied_to_another_place_does_nothing(workspace: SlackWorkspace, title: str, patch: Json) -> None:
    await workspace.group(title)
    card = await workspace.card(title)

    await workspace.act("U1", press={"ts": card["ts"], "channel": "C0", "action_id": "ack"}, raw={"patch": patch})
    await workspace.until(lambda: audit.after(workspace.db, 0))

    assert [row.what for row in await audit.after(workspace.db, 0)] == ["refused: button ack"]
    assert await workspace.messages(f"FIRING SEV2 · checkout · {title}")


async def test_a_cut_connection_after_slack_took_the_card_makes_no_second_card(workspace: SlackWorkspace) -> None:
    await workspace.faults(drop_after_accept=1)
    await workspace.group("CutOff")

    await workspace.card("CutOff")
    await asyncio.sleep(2.5)

    assert len(await workspace.messages("CutOff")) == 1


async def test_a_rate_limit_delays_a_card_and_loses_nothing(workspace: SlackWorkspace) -> None:
    await workspace.faults(**{"429": 1, "method": "chat.postMessage", "retry_after": 1})
    await workspace.group("Limited")

    assert await workspace.card("Limited")
    assert len(await workspace.messages("Limited")) == 1


async def test_a_revoked_token_is_recorded_and_the_card_comes_when_it_works_again(workspace: SlackWorkspace) -> None:
    await workspace.faults(error={"method": "chat.postMessage", "code": "token_revoked", "times": 1})
    ref = await workspace.group("Revoked")

    rows = await workspace.until(workspace.outbox.undelivered)
    assert [(row.key, row.undelivered) for row in rows] == [(f"card:{ref}", "no access: token_revoked")]


async def test_after_an_outage_socket_and_card_come_back_and_the_card_stands_once(workspace: SlackWorkspace) -> None:
    await workspace.faults(down=True)
    await workspace.group("Outage")
    await asyncio.sleep(1)
    await workspace.faults(down=False)

    cards = await workspace.until(lambda: workspace.messages("Outage"))
    await workspace.until(workspace.edge.connected)
    await workspace.act("U1", press={"ts": cards[0]["ts"], "channel": "C0", "action_id": "ack"})
    assert await workspace.until(lambda: workspace.messages("ACKNOWLEDGED SEV2 · checkout · Outage"))
    assert len(await workspace.messages("Outage")) == 1


async def test_a_socket_that_slack_closes_comes_back(workspace: SlackWorkspace) -> None:
    await workspace.control.post("/disconnect", json={})
    await workspace.until(workspace.edge.connected)

    await workspace.act("U1", command={"text": "/incident help", "channel": "C0"})

    assert await workspace.until(lambda: workspace.private("U1", "Help"))


async def test_http_mode_verifies_the_signature_and_uses_the_same_listeners(workspace: SlackWorkspace) -> None:
    app = Starlette(routes=[Route("/slack/events", workspace.edge.endpoint, methods=["POST"])])
    body = urlencode({"command": "/incident", "text": "help", "user_id": "U5", "channel_id": "C0", "team_id": "T0SANDBOX",
                      "trigger_id": "1.2.x"})  # fmt: skip
    stamp = str(int(time.time()))
    base = f"v0:{stamp}:{body}".encode()
    right = "v0=" + hmac.new(workspace.addresses["signing_secret"].encode(), base, hashlib.sha256).hexdigest()
    form = {"content-type": "application/x-www-form-urlencoded", "x-slack-request-timestamp": stamp}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as web:
        wrong = await web.post("/slack/events", content=body, headers={**form, "x-slack-signature": "v0=00"})
        taken = await web.post("/slack/events", content=body, headers={**form, "x-slack-signature": right})

    assert (wrong.status_code, taken.status_code) == (401, 200)
    assert await workspace.until(lambda: workspace.private("U5", "Help"))
