"""The triage: a proposal that waits is approved where its reasons stand."""

from typing import Any

import pytest

from bot.core.messages.triage_summary import waiting
from bot.slack.blocks import Block
from bot.slack.views import proposal
from tests.unit.slack.contents import VIEW, proposal_content, rendered_triage


def controls(blocks: list[Block]) -> list[Any]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def buttons(**values: Any) -> list[tuple[str, str]]:
    return [(element["action_id"], element["value"]) for element in controls(rendered_triage(**values)[1])]


def test_a_proposal_that_waits_is_approved_by_the_button_of_its_card() -> None:
    waits = proposal_content()
    of_triage, of_card = controls(rendered_triage(waiting=waits.proposal)[1]), controls(proposal.render(waits, VIEW)[1])

    assert (of_triage[0]["action_id"], of_triage[0]["value"]) == ("approve", "AP-1:2")
    assert of_triage[0] == of_card[0] and len(of_triage) == 3


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
