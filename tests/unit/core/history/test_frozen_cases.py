"""How right an answer is, and what a frozen case answers."""

from typing import Any

import pytest

from bot.core.evidence import Case, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.history.frozen_cases import FrozenCase, grade, scorecard, scorecard_text, scrubbed
from bot.core.history.past_incidents import ConfirmedCause
from tests.unit.builders import NOW

TRUTH = ConfirmedCause(text="deploy 2 of checkout", service="checkout", change_id="d2", confirmed_by="alice", at=NOW)


def answer(*services: str, confidence: str = "likely", **values: Any) -> Findings:
    rows = [{"cause": "x", "service": service, "confidence": confidence, "change_id": "d2"} for service in services]
    return Findings(hypotheses=[Hypothesis.model_validate(row) for row in rows], **values)


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (answer("checkout", "search"), "right"),
        (answer("search", "checkout"), "near"),
        (answer("search", "cart", "web", "checkout"), "wrong"),
        (answer("search"), "wrong"),
        (answer(), "abstained"),
        (answer("checkout", confidence="unlikely"), "abstained"),
    ],
)
def test_an_answer_is_marked_by_where_the_confirmed_service_stands(findings: Findings, expected: str) -> None:
    assert grade(findings, TRUTH) == expected


def test_another_change_of_the_right_service_is_only_near() -> None:
    assert grade(answer("checkout"), TRUTH.model_copy(update={"change_id": "d1"})) == "near"


def test_words_without_a_service_cannot_be_compared() -> None:
    assert grade(answer("checkout"), TRUTH.model_copy(update={"service": ""})) is None


def test_a_score_counts_what_was_called_likely_and_what_it_cost() -> None:
    unnamed = TRUTH.model_copy(update={"service": ""})
    rows = [(answer("checkout", usd=0.1), TRUTH), (answer("search", usd=0.2), TRUTH), (answer("search"), unnamed)]

    told = scorecard_text(scorecard("model", rows))

    assert told == (
        "2 incidents: 1 right, 0 near, 1 wrong, 0 abstained; called likely 2, of which right 1; "
        "1 more whose cause names no service; $0.30"
    )


def frozen(*entries: tuple[str, dict[str, Any], str]) -> FrozenCase:
    rows = [
        LedgerEntry(id=f"E{n}", group="AL-1", tool=tool, arguments=given, at=NOW, evidence=Evidence(summary=seen, query=""))
        for n, (tool, given, seen) in enumerate(entries, 1)
    ]
    asked = Case(group="AL-1", started_at=NOW)
    return FrozenCase(ref="INC-1", case=asked, entries=tuple(rows), findings=Findings(), confirmed=TRUTH, at=NOW)


def test_a_look_is_found_by_what_it_asks_whatever_the_order_and_the_defaults() -> None:
    case = frozen(
        ("search_logs", {"service": "cart", "text": ""}, "old"), ("search_logs", {"text": "", "service": "cart"}, "new")
    )

    seen = case.answer("search_logs", {"service": "cart"}, {"text": "", "minutes": 30})

    assert seen is not None and seen.summary == "new"
    assert case.answer("search_logs", {"service": "cart", "text": "error"}, {"text": ""}) is None


def test_secrets_are_removed_wherever_they_stand() -> None:
    told = {"details": ["password=hunter22secret"], "facts": {"row": ("api_key=abcdef0123456789abcdef",)}, "n": 3}

    clean = scrubbed(told)

    assert "hunter22secret" not in str(clean) and "abcdef0123456789" not in str(clean) and clean["n"] == 3
