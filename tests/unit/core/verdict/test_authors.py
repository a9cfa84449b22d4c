"""Who made a change stands in its record."""

import pytest

from bot.core.evidence import Claim, Findings
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.verdict.verdict import judge
from tests.unit.builders import change
from tests.unit.core.questions.yes_no.test_short_answers import entry

CHANGES = (
    change("a", "inventory", version="3.5.0", author="alice", title="Log correlation ids"),
    change("b", "search", version="2.4.0", author="carol", title="Emit order events"),
)
LISTED = entry(
    "E1", "recent_changes", EvidenceFacts(changes=CHANGES), "deploy inventory 3.5.0 by alice", "deploy search 2.4.0 by carol"
)


def judged(text: str) -> list[str]:
    return [claim.text for claim in judge(Findings(ruled_out=[Claim(text=text, evidence=["E1"])]), [LISTED]).ruled_out]


@pytest.mark.parametrize(
    "text",
    [
        "Carol deployed inventory 3.5.0.",
        "Deploy 3.5.0 of inventory by carol broke it.",
        "inventory 3.5.0 is carol's deploy.",
        "The author of inventory 3.5.0 is carol.",
    ],
)
def test_a_change_is_not_given_to_the_author_of_another_one(text: str) -> None:
    assert [one.lower() for one in judged(text)] == [text.lower().replace("carol", "[name not in evidence]")]


def test_a_sentence_about_nothing_but_a_wrong_author_goes() -> None:
    assert judged("The deploy of inventory was made by carol.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Alice deployed inventory 3.5.0.",
        "alice deployed inventory 3.5.0, and carol deployed search 2.4.0 before.",
        "The deploy of inventory 3.5.0 was approved by carol.",
        "carol looks at inventory 3.5.0.",
    ],
)
def test_the_right_author_and_what_others_did_stay(text: str) -> None:
    assert judged(text) == [text]
