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
NOT_IN = "[name not in evidence]"
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


@pytest.mark.parametrize(
    "text",
    [
        "The change was made by dora.",
        "Dora deployed it.",
        "It was deployed by dora.",
        "The author is dora.",
        "inventory broke because dora rolled out the change.",
    ],
)
def test_whoever_no_record_knows_made_no_change(text: str) -> None:
    assert judged(text) == []
    assert judged(f"{text} Version 3.5.0.") == [f"{text} Version 3.5.0.".replace("dora", NOT_IN).replace("Dora", NOT_IN)]


@pytest.mark.parametrize(
    "text",
    [
        "The change was made by alice.",
        "The change was made by hand.",
        "The config was changed by the pipeline.",
        "The change was approved by dora.",
        "Latency changed by half.",
        "Calls are made by inventory.",
        "The lock was released by workers.",
        "Errors of the new version by pod are equal.",
        "The bug was introduced by commit of alice.",
        "The change was introduced by pull request.",
        "The release by region differs.",
        "The rollout by stages was slow.",
        "The change was done by replacing pods.",
    ],
)
def test_who_is_recorded_and_what_is_no_person_stay(text: str) -> None:
    assert judged(text) == [text]


def test_a_name_that_stands_in_the_evidence_of_a_sentence_stays() -> None:
    log = entry("E2", "log_patterns", EvidenceFacts(), "config reloaded, pushed by dora")
    claim = Claim(text="The config change was pushed by dora.", evidence=["E2"])

    assert judge(Findings(ruled_out=[claim]), [LISTED, log]).ruled_out == [claim]
