"""The question at the close of an incident."""

import json
from typing import Any

from bot.core.history.past_incidents import ConfirmedCause
from bot.core.investigation.triage_facts import PastSummary
from bot.core.messages.investigation import CauseContent
from bot.slack.blocks import Rendered, check_blocks
from bot.slack.views import cause
from tests.unit.builders import NOW
from tests.unit.slack.contents import NASTY, VIEW, facts, hypothesis, rendered_details


def rendered(**values: Any) -> Rendered:
    return cause.render(CauseContent(ref="INC-3", attempt=2, **{"hypothesis": hypothesis(), **values}), VIEW)


def buttons(blocks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(e["action_id"], e["value"]) for block in blocks if block["type"] == "actions" for e in block["elements"]]


def test_it_offers_the_first_cause_and_other_words() -> None:
    text, blocks = rendered()

    assert text == "INC-3 is over: what was it?" and buttons(blocks) == [("confirm", "INC-3:2"), ("cause", "INC-3:2")]


def test_without_a_ranked_cause_only_words_are_asked_for() -> None:
    _, blocks = rendered(hypothesis=None)

    assert buttons(blocks) == [("cause", "INC-3:2")]


def test_an_answer_names_who_gave_it_and_can_be_corrected() -> None:
    _, blocks = rendered(confirmed=ConfirmedCause(text=NASTY, confirmed_by="alice", at=NOW))
    shown = json.dumps(blocks)

    assert "Confirmed by alice" in shown and "<!channel>" not in shown and buttons(blocks) == [("cause", "INC-3:2")]
    assert check_blocks(blocks) == []


def test_details_name_what_it_was_before_with_its_evidence() -> None:
    past = PastSummary(text=f"1 past incident resembles this one; nearest INC-1: {NASTY}", evidence="E5")
    _, early = rendered_details(findings=None, facts=facts(past=past))
    _, ranked = rendered_details(facts=facts(past=past))

    for blocks in (early, ranked):
        shown = json.dumps(blocks, ensure_ascii=False)
        assert "*Before:* 1 past incident resembles this one" in shown and "(E5)" in shown and "<!channel>" not in shown
