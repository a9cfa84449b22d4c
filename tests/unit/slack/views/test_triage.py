"""The triage: a proposal that waits is approved where its reasons stand."""

from typing import Any

import pytest

from bot.core.approvals.remedies import NoProposal
from bot.core.messages.triage_summary import summarize, waiting
from bot.slack.blocks import Block
from bot.slack.views import proposal
from tests.messages.words import text_of
from tests.unit.slack.contents import (
    VIEW,
    claim,
    findings,
    group,
    hypothesis,
    proposal_content,
    proposal_lines,
    rendered_triage,
    triage_content,
)


def controls(blocks: list[Block]) -> list[Any]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def buttons(**values: Any) -> list[tuple[str, str]]:
    return [(element["action_id"], element["value"]) for element in controls(rendered_triage(**values)[1])]


def test_a_proposal_that_waits_is_approved_by_the_button_of_its_card() -> None:
    waits = proposal_content()
    of_triage, of_card = controls(rendered_triage(waiting=waits.proposal)[1]), controls(proposal.render(waits, VIEW)[1])

    assert (of_triage[0]["action_id"], of_triage[0]["value"]) == ("approve", "AP-1:2")
    assert of_triage[0] == of_card[0] and len(of_triage) == 3


@pytest.mark.parametrize("state", ["denied", "expired"])
def test_what_came_to_nothing_can_be_proposed_anew_while_it_fires(state: str) -> None:
    firing = text_of(rendered_triage(proposals=proposal_lines(state))[1])
    cleared = text_of(rendered_triage(proposals=proposal_lines(state), group=group(state="MONITORING", firing=0))[1])

    assert f"*Next:* AP-1 {state}: propose it anew if needed" in firing and "propose it anew" not in cleared


@pytest.mark.parametrize(("confidence", "by_hand"), [("likely", True), ("unlikely", False)])
def test_only_a_change_that_is_known_to_be_the_cause_is_to_be_taken_back_by_hand(confidence: str, by_hand: bool) -> None:
    none = NoProposal("none takes it back", none_fits=True)
    text = text_of(rendered_triage(findings=findings(hypothesis(confidence=confidence)), no_proposal=none)[1])

    assert ("take the change back by hand" in text) is by_hand
    assert ("*Not known:* weak lead: deploy v2 broke checkout" in text) is not by_hand


@pytest.mark.parametrize("state", ["approved", "denied", "succeeded", "unknown", "expired"])
def test_a_proposal_that_was_decided_has_no_button_in_the_triage(state: str) -> None:
    decided = proposal_content({"state": state}).proposal

    assert waiting([decided]) is None and "approve" not in dict(buttons(waiting=waiting([decided])))


def test_a_proposal_that_fits_no_dialog_has_no_button_in_the_triage() -> None:
    assert "approve" not in dict(buttons(waiting=proposal_content({"dry_run": "line\n" * 900}).proposal))


def test_what_waits_is_the_newest_proposal_that_is_in_force() -> None:
    older, newer, denied = (
        proposal_content({"ref": ref, "state": state}).proposal
        for ref, state in (("AP-1", "pending"), ("AP-2", "partly approved"), ("AP-3", "denied"))
    )

    assert waiting([older, newer, denied]) is newer
    assert waiting([older, proposal_content({"ref": "AP-2", "state": "executing"}).proposal]) is None


def test_evidence_is_told_to_its_end_where_the_message_has_words_for_it() -> None:
    whole = "deploy 5.1.0 at 10:49:31 UTC, 26 s before catalogue left its normal range"
    text = text_of(rendered_triage(findings=findings(hypothesis(claims=[claim(whole, "E1"), claim(whole, "E2")])))[1])
    endless = text_of(rendered_triage(findings=findings(hypothesis(claims=[claim("fails " * 60, "E1")])))[1])

    assert text.count("before catalogue left its normal range") == 2
    assert endless.count("fails") < 20 and "fails…" in endless


def test_a_resolved_group_asks_for_no_next_step() -> None:
    checked = findings(hypothesis(check="Read the logs of checkout"))

    assert "Read the logs" in text_of(rendered_triage(findings=checked)[1])
    assert "Read the logs" not in text_of(rendered_triage(findings=checked, group=group(state="RESOLVED"))[1])


def test_what_speaks_against_a_cause_is_told_whole_where_there_is_room() -> None:
    against = "deploy 3.4.0 at 16:18:45 UTC is of the same service: nothing but time tells them apart"
    content = triage_content(findings=findings(hypothesis("v2 broke it", claims=[], against=[claim(against, "E2")])))

    told = next(line for line in summarize(content).caveats if line.label == "Against")
    assert told.text == against
