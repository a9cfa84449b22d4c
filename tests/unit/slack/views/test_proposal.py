"""The approval card shows all of what is approved, or cannot be approved."""

import json
from typing import Any

import pytest

from bot.core.config.actions import SoloMode
from bot.core.config.services import Person
from bot.core.messages.proposals import ProposalContent
from bot.core.messages.replies import PlanReply
from bot.plugins import Form
from bot.slack.blocks import Rendered, check_blocks
from bot.slack.forms import form_view
from bot.slack.view_context import ViewContext
from bot.slack.views import proposal as view
from tests.messages.words import text_of, words_of
from tests.unit.builders import at
from tests.unit.slack.contents import NASTY, proposal_content

PEOPLE = {name: Person(slack=f"U{name.upper()}") for name in ("alice", "bob", "carol", "dave")}


def render(content: ProposalContent) -> Rendered:
    context = ViewContext(called_hosts={"jobs.example"}, people=PEOPLE, on_call=["alice", "carol"])
    return view.render(content, context)


def buttons(content: ProposalContent) -> list[str]:
    return [e["action_id"] for b in render(content)[1] if b["type"] == "actions" for e in b["elements"]]


def texts(content: ProposalContent) -> str:
    blocks = render(content)[1]
    return f"{json.dumps(blocks, ensure_ascii=False)}\n{text_of(blocks)}"


def details(content: ProposalContent) -> str:
    context = ViewContext(called_hosts={"jobs.example"}, people=PEOPLE)
    return json.dumps(view.render_full(PlanReply(proposal=content), context)[1], ensure_ascii=False)


def test_a_waiting_card_says_what_will_happen_who_may_and_until_when() -> None:
    shown = texts(proposal_content({"arguments": {"version": "5.1.0", "previous_version": "5.0.3"}}))

    assert "APPROVAL NEEDED: Roll back checkout: 5.1.0 → 5.0.3" in shown
    assert "tier 2, needs 1 approval · can be undone: Roll forward checkout · state: " in shown and " · waits until" in shown
    assert "not the requester (alice) can approve" in shown or "not the requester (alice)" in shown


@pytest.mark.parametrize(
    ("tier", "solo", "on_call", "clause"),
    [
        (
            2,
            SoloMode.AFTER,
            "alice",
            "not the requester (alice) can approve; alice alone after 2 min without an answer",
        ),
        (2, SoloMode.IMMEDIATE, "alice", "not the requester (alice) can approve; alice alone too"),
        (2, SoloMode.OFF, "alice", ""),
        (2, SoloMode.AFTER, "bob", ""),
        (1, SoloMode.AFTER, "alice", ""),
    ],
)
def test_a_waiting_card_says_where_who_asked_may_approve_alone(tier: int, solo: SoloMode, on_call: str, clause: str) -> None:
    context = ViewContext(people=PEOPLE, on_call=[on_call], solo=solo)
    shown = text_of(view.render(proposal_content({"tier": tier}), context)[1])

    assert clause in shown and (" alone" in shown) is bool(clause)


@pytest.mark.parametrize(
    ("title", "arguments", "told"),
    [
        ("Scale checkout", {"replicas": 4}, "Scale checkout: replicas 4"),
        ("Drain checkout", {"parameters": {"node": "node-23"}}, "Drain checkout: node node-23"),
        ("Drain node-23 of checkout", {"parameters": {"node": "node-23"}}, "Drain node-23 of checkout"),
        ("Run checkout", {"parameters": {"a": "1", "b": 2, "c": "x" * 90}}, "Run checkout: a 1, b 2 and 1 more"),
        ("Restart checkout", {"parameters": {}}, "Restart checkout"),
        ("Roll back checkout", {"revision": 7, "version": "5.1", "previous_version": "5.0"}, "Roll back checkout: revision 7"),
        ("Move alias of checkout", {"previous_version": "7"}, "Move alias of checkout: → 7"),
        (
            "Roll back checkout",
            {"version": "5.1", "previous_version": "5.0", "parameters": {"region": "eu"}},
            "Roll back checkout: 5.1 → 5.0, region eu",
        ),
        ("Run a job for checkout", {"parameters": {"zone": "a"}}, "Run a job for checkout: zone a"),
        ("Run checkout", {"parameters": {"a": "1, replicas 0"}}, 'Run checkout: a "1, replicas 0"'),
    ],
)
@pytest.mark.parametrize("state", ["pending", "succeeded"])
def test_a_card_names_what_was_chosen_for_this_run(title: str, arguments: dict[str, object], told: str, state: str) -> None:
    push, blocks = render(proposal_content({"title": title, "arguments": arguments, "state": state}))

    assert blocks[0]["text"]["text"].partition(": ")[2] == told
    assert push.partition(": ")[2].startswith(f"{told}, tier 2")


def test_a_card_whose_alerts_have_cleared_says_so_while_it_waits_and_is_no_longer_than_others() -> None:
    reason = {"because": "checkout fails since the deploy of 5.1.0, which carries every failed request; " * 4}
    waiting, firing = (proposal_content(reason, alerts_cleared_at=since) for since in (at(7), None))
    denied = proposal_content({**reason, "state": "denied"}, alerts_cleared_at=at(7))

    assert f"*Alerts cleared* at {at(7):%H:%M} UTC" in texts(waiting)
    assert "Alerts cleared" not in texts(denied) + texts(firing)
    assert words_of(render(waiting)[1]) <= view.MAX_WORDS and words_of(render(firing)[1]) <= view.MAX_WORDS


def test_the_exact_request_and_who_may_not_are_behind_details() -> None:
    assert "test:v2" not in texts(proposal_content())
    shown = details(proposal_content())

    assert "test:v2" in shown and "abcdef01" not in shown and "May not: guests, bots, other workspaces, alice" in shown
    assert check_blocks(render(proposal_content())[1]) == []


def test_at_most_three_approvers_are_mentioned_and_not_the_requester() -> None:
    shown = texts(proposal_content())

    assert [f"<@U{name}>" in shown for name in ("CAROL", "BOB", "DAVE", "ALICE")] == [True, True, True, False]


@pytest.mark.parametrize(("tier", "notified"), [(2, False), (3, True)])
def test_an_owner_is_notified_where_one_of_those_who_agree_has_to_be_an_owner(tier: int, notified: bool) -> None:
    people = {**PEOPLE, "erin": Person(slack="UERIN")}
    context = ViewContext(people=people, on_call=["alice", "carol"], owners=["erin"])

    assert ("<@UERIN>" in json.dumps(view.render(proposal_content({"tier": tier}), context)[1])) == notified


def test_the_request_stands_as_it_is_sent_and_other_addresses_stay_broken() -> None:
    shown = details(
        proposal_content(
            {"dry_run": "POST http://jobs.example/rollback\nhttps://attacker.example http://jobs.example@attacker.example"}
        )
    )

    assert "1. POST http://jobs.example/rollback" in shown
    assert "http://attacker" not in shown and "https://attacker" not in shown and "http://jobs.example@" not in shown


def test_the_dialog_shows_the_same_request() -> None:
    form = Form("Approve AP-1", "approve", code="POST http://jobs.example/rollback")

    assert form.code in json.dumps(form_view(form, channel="C1", thread="", called={"jobs.example"}))
    assert form.code not in json.dumps(form_view(form, channel="C1", thread=""))


def test_a_plan_that_does_not_fit_has_no_approve_button() -> None:
    assert buttons(proposal_content()) == ["approve", "deny", "full"]
    assert buttons(proposal_content({"arguments": {"parameters": {"x": "y" * 3000}}})) == ["deny", "full"]
    assert buttons(proposal_content({"dry_run": "&" * 700})) == ["deny", "full"]


def test_a_card_of_unknown_outcome_asks_whether_it_ran() -> None:
    assert buttons(proposal_content({"state": "unknown"})) == ["did", "did_not", "full"]


def test_a_final_card_has_its_state_and_no_approve_or_deny() -> None:
    card = proposal_content({"state": "not recovered", "verification": "not recovered: errors: 0.4"})

    assert buttons(card) == ["full"]
    assert "NOT RECOVERED" in texts(card)


def test_foreign_text_neither_pings_nor_plays_a_state() -> None:
    shown = texts(proposal_content({"because": NASTY, "title": NASTY, "requester": NASTY}))

    assert "<!channel>" not in shown
    assert "https://attacker" not in shown


def test_tier_one_asks_once_more_before_it_approves() -> None:
    card = proposal_content({"tier": 1})
    element = next(e for b in render(card)[1] if b["type"] == "actions" for e in b["elements"])

    assert element["value"] == "AP-1:2" and element["confirm"]["title"]["text"] == "Approve AP-1?"


def test_tier_one_shows_the_request_whole_before_it_is_approved_or_opens_the_dialog() -> None:
    def approve_button(dry_run: str) -> dict[str, Any]:
        blocks = render(proposal_content({"tier": 1, "dry_run": dry_run}))[1]
        element: dict[str, Any] = next(e for b in blocks if b["type"] == "actions" for e in b["elements"])
        return element

    assert "POST http://jobs.example/x" in approve_button("POST http://jobs.example/x")["confirm"]["text"]["text"]
    assert "confirm" not in approve_button("POST http://jobs.example/" + "x" * 300)


@pytest.mark.parametrize("spread", ["<", "&", "http://a.b.c/ "])
@pytest.mark.parametrize("cleared", [None, at(7)])
@pytest.mark.parametrize("name", ["title", "dry_run"])
def test_what_grows_as_it_is_sent_pushes_nothing_out_of_tier_ones_question(spread: str, cleared: Any, name: str) -> None:
    for times in range(1, 200 // len(spread)):
        texts_of_it = {"tier": 1, "title": "Silence it", "dry_run": "silence it for 2h", name: f"{spread * times} for 2h"}
        blocks = render(proposal_content(texts_of_it, alerts_cleared_at=cleared))[1]
        element = next(e for b in blocks if b["type"] == "actions" for e in b["elements"])
        question = element["confirm"]["text"]["text"] if "confirm" in element else ""
        assert element["text"]["text"] == "Approve..." or (" for 2h\n" in question and question.endswith("It runs once, now."))


def test_tier_ones_question_says_that_the_alerts_have_cleared_beside_the_whole_request() -> None:
    longest = {"tier": 1, "title": "Restart all that there is of checkout and of what stands beside it", "dry_run": "x" * 200}
    blocks = render(proposal_content(longest, alerts_cleared_at=at(7)))[1]
    question = next(e for b in blocks if b["type"] == "actions" for e in b["elements"])["confirm"]["text"]["text"]

    assert "x" * 200 in question and question.endswith(f"Alerts cleared at {at(7):%H:%M} UTC. It runs once, now.")


def test_what_ran_or_lapsed_can_be_run_by_hand() -> None:
    assert buttons(proposal_content({"state": "failed"})) == ["did", "full"]


def test_what_expired_before_it_ran_says_why_it_was_not_run() -> None:
    card = texts(proposal_content({"state": "expired", "outcome": "The incident closed."}))

    assert "*Not run:* The incident closed." in card and "Ran:" not in card


def test_a_silence_in_force_is_no_recovery() -> None:
    silence = {
        "kind": "tocsin_silence",
        "action": "tocsin_silence",
        "state": "succeeded",
        "verification": "recovered: SI-1 is in force",
    }
    card = texts(proposal_content({**silence, "outcome": "SI-1 mutes alertname=Errors for 10m."}))

    assert "SI-1 is in force" in card and "ecovered" not in card


def test_the_small_print_names_the_revision_always_and_the_autonomy_where_it_is_not_the_usual_one() -> None:
    usual, suggested = (texts(proposal_content({"revision": 1, **values})) for values in ({}, {"autonomy": "suggest"}))

    assert "AP-1 revision 1" in usual and "AP-1 revision 1 · autonomy: suggest" in suggested
    assert "autonomy" not in usual


def test_what_the_call_answered_stands_on_the_card_until_it_worked_and_behind_details_whole() -> None:
    states = ("verifying", "failed", "succeeded")
    ran = [proposal_content({"state": state, "outcome": 'POST answered 200: {"job":"7"}'}) for state in states]

    assert ["POST answered" in texts(content) for content in ran] == [True, True, False]
    assert "POST answered" in details(ran[-1])


def test_what_was_claimed_is_called_starting() -> None:
    push, blocks = render(proposal_content({"state": "claimed"}))

    assert push.startswith("Starting: ") and blocks[0]["text"]["text"].startswith("STARTING: ")
