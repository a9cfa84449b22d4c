"""Evidence facts as JSON: what is stored now, what older versions stored, and what does not fit."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.errors import UnreadableEvidence
from bot.core.evidence import Evidence, entry_or_failure, parse_entry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.observations import observe
from tests.unit.evidence_builders import NOW, ONSET, deviation

OLD_DEVIATION = {
    "service": "checkout", "signal": "errors", "family": "errors", "score": 3.25, "before": 0.001, "after": 0.12,
    "unit": "ratio", "onset": "2026-03-01T12:00:00Z", "direction": "up", "step": 5.0, "peer": "", "promql": "up",
}  # fmt: skip


def stored(facts: dict[str, Any]) -> dict[str, Any]:
    evidence = {"summary": "checkout errors rose", "query": "up", "source": "prometheus", "facts": facts}
    arguments = {"service": "checkout"}
    return {"id": "E1", "group": "AL-1", "tool": "a_tool", "arguments": arguments, "at": NOW.isoformat(), "evidence": evidence}


def test_what_older_versions_stored_is_read_and_written_under_the_new_names() -> None:
    template = {"template": "x", "count": 2, "before": 0.0, "turn": "new", "last": ""}
    old = {"asked_wrong": True, "deviations": [OLD_DEVIATION], "templates": [template], "troubles": ["9 lock waits"]}

    facts = parse_entry(stored(old)).evidence.facts

    assert Deviation.of_fact(facts.deviations[0]).onset == ONSET
    written = facts.model_dump(mode="json")
    assert written["problems"] == ["9 lock waits"] and written["invalid_query"]
    assert written["templates"] == [{"template": "x", "count": 2, "before": 0.0, "trend": "new", "last": None}]
    assert written["deviations"] == [{("doublings" if name == "score" else name): v for name, v in OLD_DEVIATION.items()}]


def test_only_the_kinds_that_a_tool_set_are_written() -> None:
    facts = EvidenceFacts(deviations=(deviation("cart", "errors", 0.1, 0.2).as_fact(),), changes=())

    assert list(facts.model_dump(mode="json")) == ["deviations", "changes"]
    assert EvidenceFacts().model_dump() == {} == Evidence(summary="", query="").model_dump()["facts"]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"deviatons": [OLD_DEVIATION]}, "evidence.facts.deviatons: Extra inputs are not permitted"),
        (
            {"deviations": [{**OLD_DEVIATION, "score": None}]},
            "evidence.facts.deviations.0.score: Input should be a valid number",
        ),
        ({"changes": [{"id": "ci:1"}]}, "evidence.facts.changes.0.at: Field required and 3 more"),
    ],
)
def test_facts_that_do_not_fit_are_an_error_and_show_as_a_failed_check(facts: dict[str, Any], why: str) -> None:
    with pytest.raises(UnreadableEvidence):
        parse_entry(stored(facts))

    entry = entry_or_failure(stored(facts))

    assert entry.evidence.blind_spots == (f"Could not check (a_tool): the stored evidence could not be read ({why})",)
    assert entry.id == "E1" and not observe([entry]).checked


def test_a_tool_cannot_return_facts_that_nobody_reads() -> None:
    with pytest.raises(ValidationError):
        Evidence.model_validate({"summary": "", "query": "", "facts": {"deviation": []}})
