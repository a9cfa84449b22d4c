"""The approval card shows all of what is approved, or cannot be approved."""

import json
from typing import Any

from bot.core.config import Person
from bot.plugins import Form
from bot.slack.blocks import check_blocks
from bot.slack.forms import form_view
from bot.slack.views.proposal import render
from tests.unit.builders import NOW, at
from tests.unit.slack.states import NASTY


def state(record: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    base = {
        "title": "Roll back checkout", "because": "v2 broke it (likely, E1)", "action": "rollback",
        "service": "checkout",
        "arguments": {"change_id": "test:v2"}, "targets": {"checkout": "2"}, "steps": ["POST http://jobs.example/rollback"],
        "dry_run_ok": True, "tier": 2, "requester": "alice", "inverse": "rollforward", "expires_at": at(60).isoformat(),
    }  # fmt: skip
    people = {name: Person(slack=f"U{name.upper()}") for name in ("alice", "bob", "carol", "dave")}
    return {
        "ref": "AP-1", "revision": 2, "state": "pending", "record": {**base, **(record or {})},
        "plan_fingerprint": "abcdef0123456789",
        "dry_run": "POST",
        "decisions": [], "solo": False, "manual": False, "outcome": "", "verification": "",
        "called": {"jobs.example"}, "people": people,
        "on_call": ["alice", "carol"], "lead": "bob", "deputies": ["dave"], "mention": [], "created_at": NOW, **values,
    }  # fmt: skip


def buttons(card: dict[str, Any]) -> list[str]:
    return [e["action_id"] for b in render(card)[1] if b["type"] == "actions" for e in b["elements"]]


def texts(card: dict[str, Any]) -> str:
    return json.dumps(render(card)[1], ensure_ascii=False)


def test_a_waiting_card_names_arguments_and_who_may_and_may_not() -> None:
    shown = texts(state())

    assert "APPROVAL NEEDED: Roll back checkout" in shown
    assert "test:v2" in shown and "abcdef01" not in shown
    assert "not the requester (alice)" in shown
    assert check_blocks(render(state())[1]) == []


def test_at_most_three_approvers_are_mentioned_and_not_the_requester() -> None:
    shown = texts(state())

    assert [f"<@U{name}>" in shown for name in ("CAROL", "BOB", "DAVE", "ALICE")] == [True, True, True, False]


def test_the_request_stands_as_it_is_sent_and_other_addresses_stay_broken() -> None:
    shown = texts(
        state(dry_run="POST http://jobs.example/rollback\nhttps://attacker.example http://jobs.example@attacker.example")
    )

    assert "1. POST http://jobs.example/rollback" in shown
    assert "http://attacker" not in shown and "https://attacker" not in shown and "http://jobs.example@" not in shown


def test_the_dialog_shows_the_same_request() -> None:
    form = Form("Approve AP-1", "approve", code="POST http://jobs.example/rollback")

    assert form.code in json.dumps(form_view(form, channel="C1", thread="", called={"jobs.example"}))
    assert form.code not in json.dumps(form_view(form, channel="C1", thread=""))


def test_a_plan_that_does_not_fit_has_no_approve_button() -> None:
    assert buttons(state()) == ["approve", "deny", "did"]
    assert buttons(state({"arguments": {"parameters": {"x": "y" * 3000}}})) == ["deny", "did"]
    assert buttons(state(dry_run="&" * 700)) == ["deny", "did"]


def test_a_final_card_has_its_state_and_no_approve_or_deny() -> None:
    card = state(state="not recovered", verification="not recovered: errors: 0.4")

    assert buttons(card) == []
    assert "NOT RECOVERED" in texts(card)


def test_foreign_text_neither_pings_nor_plays_a_state() -> None:
    shown = texts(state({"because": NASTY, "title": NASTY, "requester": NASTY}))

    assert "<!channel>" not in shown
    assert "https://attacker" not in shown


def test_tier_one_asks_once_more_before_it_approves() -> None:
    card = state({"tier": 1})
    element = next(e for b in render(card)[1] if b["type"] == "actions" for e in b["elements"])

    assert element["value"] == "AP-1:2" and element["confirm"]["title"]["text"] == "Approve AP-1?"
